"""The outermost layer: every answer gets its security headers, every error its problem document, both are counted."""

from __future__ import annotations

from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumorscope.serve.access import SECURITY_HEADERS
from tumorscope.serve.problems import internal_problem, problem_response
from tumorscope.serve.telemetry import Telemetry

METHODS = ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS")
NO_ROUTE = "none"


class Front:
    """ASGI middleware, see above."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if status:  # the answer has begun; the connection is closed in the middle of it
                raise
            problem = error if isinstance(error, HTTPException) else internal_problem(error)
            await problem_response(problem)(scope, receive, sending)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._telemetry.count_request(method, _route(scope), status, start)


def _route(scope: Scope) -> str:
    """Return the pattern of the route; never the path, which a client has written."""
    return str(getattr(scope.get("route"), "path", NO_ROUTE))
