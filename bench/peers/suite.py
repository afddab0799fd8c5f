"""What is measured: jobs, each one model with its tests and the peers that can run it, and the order of turns."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Test:
    kind: str  # "prefill" or "decode"
    tokens: int
    depth: int = 0

    def label(self):
        return f"{self.kind} {self.tokens}" + (f" at {self.depth}" if self.depth else "")


@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    shape: str  # of `inkstone synth --like`
    types: str  # of the GGUF file
    tests: tuple
    peers: tuple  # (peer, export), where export is the type of the peer's own file, or "" for the same GGUF
    layers: int = 0  # 0: all
    taken_core: bool = False  # another process keeps one core busy
    flags: dict = dataclasses.field(default_factory=dict)  # peer: list of flags to choose the best of

    def context(self):
        return max(test.depth + test.tokens for test in self.tests) + 64


LLAMA_FLAGS = [{"repack": repack, "fa": fa} for repack in (1, 0) for fa in (0, 1)]
OPENVINO_FLAGS = [{"attention": "PA"}, {"attention": "SDPA"}]
BEST_OF = {"llama.cpp": LLAMA_FLAGS, "openvino": OPENVINO_FLAGS}

SHORT = (Test("prefill", 512), Test("decode", 64))


def short(shape, types, *exports):
    peers = (("llama.cpp", ""), *exports)
    return Job(f"{shape} {types}", f"Qwen3-{shape}", types, SHORT, peers, flags=BEST_OF)


def jobs():
    fours = (("openvino", "int4"), ("onnxruntime", "int4"))
    listed = []
    for shape in ("0.6B", "1.7B"):
        listed += [short(shape, "Q4_K_M", *fours), short(shape, "Q4_0"), short(shape, "Q8_0", ("openvino", "int8"))]
    # Filling a context of thousands takes minutes, so only what a short context does not decide is tried here.
    deep = {"llama.cpp": [{"repack": 1, "fa": 0}, {"repack": 1, "fa": 1}]}
    llama = (("llama.cpp", ""),)
    listed.append(Job("0.6B deep", "Qwen3-0.6B", "Q4_K_M", (Test("decode", 32, 4096), Test("decode", 32, 8192)), llama,
                      flags=deep))
    listed.append(Job("0.6B long prompt", "Qwen3-0.6B", "Q4_K_M", (Test("prefill", 512), Test("prefill", 8192)), llama,
                      flags=deep))
    listed.append(Job("30B-A3B, 4 layers", "Qwen3-30B-A3B", "Q4_K_M", SHORT, llama, layers=4, flags=BEST_OF))
    listed.append(Job("0.6B, one core taken", "Qwen3-0.6B", "Q4_K_M", (Test("decode", 16),), (("llama.cpp", ""), *fours),
                      taken_core=True))
    listed.append(Job("0.6B reference", "Qwen3-0.6B", "Q8_0", (Test("prefill", 128), Test("decode", 8)),
                      (("transformers", "bf16"),)))
    return listed


def turns(tests, engines, rounds):
    """(test, round, engine) in the order of measuring. In every round each engine has one turn, and every second round
    goes backwards, so that a machine that grows slower or faster favours nobody. `tests` stay in order: a context that
    has been read serves all rounds."""
    for test in tests:
        for number in range(rounds):
            for engine in engines if number % 2 == 0 else reversed(engines):
                yield test, number, engine
