"""Tiny checkpoints in the formats that people quantize to, packed and unpacked by each format's own code.

Weights are rounded to the nearest step of scales from the largest or the outermost values, the format's maker packs
the codes and gives the float values back; with these transformers computes the logits. Besides those,
golden.safetensors has the values of some matrices, as weights.NAME. Packages beyond make.py's, installed with
--no-deps: auto-gptq 0.7.1, autoawq 0.2.9, auto-round 0.16.1, compressed-tensors 0.20.0, mlx[cpu] 0.32.4.
"""

import importlib
import importlib.util
import pathlib
import shutil
import sys
import types

import json
import mlx.core as mx
import numpy as np
import torch
from compressed_tensors.compressors import FloatQuantizationCompressor, IntQuantizationCompressor, PackedQuantizationCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

import make_models
from make_models import HERE

SMALL = dict(
    make_models.DENSE, vocab_size=160, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, head_dim=32, tie_word_embeddings=False,
)  # fmt: skip
LARGE = dict(SMALL, hidden_size=128, intermediate_size=256)
EDGES = dict(SMALL, hidden_size=160, intermediate_size=192)  # blocks of 128 that are cut off on both sides
MOE = dict(SMALL, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, norm_topk_prob=True)


def without_init(package: str, *folders: str) -> None:
    """Lets single files of a package be imported whose __init__ wants a GPU or an older transformers."""
    root = importlib.util.find_spec(package).submodule_search_locations[0]
    for name in (package, *(f"{package}.{folder}" for folder in folders)):
        module = types.ModuleType(name)
        module.__path__ = [str(pathlib.Path(root, *name.split(".")[1:]))]
        sys.modules[name] = module


without_init("auto_gptq", "nn_modules", "nn_modules.qlinear")
without_init("awq", "modules", "modules.linear", "utils")
without_init("auto_round", "utils")
sys.modules["auto_round.utils"].get_packing_device = lambda device: device
GptqLinear = importlib.import_module("auto_gptq.nn_modules.qlinear.qlinear_cuda").QuantLinear
AwqLinear = importlib.import_module("awq.modules.linear.gemm").WQLinear_GEMM
awq_dequantize = importlib.import_module("awq.utils.packing_utils").dequantize_gemm
RoundLinear = importlib.import_module("auto_round_extension.torch.qlinear_torch").QuantLinear


def steps(weight: torch.Tensor, bits: int, group: torch.Tensor, symmetric: bool, least_zero: int = 0) -> tuple:
    """Scales (f16) and zero points [rows, groups]; group[k] is column k's group."""
    scales, zeros = [], []
    for index in range(int(group.max()) + 1):
        part = weight[:, group == index]
        low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
        if symmetric:
            high = torch.maximum(high, -low)
            low = -high
        scale = ((high - low) / (2**bits - 1)).half().float()
        scales.append(scale)
        middle = torch.full_like(scale, 2 ** (bits - 1))
        zeros.append(middle if symmetric else (-low / scale).round().clamp(least_zero, 2**bits - 1))
    return torch.stack(scales, 1), torch.stack(zeros, 1)


def linear_of(weight: torch.Tensor) -> torch.nn.Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data = weight.clone()
    return layer


def groups_of(columns: int, size: int, seed: int | None = None) -> torch.Tensor:
    group = torch.arange(columns) // (columns if size == -1 else size)
    return group if seed is None else group[torch.randperm(columns, generator=torch.Generator().manual_seed(seed))]


def clamp_to_grid(weight, scales, zeros, group, bits):
    codes = (weight / scales[:, group] + zeros[:, group]).round().clamp(0, 2**bits - 1)
    return (codes - zeros[:, group]) * scales[:, group]


