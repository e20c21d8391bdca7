"""HTTP on one connection, with an end to every patience: uvicorn's protocol and the limits that it does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tumorscope.serve.access import SECURITY_HEADERS
from tumorscope.serve.problems import ProblemError, ProblemResponse
from tumorscope.serve.settings import Limits

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_LONG_HEAD = ProblemError("bad-body", "the head of the request is too long")


def protocol_with(limits: Limits) -> type[HttpToolsProtocol]:
    """Return the protocol class for a server with such limits; uvicorn makes the instances itself."""
    return type("LimitedProtocol", (_Protocol,), {"limits": limits})


class _Protocol(HttpToolsProtocol):
    """Closes a connection whose head does not come or does not end, or whose client does not read the answer.

    Uvicorn waits for all of them, so that a few thousand silent connections, or one long head, would use up the server.
    """

    limits: Limits
    _running: RequestResponseCycle | None = None
    _head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head = _Patience(self.loop, self.limits.head_seconds, self._give_up)
        self._unread = _Patience(self.loop, self.limits.idle_seconds, self._give_up)
        if len(self.connections) > self.limits.connections:
            self._refuse(
                ProblemError("busy", "too many connections are open; ask again later", headers={"retry-after": "2"})
            )
        else:
            self._head.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.end()
        self._unread.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_size += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._head_size > self.limits.head_bytes:
            self._refuse(_LONG_HEAD) if is_answered else self._give_up()
        elif is_answered:
            self._head.begin()  # of the next request

    def on_body(self, body: bytes) -> None:
        self._head_size = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._head.end()
        self._head_size = 0
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.begin()

    def resume_writing(self) -> None:
        self._unread.end()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words are no problem document)
        self._refuse(ProblemError("bad-body", "this is no HTTP request"))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _give_up(self) -> None:
        if self._running is not None:
            self._running.disconnected = True  # uvicorn tells the newest request alone, which may wait behind this one
        self.transport.abort()

    def _refuse(self, problem: HTTPException) -> None:
        """Answer without an app and close the connection."""
        response = ProblemResponse(problem)
        headers = dict(response.raw_headers) | {b"connection": b"close"}
        headers |= {name.encode(): value.encode() for name, value in SECURITY_HEADERS.items()}
        lines = [b"%s: %s" % header for header in headers.items()]
        status = b"HTTP/1.1 %d %s" % (problem.status_code, HTTPStatus(problem.status_code).phrase.encode())
        self.transport.write(b"\r\n".join([status, *lines, b"", bytes(response.body)]))
        self.transport.close()


class _Patience:
    """A timer that can be begun and ended any number of times."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, at_end: Callable[[], None]) -> None:
        self._loop, self._seconds, self._at_end = loop, seconds, at_end
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._at_end)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
