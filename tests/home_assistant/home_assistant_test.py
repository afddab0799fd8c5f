#!/usr/bin/env python3
"""The assistant and Home Assistant, by the built programs. With $INKSTONE_HASS (the program hass, 2024.3 or
newer) a real one is started on loopback and driven; without it only a server that is none is. Home Assistant
2024.3 needs these beside it, since the test lets it install nothing: Pillow SQLAlchemy aiohttp_cors janus
psutil-home-assistant securetar ifaddr fnv-hash-fast home-assistant-frontend "josepy<2".

sentences.jsonl holds sentences, the call each should lead to, and what must be true afterwards. The calls are
made without a model; with INKSTONE_ASK=1 the sentences are said to `inkstone ask` instead. INKSTONE_BIN names
inkstone, INKSTONE_CALL_TOOLS the program that calls tools without a model."""

import http.server
import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import threading
import unittest

from house import HERE, House

BUILD = HERE.parents[1] / "build/release/bin"
PROGRAM = os.environ.get("INKSTONE_BIN", str(BUILD / "inkstone"))
CALL_TOOLS = os.environ.get("INKSTONE_CALL_TOOLS", str(BUILD / "call_tools"))
HASS = os.environ.get("INKSTONE_HASS", "")
ASK = os.environ.get("INKSTONE_ASK", "") == "1"
PATIENCE_S = 120
LIGHT = {"name": "set_light", "arguments": {"room": "living_room", "state": "on"}}


class Watcher(threading.Thread):
    """Looks for the token where any other person of the machine could see it."""

    def __init__(self, token):
        super().__init__(daemon=True)
        self.token = token.encode()
        self.seen = []
        self.looks = 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            self.looks += 1
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        if self.token in (process / name).read_bytes():
                            self.seen.append(str(process / name))
                    except OSError:
                        pass

    def end(self):
        self.over.set()
        self.join()


class WithFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="inkstone_home_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.own = cls.folder / "inkstone"
        cls.environment = {"PATH": os.environ["PATH"], "HOME": str(cls.folder), "LC_ALL": "C.UTF-8",
                           "INKSTONE_HOME": str(cls.own)}
        cls.heard = ""  # everything that our programs have said

    @classmethod
    def program(cls, *command, text=""):
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=cls.environment,
                              timeout=PATIENCE_S)
        cls.heard += done.stdout + done.stderr
        return done

    @classmethod
    def connect(cls, url, token):
        return cls.program(PROGRAM, "connect", "home-assistant", url, text=token + "\n")

    @classmethod
    def call(cls, call):
        return json.loads(cls.program(CALL_TOOLS, text=json.dumps(call) + "\n").stdout)

    def configure(self, url, token, mode=0o600):
        self.own.mkdir(exist_ok=True)
        (self.own / "connections.json").write_text(
            json.dumps({"homeAssistant": {"url": url, "tokenFile": "home-assistant.token"}}))
        path = self.own / "home-assistant.token"
        path.write_text(token)
        path.chmod(mode)


class Garbage(http.server.BaseHTTPRequestHandler):
    """Answers everything with what the test wants."""
    answer = (200, b"")

    def log_message(self, *_):
        pass

    def do_GET(self):
        status, body = Garbage.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class NotHomeAssistant(WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Garbage)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}"

    def test_connecting_to_something_else_saves_nothing(self):
        for answer, code in (((200, b"<html>"), 4), ((200, b"[]"), 4), ((200, b"{}"), 4), ((200, b"\xff\xfe"), 4),
                             ((404, b""), 3), ((401, b""), 7), ((500, b"{}"), 7)):
            Garbage.answer = answer
            done = self.connect(self.url, "token-of-the-test")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertNotIn("token-of-the-test", done.stdout + done.stderr)
            self.assertFalse((self.own / "connections.json").exists())

    def test_addresses_and_tokens_that_are_none(self):
        self.assertEqual(self.connect("homeassistant.local", "t").returncode, 4)
        self.assertEqual(self.connect("http://a:b@c/", "t").returncode, 4)
        for token in ("", "two words", "kl\x01", "灯"):
            self.assertEqual(self.connect(self.url, token).returncode, 4, token)

    def test_a_token_that_is_typed_is_not_shown(self):
        Garbage.answer = (401, b"")
        process, terminal = pty.fork()
        if process == 0:
            try:
                os.execve(PROGRAM, [PROGRAM, "connect", "home-assistant", self.url], self.environment)
            finally:
                os._exit(127)
        shown, typed = b"", False
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the program has ended
                piece = b""
            if not piece:
                break
            shown += piece
            if shown.endswith(b": ") and not typed:
                typed = True
                os.write(terminal, b"typed-by-a-person\n")
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 7, shown)
        self.assertIn(b"not accepted", shown)
        self.assertNotIn(b"typed-by-a-person", shown)

    def test_a_lamp_of_the_demonstration_never_answers_for_a_real_one(self):
        self.addCleanup(shutil.rmtree, self.own)
        for answer, problem in (((401, b""), "unreachable"), ((200, b"{}"), "unreachable")):
            Garbage.answer = answer  # no WebSocket there
            self.configure(self.url, "token-of-the-test")
            self.assertIn(self.call(LIGHT)["problem"], (problem, "garbled", "failed", "unauthorized"))
        self.configure("http://127.0.0.1:1", "token-of-the-test")
        self.assertEqual(self.call(LIGHT)["problem"], "unreachable")
        self.configure(self.url, "token-of-the-test", 0o644)
        answer = self.call(LIGHT)
        self.assertEqual(answer["problem"], "unauthorized")
        self.assertIn("chmod 600", answer["detail"])
        (self.own / "connections.json").write_text("{")
        self.assertEqual(self.call(LIGHT)["problem"], "unauthorized")
        (self.own / "connections.json").write_text('{"homeAssistant": 5}')
        self.assertEqual(self.call(LIGHT)["problem"], "unauthorized")
        self.assertNotIn("token-of-the-test", self.heard)


