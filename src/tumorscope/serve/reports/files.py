"""The files of run folders, which may be broken, huge or half written: what can be read, or one sentence why not."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tumorscope.errors import UsageError

MOST_JSON = 30_000_000
MOST_LOG = 5_000_000
MOST_FINDINGS = 400_000_000
MOST_YAML = 200_000
MOST_ROWS = 20_000
"""Epochs of a log, rows of a leaderboard."""


class FileBrokenError(UsageError):
    """A file of a run cannot be read; `file` is its name alone."""

    def __init__(self, what: str, path: Path, remedy: str = "make the run's results anew") -> None:
        super().__init__(what, file=path.name, remedy=remedy)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; numbers that JSON has not (NaN, infinity) become None.

    Raises:
        FileBrokenError: it is gone, too large, no JSON, or no object.
    """
    text = _text(path, MOST_JSON)
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise FileBrokenError("is not readable JSON", path) from error
    if not isinstance(value, dict):
        raise FileBrokenError("does not hold what it should", path)
    return value


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        FileBrokenError: it is gone, too large, no YAML, or no mapping.
    """
    import yaml

    text = _text(path, MOST_YAML)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileBrokenError("is not readable YAML", path) from error
    if not isinstance(value, dict):
        raise FileBrokenError("does not hold what it should", path)
    return value


def read_numbers(path: Path) -> dict[str, list[float | None]]:
    """Read a CSV of numbers, as ``log.csv`` is, by column; what is no finite number becomes None.

    Raises:
        FileBrokenError: it is gone, too large, or no CSV with a head.
    """
    names, rows = read_table(path)
    return {name: [_number(row[i]) for row in rows] for i, name in enumerate(names)}


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read a small CSV as its head and rows of text, each as long as the head.

    Raises:
        FileBrokenError: it is gone, too large, or no CSV with a head.
    """
    if _size(path) > MOST_LOG:
        raise FileBrokenError(f"is larger than {MOST_LOG / 1e6:.0f} MB", path)
    lines = iter_rows(path)
    names = next(lines, [])
    if not names or len(set(names)) < len(names):
        raise FileBrokenError("has no head of different columns", path)
    rows: list[list[str]] = []
    for row in lines:
        if len(rows) == MOST_ROWS:
            raise FileBrokenError(f"has more than {MOST_ROWS:,} rows", path)
        if row:
            rows.append([*row, *[""] * len(names)][: len(names)])
    return names, rows


def iter_rows(path: Path, most: int = MOST_FINDINGS) -> Iterator[list[str]]:
    """Yield the rows of a CSV one by one, the head first.

    Raises:
        FileBrokenError: it is gone, too large, or no CSV.
    """
    if _size(path) > most:
        raise FileBrokenError(f"is larger than {most / 1e6:.0f} MB", path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.reader(file)
    except (csv.Error, UnicodeError) as error:
        raise FileBrokenError("is not a readable CSV", path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _text(path: Path, most: int) -> str:
    if _size(path) > most:
        raise FileBrokenError(f"is larger than {most / 1e6:.1f} MB", path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeError as error:
        raise FileBrokenError("is not text", path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise FileBrokenError("is no file", path)
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> FileBrokenError:
    return FileBrokenError(f"cannot be read ({(error.strerror or str(error)).lower()})", path, "check who may read it")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
