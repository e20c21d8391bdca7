"""Multipart bodies -> files of our own naming in a private folder. A name that a client gave is never opened."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from tumorscope.serve.problems import ProblemError, no_room
from tumorscope.serve.settings import MEBI

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD = "files"
SPOOL_BYTES = 1 * MEBI
"""Of a body held in memory; more is written to the disk as it comes."""
NAME_LIMIT = 255


@dataclass(frozen=True)
class Upload:
    """A file that a client sent.

    Attributes:
        name: as the client said it; only ever shown.
        path: where it lies, under a random name.
    """

    name: str
    path: Path


@asynccontextmanager
async def received(request: Request, folder: Path, *, files: int, field: str = FIELD) -> AsyncIterator[list[Upload]]:
    """Receive the files of a multipart body, and remove them when the block ends.

    Raises:
        ProblemError: it is no multipart body (415), broken (400), holds other fields or no file (422), or more than
            `files` files (413).
    """
    uploads = await receive_uploads(request, folder, files=files, field=field)
    try:
        yield uploads
    finally:
        await to_thread.run_sync(remove_uploads, uploads)


async def receive_uploads(request: Request, folder: Path, *, files: int, field: str = FIELD) -> list[Upload]:
    """Receive the files of a multipart body into `folder`; the caller removes them.

    Args:
        request: whose body was not read yet.
        folder: where to, a folder that only this process's user can open.
        files: how many there may be.
        field: the name of the form field.

    Raises:
        ProblemError: as `received`.
    """
    boundary = _boundary(request)
    form = _Form(folder, field, files)
    parser = MultipartParser(boundary, form.callbacks(), max_header_count=8)
    try:
        async for chunk in request.stream():
            parser.write(chunk)
            if form.held > SPOOL_BYTES:
                await to_thread.run_sync(form.spill)
        parser.finalize()
        form.check()
        await to_thread.run_sync(form.spill)
    except FormParserError as error:
        await to_thread.run_sync(remove_uploads, form.uploads)
        raise ProblemError("bad-body", "the multipart body is broken; send it again") from error
    except OSError as error:
        await to_thread.run_sync(remove_uploads, form.uploads)
        raise no_room(error) from error
    except BaseException:
        await to_thread.run_sync(remove_uploads, form.uploads)
        raise
    return form.uploads


def announced_size(request: Request) -> int:
    """Return the bytes that a request says its body has, 0 where it says nothing."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0


def remove_uploads(uploads: Sequence[Upload]) -> None:
    """Remove the files of uploads; those that are gone are gone."""
    for upload in uploads:
        upload.path.unlink(missing_ok=True)


def random_name() -> str:
    """Return a file name that nobody can guess."""
    return secrets.token_hex(16)


@dataclass
class _Form:
    """What the parser of one body has met so far; bytes wait in memory until `spill` writes them."""

    folder: Path
    wanted: str
    limit: int
    uploads: list[Upload] = field(default_factory=list)
    held: int = 0
    is_complete: bool = False
    _waiting: list[tuple[Path, list[bytes]]] = field(default_factory=list)
    _header: list[bytes] = field(default_factory=lambda: [b"", b""])
    _disposition: bytes = b""

    def check(self) -> None:
        """Refuse a body that ended too early or held no file."""
        if not self.is_complete:
            raise ProblemError("bad-body", "the multipart body ends in the middle; send it again")
        if not self.uploads:
            raise ProblemError("wrong-input", f"there is no file; send pictures in the form field '{self.wanted}'")

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._start_file,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def spill(self) -> None:
        """Write what is held in memory behind what was written before; called in a thread, the parser waits."""
        for path, pieces in self._waiting:
            with path.open("ab") as file:
                file.writelines(pieces)
        last = self._waiting[-1][0] if self._waiting else None
        self._waiting = [] if last is None else [(last, [])]
        self.held = 0

    def _begin(self) -> None:
        self._disposition = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = [b"", b""]

    def _start_file(self) -> None:
        options = parse_options_header(self._disposition)[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != self.wanted:
            raise ProblemError("wrong-input", f"the form has a field that is not known; send '{self.wanted}' alone")
        if len(self.uploads) == self.limit:
            raise ProblemError("too-many-files", f"a request may hold {self.limit} files; send several requests")
        if b"filename" not in options:
            raise ProblemError("wrong-input", f"a part of '{self.wanted}' is no file; send it with a file name")
        shown = options[b"filename"].decode("utf-8", "replace")[:NAME_LIMIT]
        path = self.folder / random_name()
        self.uploads.append(Upload(shown or f"file {len(self.uploads) + 1}", path))
        self._waiting.append((path, []))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._waiting[-1][1].append(data[start:end])
        self.held += end - start

    def _end(self) -> None:
        self.is_complete = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise ProblemError("wrong-content-type", "send multipart/form-data")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise ProblemError("bad-body", "the content type names no boundary, or one longer than 70 characters")
    return boundary
