"""How much is taken from one client, and how much is done at one time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that cannot grow or stand still without end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.job_body_bytes if scope["path"] in LARGE_BODIES else self._limits.body_bytes
        if _declared(scope) > most:
            raise _too_large(most)
        await self._app(scope, self._limited(receive, most), send)

    def _limited(self, receive: Receive, most: int) -> Receive:
        limits, got, start, is_done = self._limits, 0, time.monotonic(), False

        async def limited() -> Message:
            nonlocal got, is_done
            if is_done:  # what comes now is the end of the connection, however late
                return await receive()
            left = limits.receive_seconds + got / limits.slowest_bytes - (time.monotonic() - start)
            try:
                async with asyncio.timeout(max(0.0, min(limits.idle_seconds, left))):
                    message = await receive()
            except TimeoutError:
                raise ProblemError("too-slow", "send the body faster, or in smaller requests", headers=CLOSE) from None
            got += len(message.get("body", b""))
            is_done = not message.get("more_body", False)
            if got > most:
                raise _too_large(most)
            return message

        return limited


class Gate:
    """Counts the requests that are worked on, refuses more than there may be, and closes when the server stops.

    Args:
        limits: how many requests and files there may be at one time.
        waiting: how many files wait.
        seconds_a_file: the measured pace.
    """

    def __init__(self, limits: Limits, *, waiting: Callable[[], int], seconds_a_file: Callable[[], float]) -> None:
        self._limits, self._waiting, self._seconds_a_file = limits, waiting, seconds_a_file
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.stopping = asyncio.Event()

    @property
    def inside(self) -> int:
        """How many requests are worked on."""
        return self._inside

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Count a request in for as long as the block runs.

        Raises:
            ProblemError: the server is stopping (503), or there is too much to do (429 with Retry-After).
        """
        if self.stopping.is_set():
            raise ProblemError("stopping", "the server finishes what it has begun; ask again later", headers=CLOSE)
        if self._inside >= self._limits.requests or self._waiting() >= self._limits.pictures:
            raise self.busy()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    def busy(self) -> ProblemError:
        """Return the problem of a request too many; it says when to come back, by the measured pace."""
        seconds = max(1, math.ceil((self._waiting() + 1) * self._seconds_a_file()))
        return ProblemError("busy", f"ask again in {seconds} s", headers={"retry-after": str(seconds)})

    async def close(self, seconds: float) -> None:
        """Let nobody in any more and wait until everybody is out, or for so many seconds."""
        self.stopping.set()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _too_large(most: int) -> ProblemError:
    return ProblemError("too-large", f"a body may have {most:,} bytes; send several requests", headers=CLOSE)
