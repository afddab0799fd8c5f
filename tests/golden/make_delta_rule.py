"""The bare gated delta rule: inputs, and what the reference's chunked and recurrent forms make of them."""

import pathlib

import torch
from safetensors.torch import save_file
from transformers.models.qwen3_next.modeling_qwen3_next import (
    torch_chunk_gated_delta_rule,
    torch_recurrent_gated_delta_rule,
)

FOLDER = pathlib.Path(__file__).resolve().parent / "operators" / "delta_rule"

# Tokens, key heads, value heads, key size, value size, whether a state comes in.
CASES = {
    "one_token": (1, 1, 3, 8, 12, True),
    "grouped": (33, 2, 6, 16, 8, False),
    "two_chunks": (70, 1, 2, 24, 16, True),
}


def make() -> None:
    torch.set_num_threads(1)
    tensors = {}
    for seed, (name, (tokens, key_heads, value_heads, key_size, value_size, with_state)) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(9000 + seed)
        inputs = {
            "query": torch.randn((1, tokens, key_heads, key_size), generator=generator),
            "key": torch.randn((1, tokens, key_heads, key_size), generator=generator),
            "value": torch.randn((1, tokens, value_heads, value_size), generator=generator),
            "decay": -torch.rand((1, tokens, value_heads), generator=generator),
            "beta": torch.rand((1, tokens, value_heads), generator=generator),
        }
        if with_state:
            inputs["initial_state"] = torch.randn((1, value_heads, key_size, value_size), generator=generator)
        common = dict(
            g=inputs["decay"],
            beta=inputs["beta"],
            initial_state=inputs.get("initial_state"),
            output_final_state=True,
            use_qk_l2norm_in_kernel=True,
        )
        outputs = {}
        for form, function in (("chunk", torch_chunk_gated_delta_rule), ("recurrent", torch_recurrent_gated_delta_rule)):
            output, state = function(inputs["query"], inputs["key"], inputs["value"], **common)
            outputs |= {f"output_{form}": output, f"state_{form}": state}
        tensors |= {f"{name}.{key}": tensor[0].float().contiguous() for key, tensor in (inputs | outputs).items()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file(tensors, FOLDER / "golden.safetensors")


if __name__ == "__main__":
    make()
