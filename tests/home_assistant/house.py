"""A real Home Assistant for a test: a configuration in a folder of its own, started on loopback, onboarded over
HTTP, with rooms given over its WebSocket. Only the standard library, so that any Python can run it."""

import base64
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOMS = {"客厅": ["light.living", "climate.living", "cover.living"],
         "Bedroom": ["light.bedroom", "climate.bedroom"],
         "廚房": ["light.kitchen"],
         "Study": ["cover.study"]}


class Socket:
    """As much of a WebSocket client as a few short messages need."""

    def __init__(self, port):
        self.plain = socket.create_connection(("127.0.0.1", port), 60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.plain.sendall((f"GET /api/websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                            "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        self.file = self.plain.makefile("rb")
        while self.file.readline() not in (b"\r\n", b""):
            pass
        self.last_id = 0

    def receive(self):
        first, size = self.file.read(2)
        if size == 126:
            size, = struct.unpack(">H", self.file.read(2))
        elif size == 127:
            size, = struct.unpack(">Q", self.file.read(8))
        content = self.file.read(size)
        return json.loads(content) if first & 15 == 1 else self.receive()

    def send(self, message):
        content = json.dumps(message).encode()
        length = bytes([128 | len(content)]) if len(content) < 126 else b"\xfe" + struct.pack(">H", len(content))
        self.plain.sendall(b"\x81" + length + b"\0\0\0\0" + content)

    def ask(self, kind, **more):
        self.last_id += 1
        self.send({"id": self.last_id, "type": kind, **more})
        answer = self.receive()
        assert answer.get("success"), answer
        return answer["result"]

    def close(self):
        self.file.close()
        self.plain.close()


class House:
    def __init__(self, hass, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = pathlib.Path(folder)
        shutil.copytree(HERE / "flat", self.folder / "custom_components/flat")
        text = (HERE / "configuration.yaml").read_text().replace("PORT", str(self.port))
        (self.folder / "configuration.yaml").write_text(text)
        self.hass = hass
        self.process = None
        self.token = None

    def start(self):
        with open(self.folder / "output.txt", "ab") as output:
            self.process = subprocess.Popen([self.hass, "-c", str(self.folder), "--skip-pip"],
                                            stdout=output, stderr=output)
        for _ in range(240):
            if self.process.poll() is not None:
                break
            try:
                self.http("/api/onboarding" if not self.token else "/api/states/light.living")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.5)
        raise AssertionError("Home Assistant does not start: " + (self.folder / "output.txt").read_text()[-3000:])

    def stop(self):
        if self.process:
            self.process.terminate()  # it writes down its rooms when it ends
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def http(self, path, data=None, form=False):
        request = urllib.request.Request(self.url + path)
        if data is not None:
            request.data = (urllib.parse.urlencode(data) if form else json.dumps(data)).encode()
            if not form:
                request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def move_in(self):
        """The first person, a long-lived token, and the rooms."""
        client = self.url + "/"
        person = {"client_id": client, "name": "Test", "username": "test", "password": "test-pass-1", "language": "en"}
        code = self.http("/api/onboarding/users", person)["auth_code"]
        access = self.http("/auth/token", {"grant_type": "authorization_code", "code": code, "client_id": client},
                           form=True)["access_token"]
        talk = Socket(self.port)
        assert talk.receive()["type"] == "auth_required"
        talk.send({"type": "auth", "access_token": access})
        assert talk.receive()["type"] == "auth_ok"
        areas = {area["name"]: area["area_id"] for area in talk.ask("config/area_registry/list")}
        for room, entities in ROOMS.items():  # some are there from the beginning
            area = areas.get(room) or talk.ask("config/area_registry/create", name=room)["area_id"]
            for entity in entities:
                talk.ask("config/entity_registry/update", entity_id=entity, area_id=area)
        self.token = talk.ask("auth/long_lived_access_token", client_name="inkstone", lifespan=1)
        talk.close()

    def state(self, entity):
        return self.http("/api/states/" + entity)
