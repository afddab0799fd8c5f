"""The reference implementation, for the record: Hugging Face transformers on PyTorch, in the checkpoint's bfloat16."""

import time

import torch
import transformers

import worker

VOCABULARY = 150_000


class Transformers:
    def __init__(self, arguments):
        torch.set_num_threads(arguments.threads)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.bfloat16)
        self.model.eval()

    def step(self, count, past):
        ids = torch.tensor([worker.random_ids(count, VOCABULARY)])
        with torch.inference_mode():
            return self.model(ids, past_key_values=past, use_cache=True, logits_to_keep=1).past_key_values

    def measure(self, test, tokens, depth, flags):
        past = self.step(depth if test == "prefill" else max(1, depth), None) if depth > 0 or test == "decode" else None
        start = time.perf_counter()
        for _ in range(1 if test == "prefill" else tokens):
            past = self.step(tokens if test == "prefill" else 1, past)
        return tokens / (time.perf_counter() - start)

    def first(self, prompt):
        self.step(prompt, None)

    def about(self):
        return {"versions": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]},
                "details": ""}


worker.serve(Transformers)
