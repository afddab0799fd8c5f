"""Makes everything in this folder but itself: python make.py [models] [quantized] [gguf] [quants] [tokenizer] [chat] [retrieval]

The small golden set that travels with the source: tiny seeded models and texts of our own, and the numbers that
the reference implementation computes from them. Same layout as the large set, other seeds, shapes and texts.
Made with transformers 5.23.0, torch 2.15.0, tokenizers 0.23.3, gguf 0.19.0, safetensors 0.8.0, Jinja2 3.1.6;
make_retrieval.py names its own versions.
The chat templates (*.jinja) are the published ones of the models they are named after (Apache-2.0); they are
inputs and are not remade.
"""

import importlib
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


MAKERS = {
    "models": ("make_models", "make"),
    "quantized": ("make_quantized", "make"),
    "tokenizer": ("make_tokenizer", "make"),
    "gguf": ("make_gguf", "make_models"),
    "quants": ("make_gguf", "make_quants"),
    "chat": ("make_chat", "make"),
    "retrieval": ("make_retrieval", "make"),
    "delta_rule": ("make_delta_rule", "make"),
}


def main() -> None:
    for name in sys.argv[1:] or MAKERS:
        module, function = MAKERS[name]
        getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    main()
