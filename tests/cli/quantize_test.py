#!/usr/bin/env python3
"""quantize, imatrix and compare of the built program, from outside: the ordinary way through all three, what
their output promises to scripts, and bad input. Shares its footing with program_test.py.
"""

import json
import math
import os
import resource
import signal
import unittest

from program_test import PROGRAM, SENTENCE, Program

CONVERSATION = f"<|im_start|>user\n{SENTENCE}<|im_end|>\n<|im_start|>assistant\n"


class Smaller(Program):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.folder / "f32.gguf"
        cls.text = cls.folder / "text.txt"
        cls.text.write_text(CONVERSATION * 30)

    def setUp(self):
        if not self.source.exists():  # the embedded model's weights are Q8_0
            self.good("quantize", "pocket-assistant", self.source, "F32", "--allow-requantize")

    def report(self, *arguments):
        return json.loads(self.good("quantize", *arguments, "--json").out)

    def test_a_smaller_model_does_the_same(self):
        path = self.folder / "q4_k_m.gguf"
        table = self.good("quantize", self.source, path, "q4_k_m", "-t", "2").out
        self.assertRegex(table, r"blk\.0\.attn_v\.weight +\d+x\d+ F32 -> Q\w+ +[\d.]+ KiB +\d\.\d+ %")
        self.assertRegex(table, r"wrote .*q4_k_m\.gguf, [\d.]+ MiB \(from [\d.]+ MiB\), [56]\.\d\d bits per weight\n$")
        self.assertEqual(self.good("run", "-m", path, SENTENCE).out, self.good("run", SENTENCE).out)
        compared = json.loads(self.good("compare", self.source, path, "-f", self.text, "--special", "--json").out)
        divergence = compared["kl_divergence"]
        self.assertLess(0, divergence["median"])
        self.assertLess(divergence["mean"], 0.05)
        self.assertLessEqual(divergence["p99"], divergence["max"])
        self.assertGreater(compared["same_top"], 0.9)
        self.assertIn("same top token", self.good("compare", self.source, path, "-f", self.text, "--chunks", "1").out)

    def test_a_model_beside_itself(self):
        compared = json.loads(self.good("compare", self.source, self.source, "--json", stdin=CONVERSATION * 9).out)
        self.assertEqual(compared["kl_divergence"]["max"], 0)
        self.assertEqual(compared["same_top"], 1)
        self.assertEqual(compared["perplexity"], compared["reference_perplexity"])
        alone = json.loads(self.good("perplexity", "-m", self.source, "--json", stdin=CONVERSATION * 9).out)
        self.assertAlmostEqual(compared["perplexity"], alone["perplexity"], places=6)

    def test_with_an_importance_matrix(self):
        matrix = self.folder / "imatrix.gguf"
        made = json.loads(self.good("imatrix", "-m", self.source, "-f", self.text, "-o", matrix, "--special",
                                    "-c", "128", "--chunks", "3", "--json").out)
        self.assertEqual((made["chunks"], made["chunk_tokens"]), (3, 128))
        report = self.report(self.source, self.folder / "weighted.gguf", "IQ4_XS", "--imatrix", matrix)
        matrices = [tensor for tensor in report["tensors"] if tensor["to"] != "F32"]
        self.assertEqual(len(matrices), made["matrices"])
        for tensor in matrices:
            self.assertLess(tensor["weighted_error"], 0.1)
        table = self.good("quantize", self.source, self.folder / "table.gguf", "Q4_0", "--imatrix", matrix).out
        self.assertIn("weighted", table)

    def test_types_by_name(self):
        report = self.report(self.source, self.folder / "mixed.gguf", "Q4_0", "--pure", "--token-embedding-type", "q5_0",
                             "--tensor-type", r"blk\.[0-2]\.attn_k=q8_0", "--tensor-type", "attn_k=q5_1")
        types = {tensor["name"]: tensor["to"] for tensor in report["tensors"]}
        self.assertEqual(types["token_embd.weight"], "Q5_0")
        self.assertEqual(types["blk.2.attn_k.weight"], "Q8_0")
        self.assertEqual(types["blk.3.attn_k.weight"], "Q5_1")
        self.assertEqual(types["blk.3.attn_k_norm.weight"], "F32")
        self.assertEqual(types["blk.3.ffn_down.weight"], "Q4_0")
        weights = sum(math.prod(tensor["shape"]) for tensor in report["tensors"])
        bits = 8 * sum(tensor["bytes"] for tensor in report["tensors"])
        self.assertAlmostEqual(report["bits_per_weight"], bits / weights)

    def test_bad_input(self):
        out = self.folder / "out.gguf"
        self.refused(2, "quantize", self.source, out)
        self.refused(2, "quantize", self.source, out, "Q9_X", says=["Q4_K_M", "IQ4_XS"])
        self.refused(2, "quantize", self.source, out, "Q4_0", "--output-tensor-type", "q9", says="--output-tensor-type")
        self.refused(2, "quantize", self.source, out, "Q4_0", "--tensor-type", "attn_v", says="NAME=TYPE")
        self.refused(2, "quantize", self.source, out, "Q4_0", "--tensor-type", "attn_(v=q8_0", says="regular expression")
        self.refused(3, "quantize", "no-such-model", out, "Q4_0", says="no-such-model")
        self.refused(3, "quantize", self.source, out, "Q4_0", "--imatrix", "none.gguf", says="none.gguf")
        self.refused(4, "quantize", self.source, out, "Q4_0", "--imatrix", self.source, says="importance matrix")
        self.refused(4, "quantize", self.source, self.source, "Q4_0", says="source")
        self.refused(4, "quantize", "pocket-assistant", out, "Q4_0", says="--allow-requantize")
        self.refused(2, "imatrix", "-m", self.source)
        self.refused(4, "imatrix", "-m", self.source, "-f", self.write("empty.txt", ""))
        self.refused(3, "imatrix", "-m", self.source, "-f", self.text, "-o", "nowhere/i.gguf", "--chunks", "1")
        self.refused(4, "compare", self.source, self.source, "-f", self.write("short.txt", "a"), says="tokens")
        self.refused(2, "compare", self.source)
        other = self.folder / "other.gguf"
        self.good("synth", "--like", "0.6B", "--layers", "1", "--vocab-size", "1000", "-o", other)
        self.refused(4, "compare", self.source, other, "-f", self.text, says="vocabulary")
        self.assertFalse(out.exists())

    def test_a_full_disk_leaves_nothing_half_written(self):
        def allow_one_megabyte():  # the system then refuses to write more, as a full disk does
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        (self.folder / "disk").mkdir()
        old = self.write("disk/old.gguf", "what was there before")
        self.refused(7, "quantize", self.source, old, "Q4_0", says="old.gguf", preexec_fn=allow_one_megabyte)
        self.assertEqual([path.name for path in (self.folder / "disk").iterdir()], ["old.gguf"])
        self.assertEqual(old.read_text(), "what was there before")


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        raise SystemExit(f"{PROGRAM} is not built; INKSTONE_BIN names another")
    unittest.main(verbosity=1)
