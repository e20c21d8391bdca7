"""Where an archive is asked for, with which credentials, and what its refusals mean."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from tumorscope.errors import OutputError, TumorscopeError, UsageError

MIRROR = "TUMORSCOPE_MIRROR"
"""The environment variable that names a mirror: the same paths under another address."""

KAGGLE_HOST, KAGGLE_PATH = "www.kaggle.com", "/api/v1/"
KAGGLE_REMEDY = (
    "put your kaggle.json (kaggle.com, Settings, API) into ~/.kaggle or set KAGGLE_API_TOKEN, "
    "and accept the set's terms on its page"
)


def mirrored(url: str, mirror: str | None) -> str:
    """Return `url` under the address of a mirror, which serves the same paths; without one `url` itself.

    >>> mirrored("https://zenodo.org/records/1/files/a.zip?download=1", "http://pacs.local:8080/zenodo/")
    'http://pacs.local:8080/zenodo/records/1/files/a.zip?download=1'

    Raises:
        UsageError: `mirror` is no http or https address.
    """
    base = mirror or os.environ.get(MIRROR, "")
    if not base:
        return url
    try:
        asked = urlsplit(base)
        known = asked.scheme in ("http", "https") and bool(asked.hostname) and asked.port != 0
    except ValueError:  # no port, or a broken IPv6 address
        known = False
    if not known:
        raise UsageError(f"'{base}' is no address of a mirror", remedy="write it as https://host or http://host:port")
    parts = urlsplit(url)
    return base.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def _one_line(token: str) -> str:
    """Return a token as a header may hold it: a header that is refused would be told whole, secret and all."""
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise UsageError(
            "the token for Kaggle is not one line of plain letters", remedy="copy it from kaggle.com again"
        )
    return token


def credentials(url: str) -> str | None:
    """Return the Authorization header for an address of Kaggle itself; None for any other one, a mirror too.

    A token (``KAGGLE_API_TOKEN``, or the file ``access_token``) goes before a name with a key (``KAGGLE_USERNAME`` and
    ``KAGGLE_KEY``, or ``kaggle.json``); the files lie in ``~/.kaggle`` or in ``KAGGLE_CONFIG_DIR``.

    Raises:
        UsageError: a file is there but not readable as such.
    """
    if urlsplit(url).hostname != KAGGLE_HOST:
        return None
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle")
    token_file, key_file = folder / "access_token", folder / "kaggle.json"
    try:
        token = os.environ.get("KAGGLE_API_TOKEN") or (token_file.read_text() if token_file.is_file() else "")
        if token.strip():
            return f"Bearer {_one_line(token)}"
        name, key = os.environ.get("KAGGLE_USERNAME", ""), os.environ.get("KAGGLE_KEY", "")
        if not (name and key):
            if not key_file.is_file():
                return None
            stored = json.loads(key_file.read_text(encoding="utf-8"))
            name, key = str(stored["username"]), str(stored["key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "has no credentials that can be read", file=folder, remedy="download kaggle.json from kaggle.com again"
        ) from error
    return "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()


def stated_hash(record: str, name: str) -> str | None:
    """Return the hash that a Zenodo record states for one of its files, as ``md5:…``; None where it cannot be had."""
    import requests

    try:
        answer = requests.get(record, timeout=20)
        answer.raise_for_status()
        stated = {file["key"]: str(file["checksum"]) for file in answer.json()["files"]}
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return None
    return stated.get(name)


def refusal(url: str, status: int) -> TumorscopeError:
    """Return the error that says what an HTTP status means for the user."""
    if status in (401, 403) and KAGGLE_PATH in urlsplit(url).path:
        return OutputError(f"Kaggle wants to know who asks ({status})", file=url, remedy=KAGGLE_REMEDY)
    if status in (401, 403, 407):
        return OutputError(f"is refused ({status})", file=url, remedy="check the mirror's or the proxy's credentials")
    if status in (404, 410):
        return OutputError(
            f"is not there ({status})", file=url, remedy="look at the set's page whether it was moved or withdrawn"
        )
    return OutputError(f"cannot be had (HTTP {status})", file=url, remedy="try again later")
