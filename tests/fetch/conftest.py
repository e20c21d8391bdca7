"""A real HTTP server on this machine that serves what a test puts into it, whole, in ranges, or broken off."""

import http.server
import io
import re
import threading
import zipfile
from dataclasses import dataclass, field

import cv2
import pytest

from tumorscope.catalog.phantom import draw_phantom


@dataclass
class Reply:
    """What stands at a path: `cuts` are the numbers of bytes after which successive answers break off."""

    data: bytes = b""
    status: int = 200
    ranges: bool = True
    tag: str = '"v1"'
    cuts: list = field(default_factory=list)
    to: str = ""
    length: int = 0
    hang: threading.Event | None = None


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served, self.asked = {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def put(self, path, data=b"", **named):
        self.served[path] = Reply(data, **named)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        reply = self.server.served.get(self.path, Reply(status=404))
        if reply.to:
            self.send_response(302)
            self.send_header("Location", reply.to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start(reply)
        if start is not None and start >= len(reply.data):
            self._head(416, {"Content-Range": f"bytes */{len(reply.data)}", "Content-Length": "0"})
            return
        body = reply.data[start or 0 :]
        headers = {"Content-Length": str(reply.length or len(body))} | ({"ETag": reply.tag} if reply.tag else {})
        if start is not None:
            headers["Content-Range"] = f"bytes {start}-{len(reply.data) - 1}/{len(reply.data)}"
        self._head(206 if start is not None else reply.status, headers)
        if reply.cuts:
            body = body[: reply.cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(body)
        if reply.hang:
            self.wfile.flush()
            reply.hang.wait(20)

    def _start(self, reply):
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if reply.ranges and wanted and self.headers.get("If-Range") == reply.tag:
            return int(wanted[1])
        return None

    def _head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Serve what is `put` under a path with its query at `server.url`; what was asked stands in `server.asked`."""
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        running.server_close()
        thread.join()


@pytest.fixture(scope="session")
def pictures():
    """Eight drawn slices as PNG bytes, by label."""
    drawn = {}
    for number, one in enumerate(draw_phantom(12, side=48)):
        drawn.setdefault(one.label, []).append((f"{number}.png", cv2.imencode(".png", one.image)[1].tobytes()))
    return drawn


@pytest.fixture(scope="session")
def zipped():
    """Return a function that makes a zip of {path: bytes}."""

    def make(members):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, data in members.items():
                archive.writestr(path, data)
        return packed.getvalue()

    return make
