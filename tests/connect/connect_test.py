"""inkstone-connect as its parent sees it: a real HTTP server and a real WebSocket on loopback, in this process.

INKSTONE_CONNECT names the program."""

import base64
import hashlib
import http.server
import json
import os
import socket
import socketserver
import struct
import subprocess
import threading
import time
import unittest

PROGRAM = os.environ["INKSTONE_CONNECT"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"got": body.decode(), "token": self.headers["Authorization"]}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self):
        getattr(self, self.path.strip("/"))()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def events(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.chunk("data: 你".encode()[:-1])      # a character in two pieces
        time.sleep(0.1)
        self.chunk("data: 你".encode()[-1:] + b"\n\n")
        self.chunk(b"")

    def silent(self):
        time.sleep(3)

    def half(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"short")
        self.close_connection = True

    def latin(self):
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"\xe9")

    def huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()

    def moved(self):
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8:
                return
            size = head[1] & 127
            mask = self.rfile.read(4)
            text = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
            if text == b"close":
                self.wfile.write(b"\x88\x02" + struct.pack(">H", 1000))
                return
            self.wfile.write(bytes([0x81, len(text)]) + text)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class Connect(unittest.TestCase):
    def setUp(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.at = f"127.0.0.1:{self.server.server_port}"
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            self.nowhere = f"127.0.0.1:{nobody.getsockname()[1]}"
        self.child = subprocess.Popen([PROGRAM, self.at, self.nowhere], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def tearDown(self):
        self.child.stdin.close()
        self.assertEqual(self.child.wait(10), 0)
        self.child.stdout.close()
        self.server.shutdown()
        self.server.server_close()

    def order(self, line):
        self.child.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        self.child.stdin.flush()

    def heard(self):
        return json.loads(self.child.stdout.readline())

    def get(self, path, **more):
        self.order({"id": 1, "http": {"url": f"http://{self.at}/{path}", **more}})
        return self.heard()

    def test_a_request_and_its_answer(self):
        self.order({"id": 7, "http": {"method": "POST", "url": f"http://{self.at}/", "body": "灯",
                                      "headers": {"Authorization": "Bearer secret"}}})
        answer = self.heard()
        self.assertEqual((answer["id"], answer["status"]), (7, 201))
        self.assertEqual(json.loads(answer["body"]), {"got": "灯", "token": "Bearer secret"})

    def test_events_come_as_whole_characters(self):
        self.assertEqual(self.get("events", stream=True)["status"], 200)
        text = ""
        while "end" not in (said := self.heard()):
            text += said["chunk"]
        self.assertEqual(text, "data: 你\n\n")

    def test_what_goes_wrong_is_named(self):
        for path, kind in (("half", "lost"), ("latin", "garbage"), ("huge", "too_large")):
            self.assertEqual(self.get(path)["kind"], kind, path)
        self.assertEqual(self.get("silent", timeout_ms=100)["kind"], "timed_out")
        self.assertEqual(self.get("moved")["status"], 302)
        self.order({"id": 2, "http": {"url": f"http://{self.nowhere}/"}})
        self.assertEqual(self.heard()["kind"], "refused")
        self.order({"id": 3, "http": {"url": "http://127.0.0.1:9/"}})
        self.assertEqual(self.heard()["kind"], "not_allowed")
        self.order("not json")
        self.assertEqual(self.heard()["kind"], "wrong")

    def test_a_cancelled_request_says_nothing_more_and_holds_nothing_up(self):
        self.order({"id": 4, "http": {"url": f"http://{self.at}/silent"}})
        self.order({"id": 4, "cancel": True})
        self.assertEqual(self.get("moved")["id"], 1)

    def test_a_websocket(self):
        self.order({"id": 5, "websocket": {"url": f"ws://{self.at}/socket"}})
        self.assertEqual(self.heard(), {"id": 5, "open": True})
        for text in ("hello", "开灯"):
            self.order({"id": 5, "send": text})
            self.assertEqual(self.heard(), {"id": 5, "text": text})
        self.order({"id": 5, "send": "close"})
        self.assertEqual(self.heard(), {"id": 5, "end": True})
        self.order({"id": 6, "websocket": {"url": f"ws://{self.at}/moved"}})
        self.assertEqual(self.heard()["kind"], "garbage")


if __name__ == "__main__":
    unittest.main()
