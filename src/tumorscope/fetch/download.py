"""One archive over HTTP: resumed where it broke off, checked, and never seen under its name before it is whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.errors import OutputError
from tumorscope.fetch.addresses import credentials, refusal
from tumorscope.files.atomic import unwritable
from tumorscope.version import __version__

if TYPE_CHECKING:
    from requests import Response

    from tumorscope.progress import Progress

CHUNK = 1 << 16
TIMEOUT = (20.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""

PATIENCE = 4
"""How often an address that sends nothing new is asked again; any byte received starts the count anew."""

PASSING = (408, 425, 429, 500, 502, 503, 504)
MEGABYTE = 1_000_000


def download(
    url: str, folder: Path, name: str, *, known_hash: str | None = None, size: int | None = None,
    progress: Progress | None = None, pause: float = 1.0,
) -> Path:  # fmt: skip
    """Bring an archive into `folder`; what is there under its name already, whole and right, is kept.

    What a broken connection leaves is ``<name>.part``, and a later call goes on from there where the server can (RFC
    9110, section 14), else from the start.

    Args:
        url: where it lies.
        folder: where it goes.
        name: what it is called there.
        known_hash: ``sha256:…`` or ``md5:…``, or None where the publisher states none.
        size: in bytes, where it is known.
        progress: told how many megabytes are there.
        pause: seconds before the first new attempt; it doubles with each.

    Raises:
        OutputError: the address refuses, the connection breaks for good, the archive is not the right one, or the disk
            is full.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")  # it tells where it stores what, which is ours to say
    part = _Part(folder / f"{name}.part", size, progress, pause)
    try:
        path = pooch.retrieve(url, known_hash, fname=name, path=folder, downloader=part.complete)
    except ValueError as error:  # what pooch raises where a hash does not fit
        raise OutputError(
            f"is not the file that was published ({(known_hash or '').partition(':')[0]} differs)",
            file=url, remedy="try again; if it stays so, the publisher changed it",
        ) from error  # fmt: skip
    except OSError as error:
        raise unwritable(folder, error) from error
    return Path(path)


class _Part:
    """The part of an archive that is there, and how to make it whole. Pooch calls `complete`."""

    def __init__(self, path: Path, size: int | None, progress: Progress | None, pause: float) -> None:
        self.path = path
        self.state = path.with_name(f"{path.name}.json")
        self.size, self.progress, self.pause = size, progress, pause

    def complete(self, url: str, target: str, _: Any = None) -> None:
        """Ask until all is there, then move it to `target`."""
        import requests

        vain = 0
        while True:
            before = self._have()
            try:
                if self._ask(url):
                    break
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                reason = _reason(error)
            except requests.RequestException as error:
                raise OutputError(
                    f"cannot be asked ({_reason(error)})", file=url, remedy="check the address"
                ) from error
            else:
                reason = "it ended too early"
            vain = 0 if self._have() > before else vain + 1
            if vain == PATIENCE:
                raise OutputError(
                    f"cannot be reached any more ({reason}; {self._have() / MEGABYTE:.1f} MB are kept)",
                    file=url, remedy="check the network and give the same command again: it goes on from there",
                )  # fmt: skip
            time.sleep(self.pause * 2**vain)
        self.state.unlink(missing_ok=True)
        os.replace(self.path, target)

    def _ask(self, url: str) -> bool:
        """Ask for what is lacking and write it; return whether the whole is there."""
        import requests

        have, validator = self._have(), self._validator()
        headers = {"User-Agent": f"tumorscope/{__version__}", "Accept-Encoding": "identity"}
        if have and validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        if login := credentials(url):
            headers["Authorization"] = login  # requests drops it where a redirect leads to another host
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code in PASSING:
                raise requests.ConnectionError(f"HTTP {answer.status_code}")
            if answer.status_code == 416:  # there is nothing behind what we have: it is whole, or another file now
                whole = answer.headers.get("Content-Range", "") == f"bytes */{have}"
                if not whole:
                    self._forget()
                return whole
            if answer.status_code not in (200, 206):
                raise refusal(url, answer.status_code)
            return self._write(answer, have)

    def _write(self, answer: Response, have: int) -> bool:
        resumed = answer.status_code == 206 and _first_byte(answer) == have
        if answer.status_code == 206 and not resumed:
            self._forget()
            return False
        start = have if resumed else 0
        total = start + int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else self.size
        self._check_space(answer.url, (total or 0) - start)
        self.state.write_text(json.dumps(_validator_of(answer)), encoding="utf-8")
        with self.path.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                if self.progress and total:
                    name = self.path.name.removesuffix(".part")
                    self.progress(f"downloading {name}, MB", file.tell() // MEGABYTE, -(-total // MEGABYTE))
        have = self._have()
        if total and have != total:
            return False
        if self.size and have != self.size:
            self._forget()
            raise OutputError(
                f"has {have:,} bytes, and {self.size:,} were published",
                file=answer.url, remedy="look at the set's page whether it was changed",
            )  # fmt: skip
        return True

    def _check_space(self, url: str, lacking: int) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if lacking > free:
            raise OutputError(
                f"needs {lacking / MEGABYTE:,.0f} MB, and {free / MEGABYTE:,.0f} MB are free in {self.path.parent}",
                file=url, remedy="free some space or choose another --out",
            )  # fmt: skip

    def _have(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def _validator(self) -> str:
        try:
            return str(json.loads(self.state.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return ""

    def _forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)


def _validator_of(answer: Response) -> str:
    """Return what names this version of the file; a weak tag does not say that the bytes are equal."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _first_byte(answer: Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _reason(error: Exception) -> str:
    """Return the last and plainest words of what requests and urllib3 say."""
    text = str(error).rsplit("]", maxsplit=1)[-1]
    return re.sub(r"[()'\"<>]", "", text.split(":")[-1]).strip() or type(error).__name__
