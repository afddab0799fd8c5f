#!/usr/bin/env python3
"""Compares model.py with transformers' Qwen3ForCausalLM on the shipped weights: the architecture is the published one.

Prints the largest difference between logits (float32, eager attention); fails above 1e-3.
"""

import pathlib

import torch
import transformers

import evaluate
import vocabulary

HERE = pathlib.Path(__file__).resolve().parent


@torch.no_grad()
def main():
    net, tokenizer = evaluate.open_gguf(HERE / "assistant.gguf")
    c = net.config
    reference = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(
        vocab_size=c.vocab, hidden_size=c.hidden, num_hidden_layers=c.layers, num_attention_heads=c.heads,
        num_key_value_heads=c.kv_heads, head_dim=c.head_dim, intermediate_size=c.ffn, rms_norm_eps=c.eps,
        rope_parameters={"rope_type": "default", "rope_theta": c.rope_base}, tie_word_embeddings=True,
        attn_implementation="eager")).eval()
    renamed = {}
    for name, weight in net.state_dict().items():
        block = "self_attn" if any(part in name for part in ("q_", "k_", "v_proj", "o_proj")) else "mlp"
        if name.startswith("layers.") and "layernorm" not in name:
            layer, rest = name.split(".", 2)[1:]
            name = f"layers.{layer}.{block}.{rest}"
        renamed["model." + name] = weight
    missing = reference.load_state_dict(renamed, strict=False)
    if missing.unexpected_keys or missing.missing_keys not in ([], ["lm_head.weight"]):
        raise SystemExit(str(missing))
    reference.tie_weights()
    coder, worst = vocabulary.Coder(tokenizer), 0.0
    for text in ("把客厅的灯调暗一点", "三個骨之後叫我熄火", "set a twelve minute timer for the dumplings"):
        ids = torch.tensor([coder.prompt(text)])
        difference = (net.logits(net(ids)) - reference(ids).logits).abs().max().item()
        worst = max(worst, difference)
    print(f"transformers {transformers.__version__}: largest difference between logits {worst:.2e}")
    if worst > 1e-3:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
