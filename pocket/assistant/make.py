#!/usr/bin/env python3
"""Remakes assistant.gguf with one command: vocabulary, training, GGUF, held-out measurement.

    python3 -m venv build/venv && build/venv/bin/pip install -r pocket/assistant/requirements.txt
    build/venv/bin/python pocket/assistant/make.py

Uses a GPU where PyTorch finds one (the published run took 8.2 minutes on one, see CARD.md), else all processor cores,
for days. Needs nothing outside this repository; everything on the way lies in --work (ignored by git). Seeded, but the
weights differ with the machine and with the number of processes that make sentences. --steps is the length of the
published run; --resume goes on after an interruption. The matrices are rounded by the program of this repository.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def run(script, *arguments):
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    print("+", " ".join(command), flush=True)
    subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "pocket")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "assistant.gguf")
    parser.add_argument("--steps", type=int, default=11669)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--feeders", type=int, default=0, help="processes that make sentences (14 with a GPU)")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    more = ["--resume"] if options.resume else []
    run("train.py", "--work", options.work, "--steps", options.steps, "--workers", options.threads,
        "--feeders", options.feeders, "--rows", 256, *more)
    run("export.py", "--work", options.work, "--f32", "--out", options.work / "f32.gguf")
    options.out.unlink(missing_ok=True)
    quantize = [str(ROOT / "inkstone"), "quantize", str(options.work / "f32.gguf"), str(options.out), "Q8_0"]
    subprocess.run(quantize, check=True)
    run("generate.py", "--heldout", 1500, "--seed", 77, "--out", options.work / "heldout.jsonl")
    if (options.work / "heldout.jsonl").read_bytes() != (HERE / "heldout.jsonl").read_bytes():
        print("the grammar has changed since heldout.jsonl was committed: copy the new one over it")
    run("evaluate.py", "--model", options.out, "--set", options.work / "heldout.jsonl", "--threads", options.threads)


if __name__ == "__main__":
    main()