@unittest.skipUnless(HASS, "INKSTONE_HASS is not set: no real Home Assistant")
class RealHomeAssistant(WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "house").mkdir()
        cls.house = House(HASS, cls.folder / "house")
        cls.addClassCleanup(cls.house.stop)
        cls.house.start()
        cls.house.move_in()
        cls.watcher = Watcher(cls.house.token)
        cls.addClassCleanup(cls.watcher.end)
        done = cls.connect(cls.house.url, cls.house.token)
        assert done.returncode == 0, done.stderr

    def do(self, line):
        if not ASK:
            return self.call({"name": line["name"], "arguments": line["arguments"]})
        said = self.program(PROGRAM, "ask", "--json", "--yes", "--no-watch", line["text"])
        return (json.loads(said.stdout)["calls"] or [{"problem": said.stdout}])[0]

    def holds(self, line):
        now = self.house.state(line["entity"])
        right = now["state"] == line.get("state", now["state"])
        return right and ("attribute" not in line or now["attributes"].get(line["attribute"]) == line["value"])

    def test_1_sentences_change_states(self):
        lines = [json.loads(line) for line in (HERE / "sentences.jsonl").read_text().splitlines()]
        self.assertGreaterEqual(len(lines), 20)
        for line in lines:
            with self.subTest(line["text"]):
                self.assertFalse(self.holds(line), "already so before")
                answer = self.do(line)
                self.assertEqual(answer.get("problem", ""), "", answer)
                self.assertTrue(self.holds(line), self.house.state(line["entity"]))

    def test_2_steps_come_from_the_real_state(self):
        self.call({"name": "set_light", "arguments": {"room": "bedroom", "brightness_percent": 50}})
        self.call({"name": "set_light", "arguments": {"room": "bedroom", "brightness_step": "up"}})
        self.assertEqual(round(self.house.state("light.bedroom")["attributes"]["brightness"] / 255 * 100), 70)

    def test_3_what_it_has_not_is_said(self):
        for name, arguments in (("set_light", {"room": "balcony", "state": "on"}), ("set_trunk", {"action": "close"}),
                                ("set_door_lock", {"door": "car", "action": "lock"})):
            self.assertEqual(self.call({"name": name, "arguments": arguments})["problem"], "no_device", name)

    def test_4_lists_and_tests(self):
        done = self.program(PROGRAM, "connect", "test")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("light 3", done.stdout)
        self.assertIn(self.house.url, self.program(PROGRAM, "connect", "list").stdout)

    def test_5_a_wrong_token(self):
        path = self.own / "home-assistant.token"
        right = path.read_text()
        path.write_text("wrong" + right[5:])
        self.assertEqual(self.call(LIGHT)["problem"], "unauthorized")
        path.write_text(right)
        done = self.connect(self.house.url, "wrong")
        self.assertEqual(done.returncode, 7)
        self.assertIn("not accepted", done.stderr)
        self.assertEqual(path.read_text(), right, "the one that works stays")

    def test_6_away_and_back(self):
        self.house.stop()
        self.assertEqual(self.call(LIGHT)["problem"], "unreachable")
        self.assertEqual(self.program(PROGRAM, "connect", "test").returncode, 1)
        self.house.start()
        self.assertEqual(self.call(LIGHT)["problem"], "")

    def test_7_the_token_is_nowhere(self):
        token = self.house.token
        self.assertGreater(self.watcher.looks, 10)
        self.assertEqual(self.watcher.seen, [])
        self.assertNotIn(token, self.heard)
        self.assertNotIn(token, (self.house.folder / "output.txt").read_text())
        for path in self.own.rglob("*"):
            if path.is_file() and token.encode() in path.read_bytes():
                self.assertEqual(path.name, "home-assistant.token")
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_8_removed(self):
        self.assertEqual(self.program(PROGRAM, "connect", "remove", "home-assistant").returncode, 0)
        self.assertFalse((self.own / "home-assistant.token").exists())


if __name__ == "__main__":
    if not HASS:
        print("INKSTONE_HASS is not set: the tests with a real Home Assistant are skipped", flush=True)
    unittest.main(verbosity=1)
