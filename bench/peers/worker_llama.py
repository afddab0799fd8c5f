"""llama.cpp as llama-cpp-python builds it, through its C interface, as llama-bench uses it: prompts in batches of 2,048
(steps of 512), no sampling. flags: "repack" and "fa", each 0 or 1."""

import time

import llama_cpp
from llama_cpp import llama_cpp as api

import worker

BATCH = 2048


class Llama:
    def __init__(self, arguments):
        self.arguments = arguments
        self.models = {}
        self.contexts = {}  # by flags: the context and how many tokens it holds
        api.llama_backend_init()

    def model(self, repack):
        if repack not in self.models:
            parameters = api.llama_model_default_params()
            parameters.n_gpu_layers = 0
            parameters.use_extra_bufts = bool(repack)
            self.models[repack] = api.llama_model_load_from_file(self.arguments.model.encode(), parameters)
            if not self.models[repack]:
                raise SystemExit(f"llama.cpp cannot load {self.arguments.model}")
        return self.models[repack]

    def context(self, flags):
        key = (flags.get("repack", 1), flags.get("fa", 1))
        if key not in self.contexts:
            parameters = api.llama_context_default_params()
            parameters.n_ctx = self.arguments.context
            parameters.n_batch = min(BATCH, self.arguments.context)
            parameters.n_threads = parameters.n_threads_batch = self.arguments.threads
            parameters.flash_attn_type = key[1]
            context = api.llama_init_from_model(self.model(key[0]), parameters)
            if not context:
                raise SystemExit("llama.cpp gives no context")
            self.contexts[key] = [context, 0]
        return self.contexts[key]

    def feed(self, held, ids):
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            array = (api.llama_token * len(part))(*part)
            if api.llama_decode(held[0], api.llama_batch_get_one(array, len(part))) != 0:
                raise SystemExit("llama_decode failed")
        api.llama_synchronize(held[0])
        held[1] += len(ids)

    def ids(self, count):
        return worker.random_ids(count, api.llama_vocab_n_tokens(api.llama_model_get_vocab(self.model_in_use)))

    def measure(self, test, tokens, depth, flags):
        held = self.context(flags)
        self.model_in_use = self.model(flags.get("repack", 1))
        if held[1] > depth:
            api.llama_memory_seq_rm(api.llama_get_memory(held[0]), 0, depth, -1)
            held[1] = depth
        self.feed(held, self.ids(depth - held[1]))
        pieces = [self.ids(tokens)] if test == "prefill" else [[one] for one in self.ids(tokens)]
        start = time.perf_counter()
        for piece in pieces:
            self.feed(held, piece)
        return tokens / (time.perf_counter() - start)

    def first(self, prompt):
        self.model_in_use = self.model(1)
        held = self.context({})
        self.feed(held, self.ids(prompt))

    def about(self):
        return {"versions": {"llama-cpp-python": llama_cpp.__version__},
                "details": api.llama_print_system_info().decode()}


worker.serve(Llama)
