#!/usr/bin/env python3
"""bench/peers without any peer: the order of turns, what is made of the numbers, and that every job is one that the
program and the workers can do."""

import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/peers"))
sys.dont_write_bytecode = True

import engines  # noqa: E402
import report  # noqa: E402
import suite  # noqa: E402


def record(job="0.6B Q4_0", taken_core=False, **turns):
    tests = list(dict.fromkeys(test for measured in turns.values() for test in measured))
    return {"job": job, "tests": tests, "turns": turns, "taken_core": taken_core, "threads": 2, "date": "2026-01-02",
            "processor": "A & B", "instruction_sets": ["avx2"], "version": "0.1.0",
            "about": {"llama.cpp": {"versions": {"llama-cpp-python": "1.2"}}},
            "ours": {"tests": [{"test": "decode", "tokens": 64, "depth": 0, "bandwidth_share": 0.9, "foreign_cpus": 0.02}]}}


class Turns(unittest.TestCase):
    def test_everybody_has_a_turn_in_every_round(self):
        tests = (suite.Test("prefill", 512), suite.Test("decode", 64))
        order = list(suite.turns(tests, ["a", "b", "c"], 3))
        self.assertEqual([engine for test, _, engine in order if test == tests[0]], list("abccbaabc"))
        self.assertEqual([test for test, _, _ in order], [tests[0]] * 9 + [tests[1]] * 9)

    def test_jobs_can_be_done(self):
        names = [job.name for job in suite.jobs()]
        self.assertEqual(len(set(names)), len(names))
        for job in suite.jobs():
            engines.Ours("inkstone", "model.gguf", job.tests, 2, "log")  # raises for an order that is not the program's
            for peer, _ in job.peers:
                worker = f"worker_{peer.replace('.cpp', '')}.py"
                self.assertTrue((pathlib.Path(suite.__file__).parent / worker).exists(), worker)
            self.assertLessEqual(max(test.depth + test.tokens for test in job.tests), job.context())

    def test_tests_in_another_order_are_refused(self):
        for tests in ((suite.Test("decode", 64), suite.Test("prefill", 512)),
                      (suite.Test("decode", 64, 9), suite.Test("decode", 64, 0)),
                      (suite.Test("decode", 64), suite.Test("decode", 32))):
            with self.assertRaises(ValueError):
                engines.Ours("inkstone", "model.gguf", tests, 2, "log")


class FirstToken(unittest.TestCase):
    def test_the_first_byte_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program"
            program.write_text('#!/bin/sh\nprintf a\nsleep 1\n[ "$3" = model ]\n', encoding="utf-8")
            program.chmod(0o755)
            first = engines.first_token_of_ours(str(program), "model", 2)
            self.assertLess(first["seconds"], 0.9)
            self.assertGreater(first["memory_bytes"], 0)
            with self.assertRaises(engines.Failed):
                engines.first_token_of_ours(str(program), "another", 2)


class Report(unittest.TestCase):
    measured = record(**{"inkstone": {"prefill 512": [100, 300, 200], "decode 64": [40.0, 50.0]},
                         "llama.cpp": {"prefill 512": [100.0], "decode 64": [30.0, 10.0, 20.0, 40.0, 25.0]}})

    def test_ratios_are_of_medians(self):
        self.assertEqual(report.ratio(self.measured, "prefill 512", "llama.cpp"), 2)
        self.assertEqual(report.ratio(self.measured, "decode 64", "llama.cpp"), 45 / 25)
        self.assertIsNone(report.ratio(self.measured, "decode 64", "openvino"))
        self.assertIsNone(report.ratio(record(inkstone={"decode 64": []}), "decode 64", "inkstone"))

    def test_best_flags(self):
        self.assertEqual(report.best_flags([({"fa": 0}, 1.0), ({"fa": 1}, 3.0), ({}, 2.0)]), {"fa": 1})

    def test_table(self):
        lines = report.table([self.measured]).splitlines()
        self.assertEqual(lines[2], "| 0.6B Q4_0 | prefill 512 | 200.0 |  | 100.0 (2.00×) |")
        self.assertEqual(lines[3], "| 0.6B Q4_0 | decode 64 | 45.0 | 90 % | 25.0 (1.80×) |")
        self.assertTrue(all(line.count("|") == lines[0].count("|") for line in lines))

    def test_a_peer_that_was_not_measured_has_a_dash(self):
        other = record("1.7B", **{"inkstone": {"decode 64": [1500.0]}, "openvino": {"decode 64": [2.0]}})
        lines = report.table([self.measured, other]).splitlines()
        self.assertEqual(lines[-1], "| 1.7B | decode 64 | 1,500 | 90 % | – | 2.0 (750.00×) |")

    def test_what_is_kept_under_load(self):
        taken = record(taken_core=True, **{"inkstone": {"decode 16": [9.0]}, "llama.cpp": {"decode 16": [1.0]}})
        self.assertEqual(report.kept_under_load(self.measured, taken, "inkstone"), 9 / 45)
        self.assertEqual(report.kept_under_load(self.measured, taken, "llama.cpp"), 1 / 25)
        self.assertIsNone(report.kept_under_load(self.measured, taken, "openvino"))

    def test_what_a_long_prompt_keeps(self):
        long = record("long", **{"inkstone": {"prefill 512": [200.0], "prefill 8192": [150.0]},
                                 "llama.cpp": {"prefill 512": [100.0], "prefill 8192": []}})
        self.assertEqual(report.kept_at_length(long, "inkstone"), (8192, 0.75))
        self.assertIsNone(report.kept_at_length(long, "llama.cpp"))
        self.assertIsNone(report.kept_at_length(self.measured, "inkstone"))
        taken = record("0.6B, one core taken", taken_core=True, **{"inkstone": {"decode 16": [9.0]}})
        self.assertEqual(report.kept([self.measured, long, taken]),
                         "long: of the speed at the shortest prompt, 8,192 tokens keep inkstone 75 %. "
                         "0.6B, one core taken: decode keeps inkstone 20 %.")

    def test_conditions_name_versions_and_disturbance(self):
        text = report.conditions([self.measured])
        for part in ("A & B (avx2)", "2 threads", "at least 1 interleaved", "llama-cpp-python 1.2", "0.02 processors"):
            self.assertIn(part, text)

    def test_plot_is_well_formed(self):
        root = xml.etree.ElementTree.fromstring(report.plot([self.measured, record("x", inkstone={"decode 64": [1]})]))
        bars = [element for element in root if element.tag.endswith("rect")]
        self.assertEqual(len(bars), 1 + 4)  # the background; a test that only one engine ran is left out

    def test_a_place_in_a_text(self):
        text = "a\n<!-- peers -->\nold\n<!-- /peers -->\nb\n"
        self.assertEqual(report.replace_between(text, "peers", "new\n"), text.replace("old", "new"))
        for broken in ("", "<!-- peers -->\n", "<!-- /peers -->"):
            with self.assertRaises(ValueError):
                report.replace_between(broken, "peers", "new")


if __name__ == "__main__":
    unittest.main()
