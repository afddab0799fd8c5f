#!/usr/bin/env python3
"""Writes the trained weights as GGUF v3: matrices Q8_0 (or F32, to be quantized later), norms F32, tokenizer, chat
template and licence inside.

The tensor names and keys are those that llama.cpp's converter writes for Qwen3ForCausalLM, so any reader of that
architecture opens the file. No output.weight: the head is the embedding.
"""

import argparse
import json
import pathlib

import gguf
import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LAYER_NAMES = {
    "input_layernorm": "attn_norm", "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
    "q_norm": "attn_q_norm", "k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm",
    "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
}


def tensor_name(name):
    parts = name.split(".")
    if parts[0] == "layers":
        return f"blk.{parts[1]}.{LAYER_NAMES[parts[2]]}.weight"
    return {"embed_tokens": "token_embd", "norm": "output_norm"}[parts[0]] + ".weight"


def add_tokenizer(writer, tokenizer):
    added = {token["id"]: token for token in tokenizer["added_tokens"]}
    tokens = {i: token for token, i in tokenizer["model"]["vocab"].items()}
    tokens.update({i: token["content"] for i, token in added.items()})
    kinds = [gguf.TokenType.NORMAL] * len(tokens)
    for i, token in added.items():
        kinds[i] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    ids = {token: i for i, token in tokens.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([tokens[i] for i in range(len(tokens))])
    writer.add_token_types(kinds)
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    writer.add_token_merges(merges)
    writer.add_eos_token_id(ids["<|im_end|>"])
    writer.add_pad_token_id(ids["<|endoftext|>"])
    writer.add_add_bos_token(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--weights", default="final.pt")
    parser.add_argument("--f32", action="store_true", help="leave the matrices as they are")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "assistant.gguf")
    options = parser.parse_args()
    saved = torch.load(options.work / options.weights, weights_only=True)
    c = saved["config"]
    writer = gguf.GGUFWriter(options.out, "qwen3")
    writer.add_type("model")
    writer.add_name("Inkstone Pocket Assistant")
    writer.add_description("Requests in Mandarin, Cantonese and English to tool calls: lights, climate, timers, alarms")
    writer.add_license("Apache-2.0")
    writer.add_languages(["zh", "yue", "en"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if options.f32 else gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_float32(gguf.Keys.General.SAMPLING_TEMP, 0.0)      # it answers greedily unless told otherwise
    writer.add_vocab_size(c["vocab"])
    writer.add_block_count(c["layers"])
    writer.add_context_length(c["context"])
    writer.add_embedding_length(c["hidden"])
    writer.add_feed_forward_length(c["ffn"])
    writer.add_head_count(c["heads"])
    writer.add_head_count_kv(c["kv_heads"])
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_layer_norm_rms_eps(c["eps"])
    writer.add_rope_freq_base(c["rope_base"])
    add_tokenizer(writer, json.loads((options.work / "tokenizer.json").read_text(encoding="utf-8")))
    writer.add_chat_template((HERE / "chat_template.jinja").read_text(encoding="utf-8"))
    for name, weight in saved["mean"].items():
        data = weight.float().numpy()
        if data.ndim == 2 and not options.f32:
            packed = gguf.quants.quantize(data.astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor_name(name), packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor_name(name), data.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.2f} MiB, {saved['steps']} steps, "
          f"{saved['sentences']} sentences, {saved['minutes']:.1f} minutes")


if __name__ == "__main__":
    main()
