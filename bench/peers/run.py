#!/usr/bin/env python3
"""Inkstone beside its peers: the same work, on the same machine, in turns.

usage: run.py [JOB …] [--rounds 5] [--threads N] [--list] [--report] [--readme]

The first call installs the peers (requirements.txt) from PyPI into build/peers/venv, compiling llama.cpp for this
processor, and makes models of true shapes with random weights; that takes a long time and about 20 GB. Then each job is
measured: every engine is a process that holds the model and waits for its turn (A B A B …); of a peer's flags the best are
found first, test by test, and kept. Results gather in build/peers/results.json, one record for each job, so that jobs can
be measured one by one; a table and a plot are made of all that is there. --readme puts them into README.md.

INKSTONE_BIN in the environment names another program to measure, for instance one from before a change.

--lock FILE holds a lock (flock) while measuring, at most --hold seconds at a time, for machines whose users agree on one.
"""

import argparse
import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import time

import engines
import prepare
import report
import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("INKSTONE_BIN", ROOT / "build/release/bin/inkstone"))
README_NAME = "peers"
PICTURE = ROOT / "docs/pictures/speed.svg"


class Quiet:
    """The lock of --lock: held while measuring, given back now and then between turns."""

    def __init__(self, path, hold_s):
        self.handle = open(path, "a") if path else None
        self.hold_s, self.since = hold_s, None

    def turn(self):
        if self.handle is None or (self.since is not None and time.monotonic() - self.since < self.hold_s):
            return
        self.release()
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        self.since = time.monotonic()

    def release(self):
        if self.handle is not None and self.since is not None:
            fcntl.flock(self.handle, fcntl.LOCK_UN)
            self.since = None
            time.sleep(0.5)  # or nobody else would ever get it


def say(text):
    print(text, file=sys.stderr, flush=True)


class Measurement:
    def __init__(self, job, models, python, arguments, quiet):
        self.job, self.arguments, self.quiet = job, arguments, quiet
        log = ROOT / "build/peers/engines.log"
        self.model = models.gguf(job)
        self.engines = [engines.Ours(str(PROGRAM), self.model, job.tests, arguments.threads, log)]
        for peer, export in job.peers:
            if arguments.peers and peer not in arguments.peers:
                continue
            path = models.of_peer(job, peer, export)
            self.engines.append(engines.Peer(peer, python, path, job.context(), arguments.threads, log))
        self.trials = {}
        self.flags = {}

    def measure(self):
        with contextlib.ExitStack() as stack:
            self.quiet.turn()
            for engine in self.engines:
                stack.callback(engine.close)
                engine.start(self.arguments.rounds)
            about = {engine.name: engine.about() for engine in self.engines if engine.name != "inkstone"}
            turns = self.take_turns(stack)
        return {**self.conditions(), "about": about, "turns": turns, "ours": self.engines[0].report,
                "trials": self.trials}

    def take_turns(self, stack):
        results = {engine.name: {test.label(): [] for test in self.job.tests} for engine in self.engines}
        if self.job.taken_core:
            stack.enter_context(engines.TakenCore())
        for test, number, engine in suite.turns(self.job.tests, self.engines, self.arguments.rounds):
            flags = self.best_flags(engine, test)
            self.quiet.turn()
            speed = engine.measure(test, flags)
            results[engine.name][test.label()].append(speed)
            say(f"{self.job.name}: {test.label()}, round {number + 1}: {engine.name} {speed:.2f}")
        return results

    def best_flags(self, engine, test):
        choices = self.job.flags.get(engine.name, [])
        key = (engine.name, test)
        if key not in self.flags:
            trials = []
            for flags in choices:
                self.quiet.turn()
                trials.append((flags, engine.measure(test, flags)))
                say(f"{self.job.name}: {test.label()}, tried {engine.name} {flags}: {trials[-1][1]:.2f}")
            self.flags[key] = report.best_flags(trials) if trials else {}
            if trials:
                self.trials.setdefault(engine.name, {})[test.label()] = trials
        return self.flags[key]

    def conditions(self):
        return {"job": self.job.name, "date": datetime.date.today().isoformat(), "threads": self.arguments.threads,
                "processor": prepare.processor(), "instruction_sets": prepare.instruction_sets(),
                "version": prepare.our_version(str(PROGRAM)), "file_bytes": self.model.stat().st_size,
                "taken_core": self.job.taken_core, "tests": [test.label() for test in self.job.tests]}

    def first_tokens(self):
        """Median of three for each engine; the first call, which may fill caches, does not count."""
        found = {}
        for engine in self.engines:
            tries = []
            for _ in range(4):
                self.quiet.turn()
                tries.append(engines.first_token_of_ours(str(PROGRAM), self.model, self.arguments.threads)
                             if engine.name == "inkstone" else engines.first_token_of(engine))
            found[engine.name] = {key: report.median([one[key] for one in tries[1:]]) for key in tries[0]}
            say(f"{self.job.name}: first token of {engine.name}: {found[engine.name]}")
        return found


