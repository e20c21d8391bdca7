"""Files as one multipart body (RFC 7578), read while it is sent: memory stays flat and few files are open at a time."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from tumorscope.client.sources import Source
from tumorscope.errors import ScanError

FIELD = "files"
CHUNK = 256 * 1024
OVERHEAD = 256
"""Bytes around a file in a body at most, its name apart."""


@dataclass(frozen=True)
class Multipart:
    """The files of one request; every iteration reads them anew, so that it can be sent again."""

    sources: Sequence[Source]
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def headers(self) -> dict[str, str]:
        """What the request says of its body."""
        size = sum(len(self._head(source)) + source.size + 2 for source in self.sources) + len(self._tail)
        return {"Content-Type": f"multipart/form-data; boundary={self.boundary}", "Content-Length": str(size)}

    def __iter__(self) -> Iterator[bytes]:
        """Give the body piece by piece.

        Raises:
            ScanError: a file changed or went away since it was listed.
        """
        for source in self.sources:
            yield self._head(source)
            yield from _pieces(source)
            yield b"\r\n"
        yield self._tail

    async def in_threads(self) -> AsyncIterator[bytes]:
        """Give the same without holding up the event loop while the disk is read."""
        from anyio import to_thread

        pieces = iter(self)
        while (piece := await to_thread.run_sync(next, pieces, None)) is not None:
            yield piece

    def _head(self, source: Source) -> bytes:
        disposition = f'Content-Disposition: form-data; name="{FIELD}"; filename="{quoted(source.name)}"'
        return f"--{self.boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()

    @property
    def _tail(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def quoted(name: str) -> str:
    """Return a file's name as it can stand in a header (WHATWG HTML, multipart form data)."""
    text = name.encode("utf-8", "backslashreplace").decode()  # a file name need not be text
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _pieces(source: Source) -> Iterator[bytes]:
    left = source.size
    with source.open() as file:
        while left:
            piece = file.read(min(CHUNK, left))
            if not piece:
                raise ScanError("became shorter while it was sent", file=source.name, remedy="send it again")
            left -= len(piece)
            yield piece
