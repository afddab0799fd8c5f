#!/usr/bin/env python3
"""The served description against the server: schemathesis makes requests from /openapi.json, right and wrong ones,
and every answer has to be one that the description tells of; no 5xx but 503, and none that does not come.

INKSTONE_SCHEMATHESIS names the program (pip install schemathesis); without it only what needs no other program is
tested. INKSTONE_BIN names inkstone, INKSTONE_CASES the least number of requests (5000)."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("INKSTONE_BIN", str(SOURCE / "build/release/bin/inkstone"))
SCHEMATHESIS = os.environ.get("INKSTONE_SCHEMATHESIS", "")
CASES = int(os.environ.get("INKSTONE_CASES", "5000"))
PATIENCE_S = 60  # for one answer
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method,allow_header_conformance")

CONFIGURATION = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""

# Names of models that nobody has would end nearly every request with 404, and answers without an end would make
# the run last for days: so most requests name no model, and answers are short.
HOOKS = '''
import schemathesis

LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def shorter(value):
    return min(value, 4) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else value


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if isinstance(body.get("model"), str) and len(body["model"]) % 4 != 3:
        body["model"] = ""
    for name in LENGTHS:
        if name in body:
            body[name] = shorter(body[name])
    if body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
        body["max_tokens"] = 2
    if isinstance(body.get("n"), int) and body["n"] > 2:
        body["n"] = 2 if body["n"] <= 32 else body["n"]
    options = body.get("options", {})
    if isinstance(options, dict):
        body["options"] = {**options, "num_predict": shorter(options.get("num_predict") or 2)}
        if isinstance(body["options"]["num_predict"], int) and body["options"]["num_predict"] < 0:
            body["options"]["num_predict"] = 2
    if body.get("max_output_tokens") is None:
        body["max_output_tokens"] = 2
    return body
'''


class Described(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="inkstone_openapi_")
        environment = {**os.environ, "HOME": cls.folder.name, "INKSTONE_HOME": cls.folder.name}
        cls.server = subprocess.Popen([PROGRAM, "serve", "--port", "0", "--parallel", "4"],
                                      stdout=subprocess.PIPE, text=True, env=environment, cwd=cls.folder.name)
        line = cls.server.stdout.readline()
        assert line.startswith("listening on http://"), line
        cls.address = line.split()[-1]

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        code = cls.server.wait(PATIENCE_S)
        cls.server.stdout.close()
        cls.folder.cleanup()
        assert code == 0, code

    def test_it_is_served_without_a_key_and_is_json(self):
        with urllib.request.urlopen(self.address + "/openapi.json", timeout=PATIENCE_S) as answer:
            self.assertEqual(answer.headers["content-type"], "application/json")
            description = json.load(answer)
        self.assertEqual(description["openapi"], "3.1.0")
        for path, operations in description["paths"].items():
            for operation in operations.values():
                self.assertIn("200", operation["responses"], path)

    @unittest.skipUnless(SCHEMATHESIS, "INKSTONE_SCHEMATHESIS is not set")
    def test_requests_made_from_it(self):
        folder = pathlib.Path(self.folder.name)
        (folder / "hooks.py").write_text(HOOKS)
        (folder / "schemathesis.toml").write_text(CONFIGURATION)
        cases, seed = 0, 1
        while cases < CASES:  # another seed makes other requests
            run = subprocess.run(
                [SCHEMATHESIS, "--config-file", str(folder / "schemathesis.toml"), "run",
                 self.address + "/openapi.json", "--phases", "examples,coverage,fuzzing", "--checks", CHECKS,
                 "--max-examples", "200", "--workers", "4", "--request-timeout", str(PATIENCE_S),
                 "--continue-on-failure", "--suppress-health-check", "all", "--generation-database", "none",
                 "--seed", str(seed), "--no-color"],
                cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(run.returncode, 0, run.stdout[-8000:])
            made = re.search(r"([\d,]+) generated", run.stdout)
            self.assertTrue(made, run.stdout[-2000:])
            cases += int(made[1].replace(",", ""))
            seed += 1
            print(f"{cases} requests", file=sys.stderr)
        self.assertIsNone(self.server.poll(), "the server has ended")


if __name__ == "__main__":
    unittest.main()
