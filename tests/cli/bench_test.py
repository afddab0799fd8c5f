#!/usr/bin/env python3
"""`inkstone bench` of the built program from outside, as program_test.py does for the other commands."""

import json
import unittest

from program_test import Program


class Bench(Program):
    def test_bench(self):
        flags = ["-p", "32,8", "-n", "4", "-d", "16,0", "--parallel", "1,3", "-r", "2"]
        measured = json.loads(self.good("bench", *flags, "--json").out)
        self.assertEqual(measured["model"], "pocket-assistant")
        self.assertGreater(measured["read_bandwidth"], 0)
        self.assertGreater(measured["weight_bytes_per_token"], 0)
        self.assertGreater(measured["kv_bytes_per_context_token"], 0)
        tests = [(t["test"], t["tokens"], t["depth"], t["parallel"]) for t in measured["tests"]]
        self.assertEqual(tests, [(*one, depth, sequences) for depth in (0, 16) for *one, sequences in
                                 (["prefill", 32, 1], ["prefill", 8, 1], ["decode", 4, 1], ["decode", 4, 3])])
        for test in measured["tests"]:
            self.assertEqual(len(test["repetitions"]), 2)
            self.assertGreater(test["tokens_per_second"], 0)
            for key in ("bytes_per_token", "operations_per_token", "bandwidth_share"):
                self.assertGreater(test[key], 0)
            for key in ("peak_share", "joules_per_token", "foreign_cpus"):
                self.assertIn(key, test)
        table = self.good("bench", "-p", "8", "-n", "0", "-r", "1").out
        self.assertIn("prefill 8", table)
        self.assertNotIn("decode", table)

    def test_bench_in_turns(self):
        result = self.good("bench", "-p", "0", "-n", "2", "-r", "2", "--turns", "--json", stdin="\n\n\n")
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([line.get("test") for line in lines], ["decode", "decode", None])
        self.assertEqual(len(lines[2]["tests"][0]["repetitions"]), 2)
        self.assertEqual(json.loads(self.good("bench", "--turns", "--json").out)["tests"], [])

    def test_bench_refuses(self):
        for flags in (["-p", ""], ["-p", "1,"], ["-p", "x"], ["-d", "-1"], ["--parallel", "0"], ["-r", "0"],
                      ["-n", "-1"], ["-d", "1,99999999999"]):
            self.refused(2, "bench", *flags)
        self.refused(4, "bench", "-d", "1000000", says="context")
        self.refused(3, "bench", "-m", "nowhere.gguf")


if __name__ == "__main__":
    unittest.main()
