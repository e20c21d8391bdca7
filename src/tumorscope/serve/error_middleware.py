"""The outermost layer: every answer gets its security headers, every error its problem document, both are counted."""

from __future__ import annotations

import asyncio
from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumorscope.serve.access import SAFE_METHODS, SECURITY_HEADERS
from tumorscope.serve.problems import PROBLEM_KEY, ProblemResponse, internal_problem
from tumorscope.serve.service import Service

METHODS = ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS")
NO_ROUTE = "none"
GONE = 499
"""What is counted where the client left before the answer; nobody is told."""
REFUSALS = (400, 401, 403, 408, 413)
"""Answers that may come before the body was read."""
LINGER_SECONDS = 1.0
"""For so long the rest of a refused body is read and thrown away: a connection that is closed with bytes unread is
reset, and the client would not see why it was refused."""


class ErrorMiddleware:
    """ASGI middleware, see above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        start, answer = perf_counter(), _Exchange(receive, send)
        try:
            if scope["method"] not in SAFE_METHODS:
                service.admission.check_open()
            await self._app(scope, answer.receive, answer.send)
        except ClientDisconnect:
            answer.status = GONE
        except Exception as error:
            if answer.status:  # the answer has begun; the connection is closed in the middle of it
                raise
            problem = error if isinstance(error, HTTPException) else internal_problem(error)
            await ProblemResponse(problem)(scope, answer.receive, answer.send)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            if PROBLEM_KEY in scope:
                service.telemetry.count_refusal(scope[PROBLEM_KEY])
            service.telemetry.count_request(method, _route(scope), answer.status, start)


class _Exchange:
    """The way in and out of one request."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._is_read = False
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and self.status in REFUSALS and not self._is_read:
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._is_read:
                    await self.receive()
        except TimeoutError:
            return


def _route(scope: Scope) -> str:
    """Return the pattern of the route; never the path, which a client has written."""
    return str(getattr(scope.get("route"), "path", NO_ROUTE))
