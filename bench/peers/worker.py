"""What the workers share. A worker is one peer in a process of its own: it holds a model and answers each line on stdin,
a JSON request, with one JSON line on stdout, so that the measuring side can let the engines take turns.

Requests: {"test": "prefill" | "decode", "tokens": N, "depth": D, "flags": {…}} → {"tokens_per_second": X};
{"test": "about"} → {"versions": {…}, "details": "…"}. With --first instead of requests, a worker loads the model, reads 16
tokens, writes one, and says how long that took (imports left out) and how much memory it needed above its imports.
"""

import argparse
import json
import os
import random
import resource
import sys
import time

FIRST_PROMPT = 16


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--first", action="store_true")
    return parser.parse_args()


def random_ids(count, vocabulary, generator=random.Random(1)):
    """Ids of ordinary tokens; the same in every worker."""
    return [generator.randrange(256, min(vocabulary, 150_000)) for _ in range(count)]


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(make_engine):
    """make_engine(arguments) gives an object with about() and measure(test, tokens, depth, flags) → tokens a second,
    and, for --first, first(prompt tokens)."""
    arguments = read_arguments()
    answers = os.fdopen(os.dup(1), "w", buffering=1)  # what libraries print must not come between
    os.dup2(2, 1)
    if arguments.first:
        before, start = peak_bytes(), time.perf_counter()
        make_engine(arguments).first(FIRST_PROMPT)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "memory_bytes": peak_bytes() - before}), file=answers)
        return
    engine = make_engine(arguments)
    for line in sys.stdin:
        request = json.loads(line)
        if request["test"] == "about":
            answer = engine.about()
        else:
            answer = {"tokens_per_second": engine.measure(request["test"], request["tokens"], request["depth"],
                                                          request.get("flags", {}))}
        print(json.dumps(answer), file=answers)
