#!/usr/bin/env python3
"""Inkstone's server beside one of llama.cpp: the same file, the same threads, the same requests, in turns.

usage: run.py [-m MODEL] [--rounds 5] [--streams 8] [--threads N] [--prefix 2000] [--only NAME] [--json FILE]

Measures how many tokens per second come out while --streams clients are answered at once, and how long the first token
takes behind a prompt of --prefix tokens: cold, and when another request has brought the same beginning before. Without
-m a model of the shape of Qwen3-0.6B with random weights is made (Q4_K_M). The peer is llama.cpp's own server, installed
into build/serve/venv at the first call (requirements.txt); it is built for AVX2, and LLAMA_SERVER names a `llama-server`
that is measured in its place.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/serve"
PROGRAM = pathlib.Path(os.environ.get("INKSTONE_BIN", ROOT / "build/release/bin/inkstone"))
WORDS = "time person year way day thing man world life hand part child eye woman place work week case point".split()


def peer_python():
    venv = FOLDER / "venv"
    if not (venv / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "-r", pathlib.Path(__file__).with_name("requirements.txt")], check=True)
        (venv / ".installed").touch()
    return venv / "bin/python"


def make_model():
    path = FOLDER / "Qwen3-0.6B-Q4_K_M.gguf"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([PROGRAM, "synth", "--like", "Qwen3-0.6B", "--type", "Q4_K_M", "-o", path], check=True)
    return path


class Server:
    def __init__(self, name, command, log):
        self.name = name
        self.log = open(log, "wb")
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.address = None

    def post(self, path, body):
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as reply:
            return json.load(reply)

    def complete(self, prompt, tokens):
        return self.post("/v1/completions", {"prompt": prompt, "max_tokens": tokens, "temperature": 0})

    def wait(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(self.address + "/v1/models", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{self.name} ended; {self.log.name} has what it said")
                time.sleep(0.2)
        raise SystemExit(f"{self.name} did not start")

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def start_ours(arguments):
    server = Server("inkstone", [PROGRAM, "serve", "-m", arguments.model, "--port", "0", "-t", arguments.threads,
                                 "-np", arguments.streams, "-c", arguments.context], FOLDER / "inkstone.log")
    server.address = server.process.stdout.readline().split()[-1]
    server.wait()
    return server


def start_peer(arguments):
    port = 20_000 + os.getpid() % 20_000
    if "LLAMA_SERVER" in os.environ:
        command = [os.environ["LLAMA_SERVER"], "-m", arguments.model, "--port", port, "-t", arguments.threads,
                   "-np", arguments.streams, "-c", arguments.context * arguments.streams]
    else:
        command = [peer_python(), pathlib.Path(__file__).with_name("llama_server.py"), arguments.model, port,
                   arguments.threads, arguments.streams, arguments.context]
    server = Server("llama.cpp", command, FOLDER / "llama.log")
    server.process.stdout.close()
    server.address = f"http://127.0.0.1:{port}"
    server.wait()
    return server


def text_of(words, seed):
    chooser = random.Random(seed)
    return " ".join(chooser.choice(WORDS) for _ in range(words))


def throughput(server, streams, tokens, seed):
    """Answer tokens per second of all streams together, prompts of about a hundred tokens included in the time."""
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(streams) as pool:
        replies = list(pool.map(lambda i: server.complete(text_of(20, f"{seed} {i}"), tokens), range(streams)))
    seconds = time.monotonic() - start
    return sum(reply["usage"]["completion_tokens"] for reply in replies) / seconds


def first_token(server, prefix, seed):
    """Seconds to the first token of a prompt that is new, and of one that begins like it."""
    beginning = text_of(8, seed)
    per_word = server.complete(beginning, 1)["usage"]["prompt_tokens"] / 8
    beginning = text_of(int(prefix / per_word), seed + " long")
    times = []
    for end in (" first question", " another one"):
        start = time.monotonic()
        reply = server.complete(beginning + end, 1)
        times.append(time.monotonic() - start)
    return {"prompt_tokens": reply["usage"]["prompt_tokens"], "cold_s": times[0], "shared_s": times[1]}


def read_command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--context", type=int, default=4096, help="of each stream")
    parser.add_argument("--prefix", type=int, default=2000, help="tokens of the shared beginning; 0: leave that out")
    parser.add_argument("--only", choices=("inkstone", "llama.cpp"))
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = read_command_line()
    FOLDER.mkdir(parents=True, exist_ok=True)
    arguments.model = arguments.model or make_model()
    servers = []
    if arguments.only != "llama.cpp":
        servers.append(start_ours(arguments))
    if arguments.only != "inkstone":
        servers.append(start_peer(arguments))
    results = {server.name: {"tokens_per_second": [], "first_token": []} for server in servers}
    try:
        for number in range(arguments.rounds):
            for server in servers if number % 2 == 0 else reversed(servers):
                speed = throughput(server, arguments.streams, arguments.tokens, f"round {number}")
                results[server.name]["tokens_per_second"].append(speed)
                print(f"round {number + 1}: {server.name}: {speed:.1f} tokens/s", file=sys.stderr, flush=True)
                if arguments.prefix and number < 3:
                    first = first_token(server, arguments.prefix, f"round {number}")
                    results[server.name]["first_token"].append(first)
                    print(f"round {number + 1}: {server.name}: {first}", file=sys.stderr, flush=True)
    finally:
        for server in servers:
            server.close()
    medians = {name: statistics.median(result["tokens_per_second"]) for name, result in results.items()}
    for name, result in results.items():
        print(f"{name}: {medians[name]:.1f} tokens/s with {arguments.streams} streams", end="")
        if result["first_token"]:
            shares = [one["shared_s"] / one["cold_s"] for one in result["first_token"]]
            print(f"; first token behind a shared beginning: {100 * statistics.median(shares):.1f} % of the cold time", end="")
        print()
    if len(medians) == 2:
        print(f"ratio: {medians['inkstone'] / medians['llama.cpp']:.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
