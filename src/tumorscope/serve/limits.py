"""How much is taken from one client, and how much is done at one time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumorscope.serve.problems import ProblemError
from tumorscope.serve.settings import Limits

LARGE_BODIES = ("/v1/jobs", "/v1/audits")
"""Routes that take a body of `job_body_bytes`."""
CLOSE = {"connection": "close"}


class BodyLimits:
    """ASGI middleware: a body that is too large or too slow is refused before it is read whole."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that cannot grow or stand still without end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_large = scope["path"] in LARGE_BODIES
        body = _Body(receive, self._limits, self._limits.job_body_bytes if is_large else self._limits.body_bytes)
        body.check(_declared(scope))
        if is_large:  # those go to the disk of the jobs, which looks after itself
            await self._app(scope, body.receive, send)
            return
        try:
            await self._app(scope, self._counted(body), send)
        finally:
            self._held -= body.got

    def _counted(self, body: _Body) -> Receive:
        async def counted() -> Message:
            message = await body.receive()
            self._held += len(message.get("body", b""))
            if self._held > self._limits.inbox_bytes:
                raise ProblemError("busy", "too many bytes wait; ask again later", headers=CLOSE | {"retry-after": "2"})
            return message

        return counted


class _Body:
    """The body of one request, counted and timed as it comes."""

    def __init__(self, receive: Receive, limits: Limits, most: int) -> None:
        self._receive, self._limits, self._most = receive, limits, most
        self._start = time.monotonic()
        self._is_done = False
        self.got = 0

    def check(self, size: int) -> None:
        """Refuse a body of that size if it is too large."""
        if size > self._most:
            raise ProblemError(
                "too-large", f"a body may have {self._most:,} bytes; send several requests", headers=CLOSE
            )

    async def receive(self) -> Message:
        if self._is_done:  # what comes now is the end of the connection, however late
            return await self._receive()
        try:
            async with asyncio.timeout(self._patience()):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError("too-slow", "send the body faster, or in smaller requests", headers=CLOSE) from None
        size = len(message.get("body", b""))
        self.check(self.got + size)
        self.got += size
        self._is_done = not message.get("more_body", False)
        return message

    def _patience(self) -> float:
        """Return for how long the next piece may be waited for."""
        limits = self._limits
        left = limits.receive_seconds + self.got / limits.slowest_bytes - (time.monotonic() - self._start)
        return max(0.0, min(limits.idle_seconds, left))


class AdmissionControl:
    """Counts the requests that are inside, refuses more than there may be, and closes when the server stops.

    Args:
        limits: how many requests and files there may be at one time.
        waiting: how many files wait.
        seconds_a_file: the measured pace.

    Attributes:
        stopping: set once the server was asked to stop.
    """

    def __init__(self, limits: Limits, *, waiting: Callable[[], int], seconds_a_file: Callable[[], float]) -> None:
        self._limits, self._waiting, self._seconds_a_file = limits, waiting, seconds_a_file
        self._inside, self._at_work = 0, 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.stopping = asyncio.Event()

    @property
    def inside(self) -> int:
        """How many requests are received or worked on."""
        return self._inside

    def check_open(self) -> None:
        """Let nothing new in once the server was asked to stop.

        Raises:
            ProblemError: it was (503).
        """
        if self.stopping.is_set():
            raise ProblemError("stopping", "the server finishes what it has begun; ask again later", headers=CLOSE)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Count a request in as `counted` does: it is received, then worked on (see `working`).

        Raises:
            ProblemError: the server is stopping (503), or there is too much to do (429 with Retry-After).
        """
        self.check_open()
        self._check_room()
        with self.counted():
            yield

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request in for as long as the block runs; a server that stops waits for it.

        Raises:
            ProblemError: the server is stopping (503).
        """
        self.check_open()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Count a request that was received whole as worked on; those whose bodies drip take nobody's place.

        Raises:
            ProblemError: there is too much to do (429 with Retry-After).
        """
        self._check_room()
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    async def close(self, seconds: float) -> None:
        """Let nobody in any more and wait until everybody is out, or for so many seconds."""
        self.stopping.set()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return

    def _check_room(self) -> None:
        if self._at_work < self._limits.requests and self._waiting() < self._limits.files_waiting:
            return
        work = max(self._waiting(), self._at_work)
        seconds = max(1, math.ceil(work * self._seconds_a_file() / 2))  # by then half of it is done
        raise ProblemError("busy", f"ask again in {seconds} s", headers={"retry-after": str(seconds)})


def _declared(scope: Scope) -> int:
    """Return what the header says of the size; a body without one is counted as it comes."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
