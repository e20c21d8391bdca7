"""Who may ask: the Host and Origin of a request, the API key, and the headers that bind a browser."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tumorscope.serve.problems import ProblemError
from tumorscope.serve.settings import LOOPBACK_NAMES, ServeSettings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
GUARDED = ("/v1/", "/metrics")
"""Paths that need the key; the page itself and the probes hold nothing secret."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""Sent with every answer that does not set one of them itself."""


class Access:
    """ASGI middleware: refuses requests that a browser was tricked into, and those without the key."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app, self._settings = app, settings
        self._key = None if settings.api_key is None else settings.api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it may come in."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if self._settings.is_loopback or self._settings.allow_host:
                _check_host(headers, self._settings)
            if scope["method"] not in SAFE_METHODS:
                _check_origin(headers, self._settings)
            if self._key is not None and scope["path"].startswith(GUARDED):
                _check_key(headers, self._key)
        await self._app(scope, receive, send)


def _check_host(headers: Headers, settings: ServeSettings) -> None:
    """Refuse names that somebody else's DNS points at this machine (DNS rebinding)."""
    host = _host_name(headers.get("host", ""))
    if host in (*LOOPBACK_NAMES, settings.host, *settings.allow_host):
        return
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise ProblemError("bad-host", "ask by 127.0.0.1 or localhost; a gateway's name is let in by --allow-host")


def _check_origin(headers: Headers, settings: ServeSettings) -> None:
    """Refuse what another site's page asks for; programs send no Origin.

    Behind a gateway the page comes from the gateway's name, and the Host header may or may not name it.
    """
    origin = headers.get("origin")
    if origin is None:
        is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    else:
        place = _place(origin)
        is_foreign = place != headers.get("host", "").lower() and _host_name(place) not in settings.allow_host
    if is_foreign:
        raise ProblemError("foreign-origin", "only this server's own page and programs may ask for this")


def _check_key(headers: Headers, key: bytes) -> None:
    shown = headers.get("x-api-key")
    if shown is None:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        shown = rest.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(shown.encode("latin-1", "replace"), key):
        raise ProblemError(
            "no-key",
            "send the key of this server as X-API-Key, or as Authorization: Bearer",
            headers={"www-authenticate": 'Bearer realm="tumorscope"'},
        )


def _place(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
