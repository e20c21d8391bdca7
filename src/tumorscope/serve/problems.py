"""Every error as a problem document (RFC 9457): ``application/problem+json`` with type, title, status and detail."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tumorscope.errors import OutputError, TumorscopeError
from tumorscope.jobs import JobGoneError, TooManyJobsError

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:tumorscope:problem:"
BLANK = "about:blank"
PROBLEMS: dict[str, tuple[int, str]] = {
    "bad-body": (400, "The body cannot be read"),
    "bad-host": (400, "The Host header is not one of this server"),
    "no-key": (401, "An API key is needed"),
    "foreign-origin": (403, "The request comes from another site"),
    "no-job": (404, "There is no such job"),
    "too-slow": (408, "The body came too slowly"),
    "too-large": (413, "The body is too large"),
    "too-many-files": (413, "There are too many files"),
    "wrong-content-type": (415, "The body is of another type"),
    "wrong-input": (422, "The request is not understood"),
    "busy": (429, "Too much is asked at once"),
    "internal": (500, "Something went wrong"),
    "stopping": (503, "The server is stopping"),
    "took-too-long": (503, "The answer took too long"),
    "no-room": (507, "The server cannot write"),
}
"""By name: status and title. The type of a problem is `PREFIX` and its name."""
PROBLEM_KEY = "tumorscope.problem"
FULL_SECONDS = 30
"""Clients that come while too many jobs are open are asked to wait so long."""
PLACES = 6
log = logging.getLogger("tumorscope.serve")


class ProblemError(HTTPException):
    """An error that a client is told; one that FastAPI and Starlette pass on as it is.

    Args:
        name: a key of `PROBLEMS`.
        detail: what is wrong with this request and what to do, in one line without anything of the server's inside.
        headers: to be sent with it.
        extra: further members of the document.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.extra = dict(extra or {})
        super().__init__(PROBLEMS[name][0], detail, headers)


class ProblemResponse(Response):
    """The document of a problem, which leaves its name for who counts under ``PROBLEM_KEY`` of the request's scope."""

    def __init__(self, error: HTTPException) -> None:
        if isinstance(error, ProblemError):
            self.problem, kind, title, extra = error.name, PREFIX + error.name, PROBLEMS[error.name][1], error.extra
        else:
            title, kind, extra = HTTPStatus(error.status_code).phrase, BLANK, {}
            self.problem = title.lower().replace(" ", "-")
        document = {"type": kind, "title": title, "status": error.status_code, "detail": str(error.detail), **extra}
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
        super().__init__(body, error.status_code, dict(error.headers or {}), MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the document."""
        scope[PROBLEM_KEY] = self.problem
        await super().__call__(scope, receive, send)


def internal_problem(error: BaseException) -> ProblemError:
    """Log an error of ours and return what a client may know of it: nothing."""
    log_place(error)
    return ProblemError("internal", "the server failed; its log says where")


def no_room(error: Exception) -> ProblemError:
    """Log why something cannot be written and return the problem of it."""
    log_place(error)
    return ProblemError("no-room", "the server's disk is full or cannot be written; ask again later")


def log_place(error: BaseException) -> None:
    """Log an error by its place in the code; not its message, which may quote what a client has sent."""
    log.error("internal error %s at %s", type(error).__name__, places(error.__traceback__))


def places(trace: TracebackType | None) -> str:
    """Return the innermost places of a traceback in one line."""
    frames = traceback.extract_tb(trace)[-PLACES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return ProblemResponse(error)

    async def on_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return ProblemResponse(_wrong_input(error))

    async def on_ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, TumorscopeError)
        return ProblemResponse(_of_ours(error))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(TumorscopeError, on_ours)


def _of_ours(error: TumorscopeError) -> ProblemError:
    """Return the problem of an error of the package; its file is left out, since it may name a path of ours."""
    if isinstance(error, OutputError):
        return no_room(error)
    text = error.what if error.remedy is None else f"{error.what}; {error.remedy}"
    if isinstance(error, JobGoneError):
        return ProblemError("no-job", text)
    if isinstance(error, TooManyJobsError):
        return ProblemError("busy", text, headers={"Retry-After": str(FULL_SECONDS)})
    return ProblemError("wrong-input", text)


def _wrong_input(error: RequestValidationError) -> ProblemError:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": str(fault["msg"])} for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
    return ProblemError("wrong-input", detail, extra={"errors": faults})