def gptq(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    bits, size = plan["bits"], plan["group_size"]
    group = groups_of(weight.shape[1], size, seed=len(name) if plan["desc_act"] else None)
    scales, zeros = steps(weight, bits, group, plan["sym"], least_zero=1)  # this packer cannot store a zero point of 0
    layer = GptqLinear(bits, size, weight.shape[1], weight.shape[0], bias=False)
    layer.pack(linear_of(clamp_to_grid(weight, scales, zeros, group, bits)), scales, zeros.clone(), group.int())
    tensors = {"qweight": layer.qweight, "qzeros": layer.qzeros, "scales": layer.scales.half(), "g_idx": layer.g_idx.int()}
    layer.scales = tensors["scales"].float()
    return tensors, layer(torch.eye(weight.shape[1])).T


def auto_round(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    own = plan["extra_config"].get(name, plan)
    bits, size = own["bits"], own.get("group_size", plan["group_size"])
    group = groups_of(weight.shape[1], size)
    scales, zeros = steps(weight, bits, group, symmetric=False)
    layer = RoundLinear(bits, size, weight.shape[1], weight.shape[0], bias=False)
    layer.device = "cpu"  # its zero points ask for it
    layer.pack(linear_of(clamp_to_grid(weight, scales, zeros, group, bits)), scales, zeros, device="cpu")
    tensors = {"qweight": layer.qweight, "qzeros": layer.qzeros, "scales": layer.scales}
    layer.scales = layer.scales.float()
    return tensors, layer(torch.eye(weight.shape[1])).T


def awq(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    size = plan["group_size"]
    group = groups_of(weight.shape[1], size)
    scales, zeros = steps(weight, 4, group, symmetric=False)
    grid = clamp_to_grid(weight, scales, zeros, group, 4)
    layer = AwqLinear.from_linear(linear_of(grid), 4, size, scales=scales.T.contiguous(), zeros=zeros.T.contiguous())
    tensors = {"qweight": layer.qweight, "qzeros": layer.qzeros, "scales": layer.scales}
    return tensors, awq_dequantize(layer.qweight, layer.qzeros, layer.scales.float(), 4, size).T


COMPRESSORS = {
    "pack-quantized": PackedQuantizationCompressor,
    "int-quantized": IntQuantizationCompressor,
    "float-quantized": FloatQuantizationCompressor,
}


def compressed(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    stated = plan["config_groups"]["group_0"]["weights"]
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**stated))
    group = groups_of(weight.shape[1], stated.get("group_size") or -1)
    state = {"weight": weight}
    if stated["type"] == "float":
        state["weight_scale"] = (weight.abs().amax(1, keepdim=True) / 448).bfloat16().float()
    else:
        scales, zeros = steps(weight, stated["num_bits"], group, stated["symmetric"])
        state["weight_scale"] = scales
        state["weight_zero_point"] = (zeros - 2 ** (stated["num_bits"] - 1)).to(torch.int8)
    compressor = COMPRESSORS[plan["format"]]
    packed = compressor.compress(state, scheme)
    values = compressor.decompress(packed, scheme)["weight"]
    packed["weight_scale"] = packed["weight_scale"].to(torch.bfloat16 if stated["type"] == "float" else torch.float16)
    return packed, values


def fp8(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    rows, columns = plan["weight_block_size"]
    blocks = (-(-weight.shape[0] // rows), -(-weight.shape[1] // columns))
    scales = torch.empty(blocks)
    for i in range(blocks[0]):
        for j in range(blocks[1]):
            scales[i, j] = weight[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns].abs().max() / 448
    scales = scales.bfloat16()
    whole = scales.float().repeat_interleave(rows, 0).repeat_interleave(columns, 1)[: weight.shape[0], : weight.shape[1]]
    codes = (weight / whole).to(torch.float8_e4m3fn)
    return {"weight": codes, "weight_scale_inv": scales}, codes.float() * whole


def to_torch(array: mx.array) -> torch.Tensor:
    if array.dtype == mx.bfloat16:
        return torch.from_numpy(np.array(array.astype(mx.float32))).bfloat16()
    return torch.from_numpy(np.array(array))


def mlx(name: str, weight: torch.Tensor, plan: dict) -> tuple[dict, torch.Tensor]:
    own = plan.get(name, plan)
    settings = dict(group_size=own["group_size"], bits=own["bits"])
    packed, scales, biases = mx.quantize(mx.array(weight.numpy()).astype(mx.bfloat16), **settings)
    values = mx.dequantize(packed, scales.astype(mx.float32), biases.astype(mx.float32), **settings)
    return {"weight": to_torch(packed), "scales": to_torch(scales), "biases": to_torch(biases)}, to_torch(values)


def scheme(format_name: str, **weights) -> dict:
    group = {"targets": ["Linear"], "weights": weights}
    return {"quant_method": "compressed-tensors", "format": format_name, "quantization_status": "compressed",
            "config_groups": {"group_0": group}, "ignore": ["lm_head"]}  # fmt: skip


def gptq_plan(bits: int, size: int, symmetric: bool, act_order: bool) -> dict:
    return dict(quant_method="gptq", bits=bits, group_size=size, sym=symmetric, desc_act=act_order)


MIXED = {
    "group_size": 32, "bits": 4, "mode": "affine",
    "model.embed_tokens": {"group_size": 64, "bits": 6},
    "model.layers.0.self_attn.q_proj": {"group_size": 32, "bits": 2},
    "model.layers.0.self_attn.k_proj": {"group_size": 64, "bits": 3},
    "model.layers.0.mlp.down_proj": {"group_size": 128, "bits": 5},
    "model.layers.1.mlp.down_proj": {"group_size": 64, "bits": 8},
}  # fmt: skip
ROUNDED = {
    "quant_method": "auto-round", "bits": 4, "group_size": 32, "sym": False, "data_type": "int", "packing_format": "auto_round",
    "extra_config": {"model.layers.1.mlp.down_proj": {"bits": 8, "group_size": 64}},
}  # fmt: skip

# name: shape, packer, key in config.json, its value, type of what stays unquantized, what is quantized besides projections
PLANS = {
    "gptq_4bit_128": (LARGE, gptq, "quantization_config", gptq_plan(4, 128, True, False), torch.float16, ()),
    "gptq_4bit_act_order": (SMALL, gptq, "quantization_config", gptq_plan(4, 32, False, True), torch.float16, ()),
    "gptq_8bit_rows": (SMALL, gptq, "quantization_config", gptq_plan(8, -1, True, False), torch.float16, ("lm_head",)),
    "gptq_8bit_offsets": (SMALL, gptq, "quantization_config", gptq_plan(8, 64, False, False), torch.float16, ()),
    "auto_round": (SMALL, auto_round, "quantization_config", ROUNDED, torch.float16, ()),
    "awq": (SMALL, awq, "quantization_config", dict(quant_method="awq", bits=4, group_size=64, zero_point=True, version="gemm"), torch.float16, ()),
    "compressed_w4a16": (SMALL, compressed, "quantization_config", scheme("pack-quantized", num_bits=4, type="int", symmetric=False, strategy="group", group_size=32), torch.bfloat16, ()),
    "compressed_w8a8": (SMALL, compressed, "quantization_config", scheme("int-quantized", num_bits=8, type="int", symmetric=True, strategy="channel"), torch.bfloat16, ()),
    "compressed_fp8": (SMALL, compressed, "quantization_config", scheme("float-quantized", num_bits=8, type="float", symmetric=True, strategy="channel"), torch.bfloat16, ()),
    "fp8_blocks": (EDGES, fp8, "quantization_config", dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic", weight_block_size=[128, 128]), torch.bfloat16, ()),
    "mlx_mixed": (dict(SMALL, tie_word_embeddings=True), mlx, "quantization", MIXED, torch.bfloat16, ("embed_tokens",)),
    "mlx_experts": (MOE, mlx, "quantization", dict(group_size=32, bits=4), torch.bfloat16, ("lm_head", "embed_tokens", "gate", "experts")),
}  # fmt: skip


def mlx_expert_tensors(name: str, packer, plan: dict, experts) -> tuple[dict, dict]:
    """transformers keeps gate and up of all experts in one tensor; MLX has a stack for each of the three."""
    gate, up = experts.gate_up_proj.chunk(2, dim=1)
    tensors, values = {}, {}
    for part, weight in {"gate_proj": gate, "up_proj": up, "down_proj": experts.down_proj}.items():
        target = name.removesuffix("experts") + "switch_mlp." + part
        packed, values[part] = packer(target, weight.detach().contiguous(), plan)
        tensors |= {f"{target}.{suffix}": tensor for suffix, tensor in packed.items()}
    experts.gate_up_proj.copy_(torch.cat([values["gate_proj"], values["up_proj"]], dim=1))
    experts.down_proj.copy_(values["down_proj"])
    return tensors, {}


def quantize(model, packer, plan: dict, dtype: torch.dtype, besides: tuple) -> tuple[dict, dict]:
    """Puts the rounded weights into the model; returns the tensors of the checkpoint and the values to record."""
    tensors, recorded = {}, {}
    for name, module in list(model.named_modules()):
        last = name.split(".")[-1]
        if last == "lm_head" and model.config.tie_word_embeddings:
            continue  # it is embed_tokens
        if last == "experts":
            tensors |= mlx_expert_tensors(name, packer, plan, module)[0]
        elif last.endswith("_proj") or last in besides:
            packed, values = packer(name, module.weight.detach().float(), plan)
            tensors |= {f"{name}.{suffix}": tensor for suffix, tensor in packed.items()}
            module.weight.copy_(values)
            if name.startswith("model.layers.0.") and last in ("k_proj", "down_proj") or last == "embed_tokens":
                recorded[f"weights.{name}"] = values
        elif getattr(module, "weight", None) is not None and not list(module.children()):
            stored = module.weight.detach().to(dtype)
            module.weight.copy_(stored.float())
            tensors[f"{name}.weight"] = stored
    return tensors, recorded


def make_one(name: str, seed: int) -> bool:
    settings, packer, key, plan, dtype, besides = PLANS[name]
    is_moe = "num_experts" in settings
    model_class, config_class = (Qwen3MoeForCausalLM, Qwen3MoeConfig) if is_moe else (Qwen3ForCausalLM, Qwen3Config)
    folder = HERE / "quantized_models" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = model_class._from_config(config_class(**settings), attn_implementation="eager", dtype=torch.float32).eval()
    make_models.fill(model, seed)
    tensors, recorded = quantize(model, packer, plan, dtype, besides)
    ids = make_models.prompt_ids(seed, settings["vocab_size"])
    golden, info = make_models.run(model, ids)
    if info["smallest_greedy_margin"] < make_models.SMALLEST_MARGIN or info["distinct_generated"] < 6:
        return False
    golden = {n: t for n, t in golden.items() if not n.startswith("hidden_states")} | recorded
    config = json.loads(model.config.to_json_string()) | {"architectures": [model_class.__name__], key: plan}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({n: t.contiguous() for n, t in tensors.items()}, str(folder / "model.safetensors"), metadata={"format": "pt"})
    make_models.save_golden(folder, golden, {"what": model_class.__name__, "compute": "float32, eager", "seed": seed} | info)
    for path in folder.iterdir():
        path.chmod(0o644)
    print(name, seed, info)
    return True


def make() -> None:
    for number, name in enumerate(PLANS):
        first_seed = 1000 + 100 * number
        next(seed for seed in range(first_seed, first_seed + 100) if make_one(name, seed))
