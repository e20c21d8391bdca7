"""The process of one audit: ``python -m tumorscope.serve.audits.worker``, an order on stdin, lines of JSON on stdout.

An audit keeps a core busy for minutes. In a process of its own, at a low priority, it takes nothing from answers, can
be killed, and whatever a hostile file does to a decoder happens there. It ends when its stdin does: when the server
dies.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.errors import CatalogError, OutputError, TumorscopeError
from tumorscope.files.atomic import write_json
from tumorscope.serve.audits.order import FACTS, FILES, TWINS, Order
from tumorscope.serve.audits.unpack import unpack_zip

if TYPE_CHECKING:
    from tumorscope.audits.audit import Audited
    from tumorscope.catalog import Catalog

NICE = 10
QUIET_SECONDS = 0.2
"""Progress is told no more often than this."""
UNPACKING = "unpacking"


def main() -> None:
    """Take the order, make the audit, and say on stdout how it went."""
    os.nice(NICE)
    order = Order.from_json(sys.stdin.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()
    try:
        make_audit(order, _Teller())
    except TumorscopeError as error:
        _say(
            {"error": _without_path(error, order), "remedy": error.remedy, "is_output": isinstance(error, OutputError)}
        )
        sys.exit(1)
    except Exception as error:
        _say({"crash": f"{type(error).__name__} at {_places(error)}"})
        sys.exit(2)


def make_audit(order: Order, progress: Callable[[str, int, int], None]) -> None:
    """Unpack where there is a zip, audit, and write the results: the audit's own files, the twins, the facts.

    Raises:
        TumorscopeError: the data cannot be audited.
    """
    from tumorscope.audits.audit import run_audit
    from tumorscope.pages.audit import write_audit
    from tumorscope.serve.audits.twins import TwinStore

    folder = _unpacked(order, progress) if order.folder is None else order.folder
    progress("looking", 0, 1)
    check_inside(folder, order.allowed, order.most_files)
    audit = run_audit(folder, seed=order.seed, progress=progress)
    progress("writing", 0, 1)
    audit.summary["data"] = [order.shown]
    split, facts = _with_split(audit, order.seed)
    TwinStore(order.out / TWINS).write(audit, split, order.allowed)
    write_audit(replace(audit, catalog=split), order.out)
    write_json(order.out / FACTS, facts)
    progress("writing", 1, 1)


def check_inside(folder: Path, allowed: Path, most_files: int) -> None:
    """Refuse a data set of which anything lies outside of the folder that may be read.

    A link may lead out, and the rows of an ``index.csv`` may name any path.

    Raises:
        CatalogError: something does, or there are too many files.
    """
    from tumorscope.catalog import list_data

    count = 0
    for parent, folders, files in os.walk(folder):
        count += len(files)
        if count > most_files:
            raise CatalogError(f"holds more than {most_files:,} files", file=folder, remedy="choose a folder in it")
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink() and not _is_inside(path, allowed):
                raise _leads_out(path.relative_to(folder).as_posix(), folder)
    listing = list_data(folder)
    for entry in listing.entries:
        if not _is_inside(listing.root / entry.path, allowed):
            raise _leads_out(entry.path, folder)


def _unpacked(order: Order, progress: Callable[[str, int, int], None]) -> Path:
    """Unpack under another name first: a folder of the right name is whole, also where the server was killed before."""
    assert order.archive is not None
    folder, draft = order.out / FILES, order.out / f"{FILES}.part"
    if not folder.is_dir():
        progress(UNPACKING, 0, 1)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        unpack_zip(order.archive, draft, order.zip_limits)
        draft.rename(folder)
    order.archive.unlink(missing_ok=True)
    return folder


def _with_split(audit: Audited, seed: int) -> tuple[Catalog, dict[str, Any]]:
    """Fill in the split that cuts no group; where there are too few groups for one, say so."""
    from tumorscope.catalog import assign_split

    try:
        split = assign_split(audit.catalog, "grouped", seed=seed)
    except CatalogError as error:
        return audit.catalog, {"split": None, "why_no_split": error.what}
    counts = split.table["split"].value_counts()
    return split, {"split": {part: int(counts.get(part, 0)) for part in ("train", "val", "test")}, "why_no_split": None}


def _is_inside(path: Path, allowed: Path) -> bool:
    try:
        return path.resolve().is_relative_to(allowed)
    except (OSError, RuntimeError, ValueError):
        return False


def _leads_out(path: str, folder: Path) -> CatalogError:
    return CatalogError(
        f"names a file outside of the folder that may be read ({ascii(path)[1:-1]})",
        file=folder, remedy="put the file itself there instead of a link or a path to it",
    )  # fmt: skip


def _without_path(error: TumorscopeError, order: Order) -> str:
    """Return what is wrong without the paths of this machine."""
    text = " ".join(error.what.split())
    for path in (order.folder, order.archive, order.out, order.allowed):
        if path is not None:
            text = text.replace(str(path), "the data")
    return text


def _places(error: Exception) -> str:
    """Return where in the code an error came from; its message may quote a file and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))


class _Teller:
    """Says on stdout how far the audit is, now and then."""

    def __init__(self) -> None:
        self._last, self._what = 0.0, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._what or now - self._last > QUIET_SECONDS:
            self._last, self._what = now, what
            _say({"what": what, "done": done, "total": total})


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _end_with_server() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
