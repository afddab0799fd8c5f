#!/usr/bin/env python3
"""embed and rerank of the built program, from outside. Shares its footing with program_test.py."""

import json
import os
import unittest

from program_test import PROGRAM, SOURCE, Program

RETRIEVAL = SOURCE / "tests/golden/retrieval"


class Retrieval(Program):
    def test_embed(self):
        model = RETRIEVAL / "embedding"
        lines = self.good("embed", "-m", model, stdin=b"The kettle is on the stove.\nrain\n").out.splitlines()
        self.assertEqual([len(line.split()) for line in lines], [32, 32])
        self.assertAlmostEqual(sum(float(number) ** 2 for number in lines[0].split()), 1, places=5)
        told = json.loads(self.good("embed", "-m", model, "--json", stdin=b"The kettle is on the stove.\nrain\n").out)
        self.assertEqual(self.good("embed", "-m", model, "rain").out.splitlines(), lines[1:])
        for line, vector in zip(lines, told["embeddings"], strict=True):
            for number, same in zip(line.split(), vector, strict=True):
                self.assertAlmostEqual(float(number), same, places=6)
        short = json.loads(self.good("embed", "-m", model, "--dimensions", "8", "--instruction", "Find it", "--json", "rain").out)
        self.assertEqual(len(short["embeddings"][0]), 8)
        self.refused(2, "embed", "text", says="--model")
        self.refused(4, "embed", "-m", model, "--dimensions", "64", "rain", says=["dimensions", "32"])
        self.refused(5, "run", "-m", model, "hi", says="embeddings")

    def test_rerank(self):
        model = RETRIEVAL / "reranker"
        cases = json.loads((RETRIEVAL / "cases.json").read_text())["reranking"]
        case = cases[0]
        documents = [word for document in case["documents"] for word in ("-d", document)]
        told = json.loads(self.good("rerank", "-m", model, "--json", case["query"], *documents).out)
        self.assertEqual([row["score"] for row in told["results"]], sorted((row["score"] for row in told["results"]), reverse=True))
        for row in told["results"]:
            self.assertAlmostEqual(row["score"], case["scores"][row["index"]], places=2)
        lines = self.good("rerank", "-m", model, case["query"], stdin=b"a\nb\n").out.splitlines()
        self.assertEqual(sorted(line.split("\t")[1] for line in lines), ["a", "b"])
        odd = self.good("rerank", "-m", model, "query", "-d", "[a,b]", "--document=-5", "-d", "c d").out.splitlines()
        self.assertEqual(sorted(line.split("\t")[1] for line in odd), ["-5", "[a,b]", "c d"])
        self.refused(5, "rerank", "-m", RETRIEVAL / "embedding", "query", "-d", "document", says="yes and no")


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        raise SystemExit(f"{PROGRAM} is not built; INKSTONE_BIN names another")
    unittest.main(verbosity=1)
