#!/usr/bin/env python3
"""Many clients at once, some of which go away in the middle: every stream is the one the same request gives alone, nothing
fails, and the server does not grow.

usage: soak_test.py [--seconds 20] [--clients 32] [--vanish 0.1]      INKSTONE_BIN names the program

The long run is `soak_test.py --seconds 600`; the short one is part of the tests.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("INKSTONE_BIN", str(ROOT / "build/release/bin/inkstone"))
SENTENCES = ["把客厅的灯调暗一点", "开卧室的灯", "turn off the kitchen light", "set a timer for ten minutes", "熄咗廚房盞燈",
             "明天早上七点叫我起床", "make it warmer in the bedroom", "暂停音乐", "what time is it", "冷氣開大啲",
             "turn everything off", "十五分钟后提醒我关火"]
TOOLS = [{"type": "function", "function": {"name": "set_light", "parameters": {"type": "object", "properties": {
    "room": {"type": "string"}, "on": {"type": "boolean"}}, "required": ["room"]}}}]


class Failures:
    def __init__(self):
        self.lock, self.texts = threading.Lock(), []

    def add(self, text):
        with self.lock:
            self.texts.append(text)


def bodies():
    """Requests of several kinds: long and short, with and without tools, with a shared beginning."""
    beginning = "You answer briefly. " * 12
    for number, sentence in enumerate(SENTENCES):
        messages = [{"role": "system", "content": beginning}] if number % 2 else []
        messages.append({"role": "user", "content": sentence})
        body = {"messages": messages, "stream": True, "temperature": 0, "max_tokens": 8 + number * 4}
        if number % 3 == 0:
            body["tools"] = TOOLS
        yield body


def stream(port, body, leave_after=None):
    """The parts of the answer that count, or None after leaving early."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        if reply.status != 200:
            raise RuntimeError(f"status {reply.status}: {reply.read(500)!r}")
        parts, events, ended = {"content": "", "reasoning": "", "calls": "", "finish": None}, 0, False
        for line in reply:
            if not line.startswith(b"data: "):
                continue
            events += 1
            if leave_after is not None and events > leave_after:
                return None
            if line.strip() == b"data: [DONE]":
                ended = True
                continue
            for choice in json.loads(line[6:])["choices"]:
                delta = choice["delta"]
                parts["content"] += delta.get("content") or ""
                parts["reasoning"] += delta.get("reasoning_content") or ""
                for call in delta.get("tool_calls", []):
                    parts["calls"] += call["function"].get("name", "") + call["function"].get("arguments", "")
                parts["finish"] = choice["finish_reason"] or parts["finish"]
        if not ended:
            raise RuntimeError("the stream ended without [DONE]")
        return parts
    finally:
        connection.close()


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the server has gone")


class Client(threading.Thread):
    def __init__(self, number, port, expected, vanish, until, failures):
        super().__init__(daemon=True)
        self.chooser, self.port, self.expected = random.Random(number), port, expected
        self.vanish, self.until, self.failures = vanish, until, failures
        self.whole = self.left = 0

    def run(self):
        while time.monotonic() < self.until:
            body, wanted = self.chooser.choice(self.expected)
            leave_after = self.chooser.randrange(6) if self.chooser.random() < self.vanish else None
            try:
                parts = stream(self.port, body, leave_after)
            except Exception as error:  # whatever goes wrong is a failure of the server
                self.failures.add(f"{body['messages'][-1]['content']}: {error!r}")
                return
            if parts is None:
                self.left += 1
            elif parts != wanted:
                self.failures.add(f"{body['messages'][-1]['content']}: {parts} instead of {wanted}")
                return
            else:
                self.whole += 1


def watch_memory(pid, until, seconds):
    """Resident bytes over time, from a quarter of the run on: by then all that is kept is in use."""
    sizes, start = [], time.monotonic()
    while time.monotonic() < until:
        time.sleep(min(1.0, seconds / 40))
        if time.monotonic() - start > seconds / 4:
            sizes.append(resident_bytes(pid))
    return sizes


def growth(sizes):
    third = max(1, len(sizes) // 3)
    return sum(sizes[-third:]) / third / (sum(sizes[:third]) / third) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--vanish", type=float, default=0.1, help="share of the requests whose client goes away")
    parser.add_argument("--growth", type=float, default=0.02, help="of the resident memory that is allowed")
    arguments = parser.parse_args()
    server = subprocess.Popen([PROGRAM, "serve", "--port", "0", "-np", "8"], stdout=subprocess.PIPE, text=True)
    failures = Failures()
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        expected = [(body, stream(port, body)) for body in bodies()]
        until = time.monotonic() + arguments.seconds
        clients = [Client(number, port, expected, arguments.vanish, until, failures) for number in range(arguments.clients)]
        for client in clients:
            client.start()
        sizes = watch_memory(server.pid, until, arguments.seconds)
        for client in clients:
            client.join(300)
            if client.is_alive():
                failures.add("a client still waits")
        again = [stream(port, body) for body, _ in expected]
        if again != [wanted for _, wanted in expected]:
            failures.add("afterwards the same requests have other answers")
    finally:
        server.terminate()
        code = server.wait(60)
    if code != 0:
        failures.add(f"the server ended with {code}")
    grown = growth(sizes)
    if grown > arguments.growth:
        failures.add(f"the server grew by {100 * grown:.1f} %")
    print(f"{sum(c.whole for c in clients)} whole streams, {sum(c.left for c in clients)} left by their clients, "
          f"{sizes[-1] / 2**20:.0f} MiB at the end, {100 * grown:+.2f} %")
    for text in failures.texts[:10]:
        print(text, file=sys.stderr)
    return 1 if failures.texts else 0


if __name__ == "__main__":
    sys.exit(main())
