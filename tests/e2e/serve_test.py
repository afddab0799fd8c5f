#!/usr/bin/env python3
"""`inkstone serve` as whoever starts it sees it: its one line, its errors, its keys, and how it ends.

INKSTONE_BIN names the program."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("INKSTONE_BIN", str(SOURCE / "build/release/bin/inkstone"))
PATIENCE_S = 60
STORY = {"messages": [{"role": "user", "content": "你好"}], "max_tokens": 400, "stream": True}


class Serve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inkstone_serve_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {**os.environ, "HOME": folder.name, "INKSTONE_HOME": folder.name}

    @contextlib.contextmanager
    def serving(self, *flags):
        process = subprocess.Popen([PROGRAM, "serve", "--port", "0", *flags], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment, cwd=self.folder)
        try:
            line = process.stdout.readline()
            self.assertTrue(line.startswith("listening on "), line)
            process.address = line.split()[-1].removeprefix("http://")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE_S)
            process.stdout.close()
            process.stderr.close()

    def ask(self, process, path, body=None, headers=()):
        connection = http.client.HTTPConnection(process.address, timeout=PATIENCE_S)
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def refused(self, code, *flags, says):
        result = subprocess.run([PROGRAM, "serve", *flags], capture_output=True, text=True, env=self.environment,
                                cwd=self.folder, timeout=PATIENCE_S)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertRegex(result.stderr, r"\Ainkstone: error: [^\n]*\n\Z")
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_it_answers_and_logs_nothing(self):
        with self.serving() as process:
            self.assertEqual(self.ask(process, "/")[1], b"Inkstone is running")
            status, content = self.ask(process, "/v1/chat/completions", {**STORY, "stream": False, "max_tokens": 8})
            self.assertEqual(status, 200)
            self.assertLessEqual(json.loads(content)["usage"]["completion_tokens"], 8)
            page = self.ask(process, "/", headers={"Accept": "text/html"})[1]
            self.assertTrue(page.startswith(b"<!doctype html>"), page[:100])
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            self.assertEqual(process.stdout.read(), "")
            self.assertEqual(process.stderr.read(), "")

    def test_metrics_tell_what_is_measured_and_nothing_else(self):
        with self.serving() as process:
            self.assertEqual(self.ask(process, "/v1/chat/completions", {**STORY, "max_tokens": 64})[0], 200)
            lines = [line.split() for line in self.ask(process, "/metrics")[1].decode().splitlines() if line[0] != "#"]
        values = {line[0]: float(line[-1]) for line in lines}
        held, budget = values["inkstone_kv_cache_bytes"], values["inkstone_kv_cache_budget_bytes"]
        self.assertTrue(0 < values["inkstone_kv_cache_kept_bytes"] <= held <= budget, values)
        self.assertLessEqual(budget, values["inkstone_models_bytes"])
        counters = [path / "energy_uj" for path in pathlib.Path("/sys/class/powercap").glob("intel-rapl:?")]
        readable = [path for path in counters if os.access(path, os.R_OK)]
        self.assertEqual("inkstone_energy_joules_total" in values, bool(readable))

    def test_keys_come_from_a_file(self):
        keys = self.folder / "keys"
        keys.write_text("# ours\nfirst\nsecond\n")
        keys.chmod(0o600)
        with self.serving("--api-key-file", str(keys)) as process:
            self.assertEqual(self.ask(process, "/v1/models")[0], 401)
            self.assertEqual(self.ask(process, "/v1/models", headers={"Authorization": "Bearer second"})[0], 200)
            self.assertEqual(self.ask(process, "/v1/models", headers={"x-api-key": "first"})[0], 200)
            self.assertEqual(self.ask(process, "/health")[0], 200)

    def test_what_runs_ends_before_the_server_does(self):
        with self.serving("--grace", "50") as process:
            connection = http.client.HTTPConnection(process.address, timeout=PATIENCE_S)
            connection.request("POST", "/v1/chat/completions", json.dumps(STORY))
            answer = connection.getresponse()
            answer.read(1)
            process.send_signal(signal.SIGINT)
            self.assertTrue(answer.read().endswith(b"data: [DONE]\n\n"))
            connection.close()
            self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_a_second_signal_ends_it_at_once(self):
        path = self.folder / "api.sock"
        with self.serving("--host", str(path), "--grace", "3600") as process:
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(path))
            body = json.dumps({**STORY, "max_tokens": 100000}).encode()
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
                           % (len(body), body))
            self.assertTrue(client.recv(1))
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            client.close()
        self.assertFalse(path.exists())

    def test_errors_say_what_to_do(self):
        with self.serving() as process:
            port = process.address.rpartition(":")[2]
            self.refused(7, "--port", port, says="--port 0 picks a free one")
        self.refused(2, "--host", "0.0.0.0", says="--api-key-file")
        self.refused(2, "--host", "example.org", "--no-key", says="an address such as 127.0.0.1")
        self.refused(7, "--host", str(self.folder / "nowhere" / "api.sock"), says="no socket can be made there")
        self.refused(2, "--models-memory", "many", says="a size such as")
        self.refused(3, "-m", "no-such-model", says="no-such-model")
        (self.folder / "empty").touch()
        self.refused(4, "--api-key-file", str(self.folder / "empty"), says="a key on each line")


if __name__ == "__main__":
    unittest.main()
