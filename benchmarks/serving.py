"""What the benchmarks of the server share: a server in a process of its own, and a client that costs little."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

COMMAND = "from tumorscope.cli import main; main()"
BOUNDARY = b"tumorscope-benchmark"


@dataclass(frozen=True)
class Server:
    """A running server: its address and its process."""

    host: str
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """The address as a browser takes it."""
        return f"http://{self.host}:{self.port}"

    def memory_megabytes(self) -> float:
        """Return what of its memory lies in RAM."""
        return _status(self.process.pid, "VmRSS") / 1024

    def open_files(self) -> int:
        """Return how many files and connections it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def serving(*options: str, temporary: Path | None = None) -> Iterator[Server]:
    """Start ``tumorscope serve`` on a free port, give it when it is ready, and stop it at the end.

    Args:
        options: of the verb.
        temporary: where the server puts its temporary files.
    """
    environment = os.environ | ({} if temporary is None else {"TMPDIR": str(temporary)})
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        host, port = address.removeprefix("http://").strip("/").rsplit(":", 1)
        server = Server(host, int(port), process)
        _wait_until_ready(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def findings_request(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a whole HTTP request for the findings of some files, by name and content."""
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n\r\n%b\r\n'
        % (BOUNDARY, name.encode(), content)
        for name, content in files
    ]
    return request(b"".join(parts) + b"--%b--\r\n" % BOUNDARY)


def request(body: bytes, *, content_type: bytes = b"multipart/form-data; boundary=" + BOUNDARY) -> bytes:
    """Return a whole HTTP request for findings with any body."""
    head = b"POST /v1/findings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (content_type, len(body)) + body


class Connection:
    """One kept connection to a server; what it sends was made before, and of an answer only what is needed is read."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, message: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a whole request and return the status, the headers and the body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._server.host, self._server.port, limit=2**20)
        reader, writer = self._streams
        writer.write(message)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), headers, body

    def close(self) -> None:
        """Close the connection; the next `ask` opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _wait_until_ready(server: Server) -> None:
    for _ in range(600):
        try:
            with urlopen(f"{server.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not get ready")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
