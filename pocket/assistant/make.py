#!/usr/bin/env python3
"""Remakes assistant.gguf with one command: vocabulary, training, GGUF, held-out measurement.

    python3 -m venv build/venv && build/venv/bin/pip install -r pocket/assistant/requirements.txt
    build/venv/bin/python pocket/assistant/make.py

Needs no accelerator and nothing outside this folder. Everything on the way lies in --work (ignored by git).
Seeded: the sentences and their order are the same each time; the weights differ in low bits with the number of
threads and the processor. --steps is the length of the published run (see CARD.md); --resume goes on after an interruption.
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
    parser.add_argument("--steps", type=int, default=1740)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    more = ["--resume"] if options.resume else []
    run("train.py", "--work", options.work, "--steps", options.steps, "--workers", options.threads, *more)
    run("export.py", "--work", options.work, "--out", options.out)
    run("generate.py", "--heldout", 1500, "--seed", 77, "--out", options.work / "heldout.jsonl")
    if (options.work / "heldout.jsonl").read_bytes() != (HERE / "heldout.jsonl").read_bytes():
        print("the grammar has changed since heldout.jsonl was committed: copy the new one over it")
    run("evaluate.py", "--model", options.out, "--set", options.work / "heldout.jsonl", "--threads", options.threads)


if __name__ == "__main__":
    main()
