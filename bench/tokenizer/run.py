"""Tokenizing mixed Chinese and English: ours beside Hugging Face `tokenizers`, one thread each.

usage: run.py TOKENIZER_BENCH TOKENIZER_JSON CASES_JSONL [--megabytes 10] [--rounds 3] [--json OUT]

Needs `pip install tokenizers`. Both run in turns (A B A B ...) and are timed in processor seconds, best of
the rounds, so that other load on the machine touches both alike. Of the reference the fastest of its
ways to encode counts: encode, encode_batch and encode_batch_fast (which leaves out offsets). The ids of both
must be equal. Repeated characters show that no input is slow.
"""

import argparse
import array
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers  # noqa: E402  (reads the environment)

from make_text import SEPARATOR, make_text  # noqa: E402


def timed(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


class Reference:
    def __init__(self, path):
        self.path = path
        self.tokenizer = tokenizers.Tokenizer.from_file(path)

    def round(self, text):
        """Seconds of each way to encode the whole text and its documents, and the ids of the whole."""
        one, documents = self.tokenizer, text.split(SEPARATOR)
        seconds = {"load": timed(lambda: tokenizers.Tokenizer.from_file(self.path))[0]}
        seconds["whole encode"], encoding = timed(lambda: one.encode(text))
        seconds["whole encode_batch_fast"], _ = timed(lambda: one.encode_batch_fast([text]))
        seconds["documents encode_batch"], _ = timed(lambda: one.encode_batch(documents))
        seconds["documents encode_batch_fast"], _ = timed(lambda: one.encode_batch_fast(documents))
        return seconds, encoding.ids

    def seconds(self, text):
        return timed(lambda: self.tokenizer.encode_batch_fast([text]))[0]


class Ours:
    def __init__(self, program, path, folder):
        self.program, self.path = program, path
        self.text, self.ids = os.path.join(folder, "text"), os.path.join(folder, "ids")

    def measure(self, text, rounds):
        with open(self.text, "w", encoding="utf-8", newline="") as handle:
            handle.write(text)
        command = [self.program, self.path, self.text, str(rounds), self.ids]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def round(self, text):
        measured = self.measure(text, 3)
        ids = array.array("i")
        with open(self.ids, "rb") as handle:
            ids.frombytes(handle.read())
        return measured, ids.tolist()


def best(rounds, name):
    return min(one[name] for one in rounds)


def compare(ours, reference, text, rounds):
    measured, theirs = [], []
    for number in range(rounds):
        one, ids = ours.round(text)
        seconds, reference_ids = reference.round(text)
        if ids != reference_ids:
            sys.exit("the ids differ")
        measured.append(one)
        theirs.append(seconds)
        print(f"round {number + 1}: ours {one['whole_s']:.3f} s, theirs {seconds['whole encode']:.3f} s")
    megabytes = len(text.encode()) / 1e6
    report = {"bytes": len(text.encode()), "ids": measured[0]["ids"], "ids_equal": True}
    for shape, key in (("whole", "whole_s"), ("documents", "documents_s")):
        ways = {name: best(theirs, name) for name in theirs[0] if name.startswith(shape)}
        fastest = min(ways, key=ways.get)
        report[shape] = {
            "ours_mb_per_s": megabytes / best(measured, key),
            "theirs_mb_per_s": {name: megabytes / seconds for name, seconds in ways.items()},
            "ratio_to_their_fastest": ways[fastest] / best(measured, key),
        }
    report["load_ms"] = {"ours": 1e3 * best(measured, "load_s"), "theirs": 1e3 * best(theirs, "load")}
    report["resident_added_mib"] = measured[0]["resident_added_kib"] / 1024
    report["decode_mb_per_s"] = megabytes / best(measured, "decode_s")
    return report


def repeated_characters(ours, reference):
    rows = []
    for unit in ("a", " ", "啊", "!", "\n"):
        row = {"unit": unit}
        for size in (100_000, 1_000_000):
            text = unit * (size // len(unit.encode()))
            row[f"ours_ns_per_byte_{size}"] = 1e9 * ours.measure(text, 3)["whole_s"] / size
            row[f"theirs_ns_per_byte_{size}"] = 1e9 * reference.seconds(text) / size
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("tokenizer_json")
    parser.add_argument("cases_jsonl")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    text = make_text(arguments.tokenizer_json, arguments.cases_jsonl, arguments.megabytes * 1e6)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.tokenizer_json
        if path.endswith(".gz"):
            path = os.path.join(folder, "tokenizer.json")
            with gzip.open(arguments.tokenizer_json) as packed, open(path, "wb") as handle:
                handle.write(packed.read())
        ours, reference = Ours(arguments.program, path, folder), Reference(path)
        report = {"tokenizers_version": tokenizers.__version__}
        report.update(compare(ours, reference, text, arguments.rounds))
        report["repeated"] = repeated_characters(ours, reference)
    print(json.dumps(report, indent=1, ensure_ascii=False))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as handle:
            json.dump(report, handle, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
