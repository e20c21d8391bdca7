"""Problem documents (RFC 9457) and failures of the network -> errors that say what to do."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from tumorscope.errors import (
    AccessError,
    BusyError,
    ConnectionLostError,
    GoneError,
    ServerError,
    TooLargeError,
    UnreachableError,
)

KINDS: dict[int, tuple[type[ServerError], str | None]] = {
    401: (AccessError, "give the key of the server: Client(url, api_key=KEY)"),
    403: (AccessError, None),
    404: (GoneError, None),
    413: (TooLargeError, None),
    429: (BusyError, "ask again later, or let Client wait longer with patience=SECONDS"),
    503: (BusyError, "ask again later, or let Client wait longer with patience=SECONDS"),
}
"""By status: which error, and what to do where the server does not say it."""


def problem(url: str, status: int, content: bytes) -> ServerError:
    """Return the error that an answer stands for.

    Args:
        url: of the server.
        status: of the answer, 300 or above.
        content: its body, a problem document if it is the server itself that answers.
    """
    kind, remedy = KINDS.get(status, (ServerError, None))
    detail = _document(content).get("detail")
    if not isinstance(detail, str):
        reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "unknown"
        detail = f"the answer was {status} ({reason.lower()}), not one of tumorscope"
        remedy = remedy or "check the address, and what stands between here and the server"
    return kind(detail, file=url, remedy=remedy, status=status)


def unreachable(url: str, error: Exception) -> UnreachableError:
    """Return the error for a server to which no connection can be made."""
    return UnreachableError(
        f"no server answers ({_reason(error)})", file=url, remedy="start one with: tumorscope serve, or check the url"
    )


def broken_off(url: str, error: Exception) -> ConnectionLostError:
    """Return the error for a connection that ended, or stood still, before the answer was whole."""
    return ConnectionLostError(
        f"the connection broke off ({_reason(error)})",
        file=url,
        remedy="ask again; for slow networks, give Client a longer timeout=SECONDS",
    )


def _reason(error: Exception) -> str:
    return str(error).lower().rstrip(".") or type(error).__name__


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
