"""OpenVINO GenAI with the model that optimum-intel exported. flags: "attention": "PA" or "SDPA"."""

import time

import numpy
import openvino
import openvino_genai

import worker

VOCABULARY = 150_000


class OpenVino:
    def __init__(self, arguments):
        self.arguments = arguments
        self.pipelines = {}

    def pipeline(self, flags):
        attention = flags.get("attention", "PA")
        if attention not in self.pipelines:
            self.pipelines.clear()  # one at a time: each holds the weights
            self.pipelines[attention] = openvino_genai.LLMPipeline(
                self.arguments.model, "CPU", INFERENCE_NUM_THREADS=self.arguments.threads, ATTENTION_BACKEND=attention)
        return self.pipelines[attention]

    def generate(self, pipeline, prompt, new_tokens):
        ids = numpy.array([worker.random_ids(prompt, VOCABULARY)], dtype=numpy.int64)
        inputs = openvino_genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(numpy.ones_like(ids)))
        config = openvino_genai.GenerationConfig(max_new_tokens=new_tokens, ignore_eos=True, do_sample=False)
        return pipeline.generate(inputs, config)

    def measure(self, test, tokens, depth, flags):
        pipeline = self.pipeline(flags)
        if test == "prefill":
            if depth > 0:
                raise SystemExit("prefill behind a context is not measured for OpenVINO")
            start = time.perf_counter()
            self.generate(pipeline, tokens, 1)
            return tokens / (time.perf_counter() - start)
        result = self.generate(pipeline, max(1, depth), tokens + 1)
        return 1000 / result.perf_metrics.get_tpot().mean

    def first(self, prompt):
        self.generate(self.pipeline({}), prompt, 1)

    def about(self):
        return {"versions": {"openvino": openvino.__version__.split("-")[0],
                             "openvino-genai": openvino_genai.__version__.split("-")[0]}, "details": ""}


worker.serve(OpenVino)
