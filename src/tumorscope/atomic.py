"""Writing that is never seen half done: to a temporary name beside the target, then renamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tumorscope.errors import OutputError


@contextmanager
def replacing(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `target` when the block ends well, and vanishes when it does not.

    The temporary name keeps the suffix of `target`, since many writers choose the format by it.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _output_error(target, error) from error
    try:
        yield folder / target.name
        os.replace(folder / target.name, target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_text(target: str | Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(target) as path:
        path.write_text(text, encoding="utf-8")


def write_bytes(target: str | Path, data: bytes) -> None:
    """Write `data`."""
    with replacing(target) as path:
        path.write_bytes(data)


def write_json(target: str | Path, value: Any) -> None:
    """Write `value` as readable JSON; NaN is refused, since JSON has none."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _output_error(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"cannot be written ({reason.lower()})", file=target, remedy="free some space or choose another --out"
    )
