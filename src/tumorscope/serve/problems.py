"""Every error as a problem document (RFC 9457): ``application/problem+json`` with type, title, status and detail."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tumorscope.errors import TumorscopeError

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
    "not-ready": (503, "The server is not ready"),
    "took-too-long": (503, "The answer took too long"),
}
"""By name: status and title. The type of a problem is `PREFIX` and its name."""
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


def problem_response(error: HTTPException) -> Response:
    """Return the problem document of an error."""
    if isinstance(error, ProblemError):
        kind, title, extra = PREFIX + error.name, PROBLEMS[error.name][1], error.extra
    else:
        kind, title, extra = BLANK, HTTPStatus(error.status_code).phrase, {}
    document = {"type": kind, "title": title, "status": error.status_code, "detail": str(error.detail), **extra}
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, error.status_code, dict(error.headers or {}), MEDIA_TYPE)


def internal_problem(error: Exception) -> ProblemError:
    """Log an error of ours by its place in the code, and return what a client may know of it: nothing.

    The message of the error is not logged: it may quote what the client has sent.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))
    log.error("internal error %s at %s", type(error).__name__, where)
    return ProblemError("internal", "the server failed; its log says where")


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(error)

    async def on_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_wrong_input(error))

    async def on_ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, TumorscopeError)
        text = error.what if error.remedy is None else f"{error.what}; {error.remedy}"
        return problem_response(ProblemError("wrong-input", text))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(TumorscopeError, on_ours)


def _wrong_input(error: RequestValidationError) -> ProblemError:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": str(fault["msg"])} for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
    return ProblemError("wrong-input", detail, extra={"errors": faults})
