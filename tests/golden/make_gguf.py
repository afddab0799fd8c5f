"""Tiny Qwen3 models as GGUF files with the logits of their dequantised weights, and blocks of every GGUF type."""

import json
import pathlib
import shutil

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import quants
from make_models import HERE, SMALLEST_MARGIN, fill, prompt_ids, run, save_golden
from make_tokenizer import CONTROL, MARKUP, trained
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

MERGES = 100  # of the tokenizer's 400, for a small vocabulary
VOCABULARY = 384  # padded, as the published vocabularies are
BOS, EOS = 256 + MERGES, 256 + MERGES + 2
DENSE = dict(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    head_dim=32, rms_norm_eps=1e-6, max_position_embeddings=256, bos_token_id=BOS, eos_token_id=EOS, tie_word_embeddings=True,
    rope_parameters={"rope_type": "default", "rope_theta": 1e6},
)  # fmt: skip
MOE = dict(DENSE, moe_intermediate_size=32, num_experts=4, num_experts_per_tok=2, norm_topk_prob=True, tie_word_embeddings=False)
MIXED = [Type.BF16, Type.Q5_0, Type.F16, Type.Q4_1, Type.Q8_0, Type.Q4_0, Type.Q5_1]
# architecture: settings, seed, {file: types that the matrices take in turn}
PLANS = {
    "qwen3": (DENSE, 700, {"f32": [Type.F32], "q8_0": [Type.Q8_0], "q4_0": [Type.Q4_0], "mixed": MIXED}),
    "qwen3moe": (MOE, 800, {"f16": [Type.F16], "q8_0": [Type.Q8_0]}),
}
FILE_TYPES = {Type.F32: 0, Type.F16: 1, Type.Q4_0: 2, Type.Q8_0: 7, Type.BF16: 32}

NAMES = {
    "embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm", "q_proj": "attn_q",
    "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "q_norm": "attn_q_norm", "k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm", "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down", "gate": "ffn_gate_inp",
}  # fmt: skip


def tensors_of(model) -> dict[str, np.ndarray]:
    """GGUF name -> float32 array, rows first as in the checkpoint (no permutation)."""
    out = {}
    for name, value in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        parts = name.removesuffix(".weight").split(".")
        block = f"blk.{parts[2]}." if "layers" in parts else ""
        if parts[-1] == "gate_up_proj":
            for part, half in zip(("gate", "up"), np.split(value.numpy(), 2, axis=1)):
                out[f"{block}ffn_{part}_exps.weight"] = half
        elif "experts" in parts:
            out[f"{block}ffn_down_exps.weight"] = value.numpy()
        else:
            out[f"{block}{NAMES[parts[-1]]}.weight"] = value.numpy()
    return out


def put_back(model, tensors: dict[str, np.ndarray]) -> None:
    """The inverse of tensors_of: the file's values become the model's weights."""
    fused = {}
    for name, array in tensors.items():
        if "_gate_exps" in name:
            fused[name] = np.concatenate([array, tensors[name.replace("_gate_", "_up_")]], axis=1)
    wanted = iter([fused.get(name, array) for name, array in ((n, tensors[n]) for n in tensors_of(model)) if "_up_exps" not in name])
    for name, value in model.state_dict().items():
        if name != "lm_head.weight" or not model.config.tie_word_embeddings:
            value.copy_(torch.from_numpy(next(wanted).reshape(value.shape).copy()))
    model.tie_weights()


def add_metadata(writer: gguf.GGUFWriter, arch: str, config, file_type: int) -> None:
    writer.add_name(f"tiny {arch} with random weights")
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch == "qwen3moe":
        writer.add_expert_count(config.num_experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)


def add_tokenizer(writer: gguf.GGUFWriter) -> None:
    vocab, merges = trained()
    tokens = [token for token, index in sorted(vocab.items(), key=lambda item: item[1]) if index < 256 + MERGES]
    padding = [f"[PAD{index}]" for index in range(len(tokens) + len(CONTROL + MARKUP), VOCABULARY)]
    kinds = gguf.TokenType
    types = [kinds.NORMAL] * len(tokens) + [kinds.CONTROL] * len(CONTROL) + [kinds.USER_DEFINED] * len(MARKUP)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens + CONTROL + MARKUP + padding)
    writer.add_token_types(types + [kinds.UNUSED] * len(padding))
    writer.add_token_merges([f"{left} {right}" for left, right in merges[:MERGES]])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_pad_token_id(BOS)
    writer.add_add_bos_token(False)
    writer.add_chat_template((HERE / "chat_templates" / "Qwen-Qwen3-0.6B.jinja").read_text())


