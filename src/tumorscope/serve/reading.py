"""Files of other people's making, served: what is there is told, what is not or leads out is not found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from starlette.responses import FileResponse, Response

from tumorscope.errors import TumorscopeError

SEALED = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'"
"""The policy of a report: a page by itself, with styles and pictures inside; no script runs, nothing is loaded."""


def not_found(error: TumorscopeError) -> HTTPException:
    """Return the problem of a name that leads nowhere."""
    return HTTPException(404, error.what if error.remedy is None else f"{error.what}; {error.remedy}")


def sent_as(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is told of an answer that is a file."""
    text = {"schema": {"type": "string"}}
    return {200: {"description": "The file.", "content": {kind.split(";")[0]: text for kind in media_types}}}


def ascii_json(value: Any, status: int = 200) -> Response:
    """Return plain data as JSON; text from files need not be text, so everything else than ASCII is escaped."""
    return Response(json.dumps(value, allow_nan=False), status, media_type="application/json")


def file_answer(path: Path, media_type: str, *, saved_as: str | None = None) -> Response:
    """Return a file as it is; a page is sealed, and with `saved_as` the browser saves it."""
    headers = {"content-security-policy": SEALED} if media_type.startswith("text/html") else {}
    return FileResponse(path, headers=headers, media_type=media_type, filename=saved_as)
