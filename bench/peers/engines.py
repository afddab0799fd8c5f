"""The engines as the measuring side sees them: a process each, which measures only when it is asked to."""

import json
import os
import pathlib
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
FIRST_PROMPT = "The quick brown "  # 16 tokens with the synthetic vocabulary, as the workers read


class Failed(Exception):
    pass


class Lines:
    """A process that answers lines with lines."""

    def __init__(self, command, log):
        self.name = command[0]
        self.log = open(log, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed(f"{self.name} ended with {self.process.wait()}; {self.log.name} has what it said")
        return json.loads(answer)

    def close(self):
        """Ends the process; gives what it still had to say."""
        self.process.stdin.close()
        rest = self.process.stdout.read()
        self.process.wait()
        self.log.close()
        return rest


class Ours:
    name = "inkstone"

    def __init__(self, program, model, tests, threads, log):
        depths = sorted({test.depth for test in tests})
        prompts = sorted({test.tokens for test in tests if test.kind == "prefill"}) or [0]
        answers = {test.tokens for test in tests if test.kind == "decode"} or {0}
        if len(answers) > 1:
            raise ValueError("answers of one length in a job")
        self.order = [(kind, tokens, depth) for depth in depths for kind, tokens in
                      [("prefill", tokens) for tokens in prompts] + [("decode", tokens) for tokens in answers] if tokens]
        if self.order != [(test.kind, test.tokens, test.depth) for test in tests]:
            raise ValueError(f"tests must be in the program's order: {self.order}")
        self.command = [program, "bench", "-m", str(model), "-t", str(threads), "-d", ",".join(map(str, depths)),
                        "-p", ",".join(map(str, prompts)), "-n", str(*answers), "--turns", "--json"]
        self.log = log
        self.lines = None
        self.report = None

    def start(self, rounds):
        self.lines = Lines([*self.command, "-r", str(rounds)], self.log)

    def measure(self, test, flags):
        answer = self.lines.ask("")
        if (answer["test"], answer["tokens"], answer["depth"]) != (test.kind, test.tokens, test.depth):
            raise Failed(f"asked for {test}, measured {answer}")
        return answer["tokens_per_second"]

    def close(self):
        if self.lines is not None:
            rest = self.lines.close()
            self.report = json.loads(rest.splitlines()[-1]) if rest.strip() else None


class Peer:
    def __init__(self, name, python, model, context, threads, log):
        self.name = name
        worker = HERE / f"worker_{name.replace('.cpp', '')}.py"
        self.command = [str(python), str(worker), str(model), "--threads", str(threads), "--context", str(context)]
        self.log = log
        self.lines = None

    def start(self, rounds):
        self.lines = Lines(self.command, self.log)

    def about(self):
        return self.lines.ask(json.dumps({"test": "about"}))

    def measure(self, test, flags):
        request = {"test": test.kind, "tokens": test.tokens, "depth": test.depth, "flags": flags}
        return self.lines.ask(json.dumps(request))["tokens_per_second"]

    def close(self):
        if self.lines is not None:
            self.lines.close()


def first_token_of_ours(program, model, threads):
    """Seconds from the start of the process to the first byte of its answer, and the most memory it held."""
    command = [program, "run", "-m", str(model), "-t", str(threads), "--no-chat", "-n", "1", "--temp", "0", FIRST_PROMPT]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.read(process.stdout.fileno(), 1)
    seconds = time.perf_counter() - start
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    process.stdout.close()
    if status != 0:
        raise Failed(f"{' '.join(command)} ended with status {status}")
    return {"seconds": seconds, "memory_bytes": usage.ru_maxrss * 1024}


def first_token_of(peer):
    """The same of a worker, without Python's and the libraries' imports."""
    result = subprocess.run([*peer.command, "--first"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(result.stdout)


class TakenCore:
    """A process of ordinary priority that keeps the last core busy while it lives."""

    def __enter__(self):
        core = max(os.sched_getaffinity(0))
        self.process = subprocess.Popen(["taskset", "-c", str(core), "sh", "-c", "while :; do :; done"])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
