"""onnxruntime-genai with the model that its own builder made."""

import json
import time

import numpy
import onnxruntime
import onnxruntime_genai

import worker

VOCABULARY = 150_000


class OnnxRuntime:
    def __init__(self, arguments):
        self.arguments = arguments
        config = onnxruntime_genai.Config(arguments.model)
        options = {"intra_op_num_threads": arguments.threads}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        self.model = onnxruntime_genai.Model(config)

    def generator(self):
        parameters = onnxruntime_genai.GeneratorParams(self.model)
        length = self.arguments.context
        parameters.set_search_options(max_length=length, min_length=length, do_sample=False)
        return onnxruntime_genai.Generator(self.model, parameters)

    def measure(self, test, tokens, depth, flags):
        generator = self.generator()
        before = depth if test == "prefill" else max(1, depth)
        if before > 0:
            generator.append_tokens(numpy.array([worker.random_ids(before, VOCABULARY)], dtype=numpy.int32))
        if test == "prefill":
            ids = numpy.array([worker.random_ids(tokens, VOCABULARY)], dtype=numpy.int32)
            start = time.perf_counter()
            generator.append_tokens(ids)
            return tokens / (time.perf_counter() - start)
        generator.generate_next_token()  # takes the logits of the prompt
        start = time.perf_counter()
        for _ in range(tokens):
            generator.generate_next_token()
        return tokens / (time.perf_counter() - start)

    def first(self, prompt):
        generator = self.generator()
        generator.append_tokens(numpy.array([worker.random_ids(prompt, VOCABULARY)], dtype=numpy.int32))
        generator.generate_next_token()

    def about(self):
        return {"versions": {"onnxruntime": onnxruntime.__version__,
                             "onnxruntime-genai": onnxruntime_genai.__version__}, "details": ""}


worker.serve(OnnxRuntime)
