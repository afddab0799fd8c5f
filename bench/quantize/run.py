"""What smaller files cost: ours beside llama.cpp's quantizer, from the same weights, measured by `inkstone compare`.

usage: run.py INKSTONE SOURCE.gguf TEXT [--types Q4_K_M,Q4_0,...] [--special] [--chunks N] [--json OUT]

SOURCE has F32, F16 or BF16 weights. Needs `pip install llama-cpp-python` for the peer; without it only our files are
measured. No importance matrix on either side, so that only the quantizers and the recipes are compared.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

PEER_TYPES = {"Q4_0": 2, "Q8_0": 7, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25,
              "IQ4_XS": 30}


def find_peer():
    try:
        import llama_cpp
    except ImportError:
        return None
    return llama_cpp


def quantize_with_peer(peer, source, path, name):
    parameters = peer.llama_model_quantize_default_params()
    parameters.ftype = PEER_TYPES[name]
    quiet = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(2)
    os.dup2(quiet, 2)  # it prints a line for each tensor
    try:
        failed = peer.llama_model_quantize(os.fsencode(source), os.fsencode(path), parameters)
    finally:
        os.dup2(kept, 2)
    if failed:
        raise SystemExit(f"the peer could not make {name}")


class Measurement:
    def __init__(self, options):
        self.options = options

    def run(self, *arguments):
        return subprocess.run([self.options.inkstone, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout

    def compare(self, who, name, path):
        flags = ["--special"] if self.options.special else []
        flags += ["--chunks", self.options.chunks] if self.options.chunks else []
        measured = json.loads(self.run("compare", self.options.source, path, "-f", self.options.text, "--json", *flags))
        row = {"type": name, "by": who, "bytes": path.stat().st_size, **measured["kl_divergence"],
               "same_top": measured["same_top"], "perplexity": measured["perplexity"]}
        print(f"{name:8} {who:10} {row['bytes']:12,} {row['mean']:9.5f} +- {row['error']:.5f} {row['median']:9.5f} "
              f"{row['p99']:8.4f} {100 * row['same_top']:7.2f} %", flush=True)
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inkstone")
    parser.add_argument("source")
    parser.add_argument("text")
    parser.add_argument("--types", default="Q4_0,IQ4_XS,Q4_K_S,Q4_K_M,Q5_K_S,Q5_K_M,Q6_K")
    parser.add_argument("--special", action="store_true")
    parser.add_argument("--chunks", type=int)
    parser.add_argument("--json")
    options = parser.parse_args()
    peer = find_peer()
    measurement = Measurement(options)
    print(f"peer: {'llama-cpp-python ' + peer.__version__ if peer else 'not installed'}")
    print(f"{'type':8} {'by':10} {'bytes':>12} {'KL mean':>9}    {'error':7} {'median':>9} {'99 %':>8} {'same top':>9}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.gguf"
        for name in options.types.split(","):
            if peer:
                quantize_with_peer(peer, options.source, path, name)
                rows.append(measurement.compare("llama.cpp", name, path))
            measurement.run("quantize", options.source, path, name)
            rows.append(measurement.compare("inkstone", name, path))
    if options.json:
        result = {"peer": peer.__version__ if peer else None, "rows": rows}
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
