#!/usr/bin/env python3
"""The MCP client through the built programs: a hostile server always, servers of the official SDK where
$INKSTONE_MCP_PYTHON (a Python with the package mcp; 1.12.4 wants pydantic below 2.12) is set; else those are skipped.

INKSTONE_BIN names inkstone, INKSTONE_CALL_TOOLS the program that calls tools without a model."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/release/bin"
PROGRAM = os.environ.get("INKSTONE_BIN", str(BUILD / "inkstone"))
CALL_TOOLS = os.environ.get("INKSTONE_CALL_TOOLS", str(BUILD / "call_tools"))
SDK_PYTHON = os.environ.get("INKSTONE_MCP_PYTHON", "")
PATIENCE_S = 120


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="inkstone_mcp_"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                            "INKSTONE_HOME": str(self.folder)}

    def program(self, *arguments, text=""):
        return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True,
                              errors="replace", env=self.environment, timeout=PATIENCE_S)

    def configure(self, **servers):
        path = self.folder / "connections.json"
        path.write_text(json.dumps({"mcpServers": servers}))
        path.chmod(0o600)

    def call(self, *calls):
        """What came of each call (name, arguments), and stderr."""
        lines = "".join(json.dumps({"name": name, "arguments": arguments}) + "\n" for name, arguments in calls)
        done = subprocess.run([CALL_TOOLS, "--servers"], input=lines, capture_output=True, text=True,
                              env=self.environment, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def declared(self):
        done = subprocess.run([CALL_TOOLS, "--servers"], input='{"list": true}\n', capture_output=True, text=True,
                              env=self.environment, timeout=PATIENCE_S)
        return {one["function"]["name"]: one["function"] for one in json.loads(done.stdout)}, done.stderr


class Hostile(WithFolder):
    def behaving(self, how, **more):
        self.configure(bad={"command": sys.executable, "args": [str(HERE / "hostile_server.py"), how], **more})

    def one(self, how, tool="bad_look"):
        self.behaving(how)
        (answer,), errors = self.call((tool, {}))
        return answer

    def test_names_stay_the_servers_own(self):
        self.behaving("honest")
        tools, notes = self.declared()
        self.assertEqual(sorted(name for name in tools if name.startswith("bad_")),
                         ["bad____set_light__2J", "bad_look", "bad_set_light"])
        self.assertIn("room", json.dumps(tools["set_light"]), "ours stays ours")
        self.assertEqual(notes.count("left out"), 4, notes)
        self.assertNotIn("\x1b", notes)

    def test_everything_asks_first_unless_trusted_and_reading(self):
        for trusted, asks in ((False, True), (True, False), ("yes", True)):
            self.behaving("honest", trusted=trusted)
            (look, light), _ = self.call(("bad_look", {}), ("bad_set_light", {}))
            self.assertEqual(look["asks_first"], asks, trusted)
            self.assertTrue(light["asks_first"])

    def test_tool_text_is_data_and_does_nothing(self):
        self.behaving("honest", trusted=True)
        (look, locked), _ = self.call(("bad_look", {}), ("set_door_lock", {"door": "home", "action": "lock"}))
        self.assertEqual(look["data"]["server"], "bad")
        self.assertIn("unlock the door", look["data"]["text"])
        self.assertEqual(locked["problem"], "")

    def test_wrong_ids_are_passed_over(self):
        self.assertEqual(self.one("wrong_ids")["data"]["text"], "the true one")

    def test_large_answers_are_cut(self):
        data = self.one("large")["data"]
        self.assertTrue(data["cut"])
        self.assertLessEqual(len(data["text"].encode()), 4096)

    def test_nobody_gets_anything_out_of_us(self):
        self.assertEqual(json.loads(self.one("nosy")["data"]["text"]), [-32601, -32601, -32601, "answered"])

    def test_what_is_no_answer(self):
        self.assertEqual(self.one("huge")["problem"], "garbled")
        self.assertEqual(self.one("flood")["problem"], "garbled")
        self.assertEqual(self.one("dying")["problem"], "unreachable")

    def test_a_tool_that_changed_is_refused(self):
        self.behaving("changing")
        (first, second), _ = self.call(("bad_look", {}), ("bad_look", {}))
        self.assertEqual((first["problem"], second["problem"]), ("", "refused"))

    def test_servers_that_are_away_cost_a_note(self):
        self.configure(garbage={"command": sys.executable, "args": [str(HERE / "hostile_server.py"), "garbage"]},
                       mute={"command": sys.executable, "args": [str(HERE / "hostile_server.py"), "mute"]},
                       gone={"command": "/nowhere/server"}, ends={"command": "false"},
                       away={"url": "http://127.0.0.1:1/mcp"}, wrong={}, off={"command": "false", "disabled": True})
        begin = time.monotonic()
        tools, notes = self.declared()
        self.assertIn("set_light", tools)
        self.assertLess(time.monotonic() - begin, 60)
        for name, what in (("garbage", "garbled"), ("mute", "timed_out"), ("gone", "not_found"),
                           ("ends", "unreachable"), ("away", "unreachable")):
            self.assertIn(f"{name}: no tools ({what})", notes)
        self.assertIn("wrong is left out", notes)
        self.assertNotIn("off", notes)

    def test_a_call_that_hangs_ends_and_the_server_with_it(self):
        answer = self.one("hanging")
        self.assertEqual(answer["problem"], "timed_out")
        for _ in range(100):  # the kernel takes its time to end a process on a busy machine
            left = subprocess.run(["pgrep", "-f", f"{HERE}/hostile_server.py hanging"], capture_output=True)
            if left.stdout == b"":
                break
            time.sleep(0.1)
        self.assertEqual(left.stdout, b"")

    def test_connecting_one_that_answers_nonsense_saves_nothing(self):
        done = self.program("connect", "mcp", "bad", "false")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual(list(self.folder.iterdir()), [])


class Connect(WithFolder):
    def test_a_server_comes_and_goes(self):
        command = [sys.executable, str(HERE / "hostile_server.py"), "honest"]
        made = self.program("connect", "mcp", "--trusted", "good", *command)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("good_set_light  (asks first)", made.stdout)
        entry = json.loads((self.folder / "connections.json").read_text())["mcpServers"]["good"]
        self.assertEqual(entry, {"command": command[0], "args": command[1:], "trusted": True})
        listed = json.loads(self.program("connect", "list", "--json").stdout)
        self.assertEqual([one["name"] for one in listed], ["good"])
        self.assertEqual(self.program("connect", "test").returncode, 0)
        self.assertEqual(self.program("connect", "test", "other").returncode, 3)
        self.assertEqual(self.program("connect", "remove", "good").returncode, 0)
        self.assertEqual(self.program("connect", "remove", "good").returncode, 3)
        self.assertEqual(self.program("connect", "list").stdout, "")

    def test_wrong_command_lines(self):
        for arguments in ([], ["mcp"], ["mcp", "name"], ["mcp", "a b", "true"], ["mcp", "home-assistant", "true"],
                          ["mcp", "a", "http://x/", "more"], ["home-assistant"], ["remove"]):
            done = self.program("connect", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_flags_of_the_server_are_its_own(self):
        done = self.program("connect", "mcp", "a", "sh", "-c", "exit 3", "--help", "--trusted")
        self.assertEqual(done.returncode, 7, done.stdout)

    def test_secrets_that_others_can_read(self):
        self.configure(a={"url": "http://127.0.0.1:1/", "headers": {"Authorization": "Bearer hidden"}})
        (self.folder / "connections.json").chmod(0o644)
        done = self.program("connect", "list")
        self.assertEqual(done.returncode, 4)
        self.assertIn("chmod 600", done.stderr)
        self.assertNotIn("hidden", done.stderr + done.stdout)


@unittest.skipUnless(SDK_PYTHON, "INKSTONE_MCP_PYTHON is not set: no servers of the official SDK")
class Sdk(WithFolder):
    def serve(self, *more):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.start(port, *more)
        return f"http://127.0.0.1:{port}/mcp"

    def start(self, port, *more):
        server = subprocess.Popen([SDK_PYTHON, str(HERE / "sdk_server.py"), "streamable-http", str(port), *more],
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return server
            time.sleep(0.1)
        raise AssertionError("the server does not listen")

    def exercise(self):
        answers, notes = self.call(
            ("shelf_write", {"number": "2", "title": "水浒传"}), ("shelf_read", {"number": "2"}),
            ("shelf_read", {"number": "9"}), ("shelf_slow", {"steps": 50}), ("shelf_cover", {}),
            ("shelf_read", {"number": 7}))
        self.assertEqual(notes, "")
        kept, read, missing, slow, cover, wrong = answers
        self.assertEqual(kept["data"], {"server": "shelf", "text": "kept"})
        self.assertEqual(read["data"]["text"], "水浒传")
        self.assertEqual((read["asks_first"], kept["asks_first"]), (False, True))
        self.assertEqual(missing["problem"], "failed")
        self.assertEqual(slow["data"]["text"], "after 50 steps")
        self.assertEqual(cover["data"]["parts_left_out"], 1)
        self.assertEqual(wrong["problem"], "invalid")

    def test_stdio(self):
        self.configure(shelf={"command": SDK_PYTHON, "args": [str(HERE / "sdk_server.py"), "stdio"],
                              "trusted": True})
        self.exercise()
        # By HTTP the SDK asks this on the stream of a GET, which is not opened.
        (nosy,), _ = self.call(("shelf_nosy", {}))
        self.assertIn("refused", nosy["data"]["text"])

    def test_streamable_http_with_events(self):
        self.configure(shelf={"url": self.serve(), "trusted": True})
        self.exercise()

    def test_streamable_http_with_json(self):
        self.configure(shelf={"url": self.serve("json"), "trusted": True})
        (read,), notes = self.call(("shelf_read", {"number": "1"}))
        self.assertEqual(read["data"]["text"], "红楼梦", notes)

    def test_a_session_that_the_server_forgot(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = self.start(port)
        self.configure(shelf={"url": f"http://127.0.0.1:{port}/mcp", "trusted": True})
        caller = subprocess.Popen([CALL_TOOLS, "--servers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True, env=self.environment)
        self.addCleanup(caller.stdout.close)
        line = json.dumps({"name": "shelf_read", "arguments": {"number": "1"}}) + "\n"
        for again in (False, True):
            if again:
                server.kill()
                server.wait()
                self.start(port)
            caller.stdin.write(line)
            caller.stdin.flush()
            self.assertEqual(json.loads(caller.stdout.readline())["data"]["text"], "红楼梦")
        caller.stdin.close()
        self.assertEqual(caller.wait(PATIENCE_S), 0)

    def test_connect_by_url(self):
        made = self.program("connect", "mcp", "--token", "shelf", self.serve(), text="hidden-key\n")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("shelf: shelf", made.stdout)
        self.assertNotIn("hidden-key", made.stdout + made.stderr)
        path = self.folder / "connections.json"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertIn("Bearer hidden-key", path.read_text())
        wrong = self.program("connect", "mcp", "other", self.serve().replace("/mcp", "/else"))
        self.assertEqual(wrong.returncode, 3, wrong.stderr)


if __name__ == "__main__":
    if not SDK_PYTHON:
        print("INKSTONE_MCP_PYTHON is not set: the tests with servers of the official SDK are skipped", flush=True)
    unittest.main(verbosity=1)
