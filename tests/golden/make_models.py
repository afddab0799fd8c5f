"""Tiny Qwen3 checkpoints as save_pretrained writes them, and their logits, hidden states and greedy ids."""

import json
import math
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
PROMPT_TOKENS = 37
DECODE_STEPS = 16
# A greedy choice closer than this could be decided by the order of a sum; such seeds are passed over.
SMALLEST_MARGIN = 0.03
SMALLEST_ROUTING_GAP = 2e-3

torch.set_num_threads(1)
torch.set_grad_enabled(False)

DENSE = dict(
    vocab_size=208, hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-6, max_position_embeddings=256, bos_token_id=0,
    eos_token_id=1, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6},
)  # fmt: skip
MOE = dict(
    DENSE, vocab_size=160, num_hidden_layers=2, moe_intermediate_size=24, num_experts=6, num_experts_per_tok=2, norm_topk_prob=True,
    tie_word_embeddings=False,
)  # fmt: skip
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 24}

# name: changes, type on disk, first seed to try
PLANS = {
    "dense_tied_f32": (DENSE, dict(num_hidden_layers=2, intermediate_size=112), torch.float32, 100),
    "dense_untied_bf16": (DENSE, dict(tie_word_embeddings=False, num_key_value_heads=1, rope_parameters={"rope_type": "default", "rope_theta": 1e4}), torch.bfloat16, 200),
    "dense_yarn_f32": (DENSE, dict(num_hidden_layers=2, rope_parameters=YARN, max_position_embeddings=96), torch.float32, 300),
    "dense_odd_bf16": (DENSE, dict(vocab_size=203, hidden_size=40, intermediate_size=72, num_attention_heads=6, head_dim=12, num_hidden_layers=2, attention_bias=True), torch.bfloat16, 400),
    "moe_f32": (MOE, {}, torch.float32, 500),
    "moe_mixed_bf16": (MOE, dict(num_hidden_layers=3, norm_topk_prob=False, mlp_only_layers=[1], num_experts_per_tok=3, tie_word_embeddings=True), torch.bfloat16, 600),
}  # fmt: skip


def fill(model: torch.nn.Module, seed: int) -> None:
    """Seeded weights in which every parameter matters: norms around 1, biases small, rows of about unit gain."""
    for index, (name, weight) in enumerate(sorted(model.named_parameters())):
        noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed * 997 + index))
        if "norm" in name:
            value = 1 + 0.3 * noise
        elif weight.dim() == 1:
            value = 0.15 * noise
        elif "embed" in name:
            value = noise
        else:
            value = noise * (4.0 if "lm_head" in name else 1.7) / math.sqrt(weight.shape[-1])
        weight.copy_(value)
    model.tie_weights()


def prompt_ids(seed: int, vocabulary: int) -> torch.Tensor:
    return torch.randint(2, vocabulary, (1, PROMPT_TOKENS), generator=torch.Generator().manual_seed(seed))


def run(model, ids: torch.Tensor) -> tuple[dict, dict]:
    """Prefill and greedy decoding with a cache; one pass without a cache must agree."""
    out = model(input_ids=ids, use_cache=True, output_hidden_states=True)
    tensors = {"input_ids": ids[0], "prefill_logits": out.logits[0]}
    tensors |= {f"hidden_states.{i}": state[0] for i, state in enumerate(out.hidden_states)}
    rows, tokens = [out.logits[0, -1]], []
    for _ in range(DECODE_STEPS):
        tokens.append(rows[-1].argmax())
        out = model(input_ids=tokens[-1].reshape(1, 1), past_key_values=out.past_key_values, use_cache=True)
        rows.append(out.logits[0, -1])
    tokens.append(rows[-1].argmax())
    steps = torch.stack(rows)
    tensors["generated_ids"], tensors["decode_logits"] = torch.stack(tokens), steps[1:]
    whole = model(input_ids=torch.cat([ids[0], torch.stack(tokens[:-1])])[None], use_cache=False).logits[0]
    best = steps.topk(2, dim=-1).values
    recorded = torch.cat([tensors["prefill_logits"], steps[1:]])
    info = {
        "prefill_tokens": ids.shape[1],
        "decode_steps": DECODE_STEPS,
        "max_abs_logit": recorded.abs().max().item(),
        "logit_std": recorded.std().item(),
        "smallest_greedy_margin": (best[:, 0] - best[:, 1]).min().item(),
        "cached_vs_uncached_max_abs_diff": (whole - recorded).abs().max().item(),
        "distinct_generated": len(set(tensors["generated_ids"].tolist())),
    }
    return tensors, info


def add_router(model, ids: torch.Tensor, tensors: dict, info: dict) -> None:
    config, gaps = model.config, []
    for index, logits in enumerate(model(input_ids=ids, output_router_logits=True).router_logits):
        best = logits.float().topk(config.num_experts_per_tok + 1, dim=-1).values
        gaps.append((best[:, -2] - best[:, -1]).min().item())
        tensors[f"router_logits.{index}"] = logits
    info["smallest_routing_gap"] = min(gaps)
    info["router_logits_layers"] = [i for i, layer in enumerate(model.model.layers) if hasattr(layer.mlp, "gate")]


def save_golden(folder: pathlib.Path, tensors: dict, info: dict) -> None:
    ready = {name: t.to(torch.int32 if t.dtype == torch.int64 else torch.float32).contiguous() for name, t in tensors.items()}
    save_file(ready, str(folder / "golden.safetensors"))
    info["versions"] = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}
    info["tensors"] = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in sorted(ready.items())}
    (folder / "golden.json").write_text(json.dumps(info) + "\n")


def write_published_style(folder: pathlib.Path) -> None:
    """config.json in the field names of the published checkpoints."""
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope == {"rope_type": "default"} else rope
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)
    if "num_local_experts" in config:
        config["num_experts"] = config.pop("num_local_experts")
    (folder / "config.published_style.json").write_text(json.dumps(config, indent=2) + "\n")


def make_one(name: str, settings: dict, dtype: torch.dtype, seed: int) -> bool:
    is_moe = "num_experts" in settings
    model_class, config_class = (Qwen3MoeForCausalLM, Qwen3MoeConfig) if is_moe else (Qwen3ForCausalLM, Qwen3Config)
    folder = HERE / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model = model_class(config_class(**settings))
    fill(model, seed)
    model.to(dtype).save_pretrained(folder)
    more = {"experts_implementation": "eager"} if is_moe else {}
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **more).eval()
    ids = prompt_ids(seed, settings["vocab_size"])
    tensors, info = run(model, ids)
    if is_moe:
        add_router(model, ids, tensors, info)
    clear = info["smallest_greedy_margin"] >= SMALLEST_MARGIN and info["distinct_generated"] >= 6
    if not clear or info.get("smallest_routing_gap", 1) < SMALLEST_ROUTING_GAP:
        return False
    write_published_style(folder)
    what = {"what": model_class.__name__, "checkpoint_dtype": str(dtype), "compute": "float32, eager", "seed": seed}
    save_golden(folder, tensors, what | info)
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes 0600
    print(name, seed, info)
    return True


def make() -> None:
    for name, (base, changes, dtype, first_seed) in PLANS.items():
        next(seed for seed in range(first_seed, first_seed + 100) if make_one(name, base | changes, dtype, seed))