def write(path: pathlib.Path, arch: str, model, kinds: list[Type]) -> None:
    writer = gguf.GGUFWriter(str(path), arch)
    add_metadata(writer, arch, model.config, FILE_TYPES[kinds[0]])
    add_tokenizer(writer)
    turn = 0
    for name, array in tensors_of(model).items():
        kind = Type.F32  # norms and the router, as every converter keeps them
        if array.ndim > 1 and not name.endswith("ffn_gate_inp.weight"):
            kind = kinds[turn % len(kinds)]
            turn += 1
        writer.add_tensor(name, quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    tensors, kinds = {}, {}
    for tensor in gguf.GGUFReader(str(path)).tensors:
        values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        tensors[tensor.name] = values.reshape([int(size) for size in reversed(tensor.shape)])
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
    return tensors, kinds


def make_arch(folder: pathlib.Path, arch: str, settings: dict, seed: int, files: dict) -> tuple[dict, dict] | None:
    model_class, config_class = (Qwen3MoeForCausalLM, Qwen3MoeConfig) if arch == "qwen3moe" else (Qwen3ForCausalLM, Qwen3Config)
    source = model_class(config_class(**settings))
    fill(source, seed)
    collected, infos = {}, {}
    for suffix, kinds in files.items():
        path = folder / f"{arch}-{suffix}.gguf"
        write(path, arch, source, kinds)
        tensors, counts = read(path)
        model = model_class(config_class(**settings)).eval()
        put_back(model, tensors)
        model.set_attn_implementation("eager")
        if arch == "qwen3moe":
            model.set_experts_implementation("eager")
        outputs, info = run(model, prompt_ids(seed, BOS))
        if info["smallest_greedy_margin"] < SMALLEST_MARGIN or info["distinct_generated"] < 5:
            return None
        keep = {"input_ids", "generated_ids", "decode_logits"}
        outputs = {name: t for name, t in outputs.items() if name in keep} | {"prefill_logits_last_16": outputs["prefill_logits"][-16:]}
        collected |= {f"{path.stem}.{name}": tensor for name, tensor in outputs.items()}
        infos[path.stem] = {"file": path.name, "tensor_types": counts, "bytes": path.stat().st_size, "seed": seed} | info
    return collected, infos


def make_models() -> None:
    folder = HERE / "gguf_models"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    collected, infos = {}, {}
    for arch, (settings, first_seed, files) in PLANS.items():
        made = next(found for seed in range(first_seed, first_seed + 100) if (found := make_arch(folder, arch, settings, seed, files)))
        collected |= made[0]
        infos |= made[1]
    save_golden(folder, collected, {"what": "GGUF files; logits of the dequantised weights in float32", "files": infos})
    (folder / "golden.safetensors").chmod(0o644)
    print(json.dumps(infos, indent=1))


def valid_blocks(kind: Type, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random bytes whose values are finite and of a size that weights could have; other blocks are drawn again."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = np.empty((0, size), np.uint8)
    while len(blocks) < count:
        drawn = rng.integers(0, 256, (count, size), dtype=np.uint8)
        with np.errstate(all="ignore"):
            values = quants.dequantize(drawn, kind).astype(np.float32).reshape(count, -1)
        blocks = np.concatenate([blocks, drawn[(np.abs(values).max(axis=1) < 1e5) & np.isfinite(values).all(axis=1)]])
    return blocks[:count]


def make_quants() -> None:
    folder = HERE / "gguf_quants"
    folder.mkdir(exist_ok=True)
    tensors, table = {}, {}
    for kind in quants._type_traits:
        rng = np.random.default_rng(9000 + int(kind))
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = valid_blocks(kind, 4 if elements > 1 else 32, rng)
        values = quants.dequantize(blocks, kind).astype(np.float32).reshape(len(blocks), elements)
        tensors |= {f"{kind.name}.blocks": blocks, f"{kind.name}.values": values}
        source = (rng.standard_normal((4, max(elements, 32))) * np.array([[0.0], [0.05], [1.0], [30.0]])).astype(np.float32)
        source[2, 1] = -source[2].max()  # the largest twice, with both signs
        try:
            packed = quants.quantize(source, kind)
            tensors[f"{kind.name}.quantize_input"] = source
            tensors[f"{kind.name}.quantize_blocks"] = packed.view(np.uint8).reshape(4, -1)
            tensors[f"{kind.name}.quantize_values"] = quants.dequantize(packed, kind).astype(np.float32).reshape(4, -1)
        except NotImplementedError:
            pass
        table[kind.name] = {"id": int(kind), "elements": elements, "bytes": size, "quantize": f"{kind.name}.quantize_input" in tensors}
    save_file({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in tensors.items()}, str(folder / "quants.safetensors"))
    (folder / "quants.safetensors").chmod(0o644)
    (folder / "quants.json").write_text(json.dumps(table, indent=1) + "\n")
    print("quants", len(table), sum(entry["quantize"] for entry in table.values()))