def write_report(results, folder, readme):
    records = [results[job.name] for job in suite.jobs() if job.name in results]
    if not records:
        raise SystemExit("nothing has been measured yet")
    text = report.table(records) + "\n\n" + report.conditions(records) + "\n"
    if sentences := report.kept(records):
        text += "\n" + sentences + "\n"
    firsts = [record for record in records if record.get("first")]
    if firsts:
        text = text.replace("\n\n", "\n\n" + report.first_token_table(firsts) + "\n\n", 1)
    (folder / "results.md").write_text(text, encoding="utf-8")
    (folder / "results.svg").write_text(report.plot(records), encoding="utf-8")
    print(text)
    if readme:
        path = ROOT / "README.md"
        path.write_text(report.replace_between(path.read_text(encoding="utf-8"), README_NAME, text), encoding="utf-8")
        PICTURE.write_text(report.plot(records), encoding="utf-8")


def read_command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="only these; --list names them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", nargs="+", help="only these peers")
    parser.add_argument("--no-first-token", action="store_true", help="leave out start to first token")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prepare", action="store_true", help="install and make the models, measure nothing")
    parser.add_argument("--report", action="store_true", help="only write the table and the plot again")
    parser.add_argument("--readme", action="store_true", help="put the table and the plot into README.md")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build/peers/results.json")
    parser.add_argument("--lock", metavar="FILE")
    parser.add_argument("--hold", type=float, default=150, metavar="SECONDS")
    return parser.parse_args()


def chosen_jobs(names):
    known = {job.name: job for job in suite.jobs()}
    for name in names:
        if name not in known:
            raise SystemExit(f"no such job: {name}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def main():
    arguments = read_command_line()
    jobs = chosen_jobs(arguments.jobs)
    if arguments.list:
        print("\n".join(job.name for job in jobs))
        return
    folder = ROOT / "build/peers"
    folder.mkdir(parents=True, exist_ok=True)
    results = json.loads(arguments.results.read_text(encoding="utf-8")) if arguments.results.exists() else {}
    if not arguments.report:
        if "INKSTONE_BIN" not in os.environ:
            subprocess.run([ROOT / "inkstone", "--version"], check=True, stdout=subprocess.DEVNULL)  # builds it
        python = prepare.install(folder)
        models = prepare.Models(folder, str(PROGRAM), python)
        quiet = Quiet(arguments.lock, arguments.hold)
        for job in jobs:
            measurement = Measurement(job, models, python, arguments, quiet)
            if arguments.prepare:
                continue
            try:
                record = measurement.measure()
                if job.tests == suite.SHORT and not arguments.no_first_token:
                    record["first"] = measurement.first_tokens()
            except engines.Failed as failure:
                say(f"{job.name}: {failure}")
                continue
            finally:
                quiet.release()
            results[job.name] = record
            prepare.write_json(arguments.results, results)
    if not arguments.prepare:
        write_report(results, folder, arguments.readme)


if __name__ == "__main__":
    main()
