"""How the flows travel over httpx, sync or async."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal
from urllib.parse import urlsplit

from tumorscope.client.flows import Ask
from tumorscope.client.problems import broken_off, unreachable
from tumorscope.errors import MissingExtraError, ServerError, UsageError

URL = "http://127.0.0.1:8000"
TIMEOUT, PATIENCE, PARALLEL = 120.0, 60.0, 4
Channels = Literal["one", "all"]
Told = Callable[[str, int, int], None]


def load_httpx() -> ModuleType:
    """Return httpx.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "the client needs httpx, which is not installed", remedy="pip install 'tumorscope[client]'"
        ) from error
    return httpx


def connection_options(url: str, api_key: str | None, timeout: float) -> dict[str, Any]:
    """Return what both of httpx's clients are made with.

    Raises:
        UsageError: the url is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"'{url}' is no address of a server", remedy="write it as http://127.0.0.1:8000")
    return {
        "base_url": url,
        "headers": {} if api_key is None else {"X-API-Key": api_key},
        "timeout": timeout,
        "trust_env": not _is_here(parts.hostname),  # a proxy of the environment does not lead back to this machine
    }


def request_options(request: Ask) -> dict[str, Any]:
    """Return what of a request is the same for both of httpx's clients: all but the body."""
    headers = {} if request.body is None else request.body.headers
    return {"method": request.method, "url": request.path, "params": dict(request.params), "headers": headers}


def translated(url: str, error: Exception) -> ServerError:
    """Return our error for one of httpx's."""
    httpx = load_httpx()
    is_refused = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol)
    return unreachable(url, error) if is_refused else broken_off(url, error)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
