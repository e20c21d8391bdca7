"""A CSV of ``path,label[,kind,patient,sequence,plane,mask,split]``, by itself or as the ``index.csv`` of a folder."""

from __future__ import annotations

import csv
from pathlib import Path

from tumorscope.catalog.layouts.listing import Entry, Listing
from tumorscope.errors import CatalogError
from tumorscope.words import class_name, plane_name, sequence_name, split_name

INDEX = "index.csv"
REQUIRED = ("path", "label")
OWN_LAYOUT = "masoud_7023_file"
"""A column by which one knows a set that is stored as references to another one."""


def list_folder_index(root: Path) -> Listing | None:
    """List what the folder's ``index.csv`` names; None where it has none."""
    index = root / INDEX
    return Listing(INDEX, root, read_index(index)) if index.is_file() else None


def list_csv(path: Path) -> Listing:
    """List what a CSV names, relative to the folder it lies in."""
    return Listing("csv", path.parent, read_index(path))


def read_index(path: Path) -> list[Entry]:
    """Read the rows of a CSV.

    Raises:
        CatalogError: it is not text, lacks ``path`` or ``label``, or a row lacks its path or names an unknown split.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogError("is not a readable CSV", file=path, remedy="save it as UTF-8 text") from error
    _check_columns(columns, path)
    return [_entry(row, path, number) for number, row in enumerate(rows, start=2)]


def _check_columns(columns: object, path: Path) -> None:
    found = list(columns) if isinstance(columns, list | tuple) else []
    if missing := [name for name in REQUIRED if name not in found]:
        remedy = "it must have path,label[,kind,patient,sequence,plane,mask,split]"
        if OWN_LAYOUT in found:
            remedy = "this set is stored as references; write it out with rebuild.py and give the folder that it makes"
        raise CatalogError(
            f"has no column {' and no '.join(missing)} (columns: {', '.join(map(str, found)) or 'none'})",
            file=path,
            remedy=remedy,
        )


def _entry(row: dict[str, str], path: Path, line: int) -> Entry:
    if not row["path"] or not row["label"]:
        raise CatalogError(f"line {line} has no path or no label", file=path, remedy="fill it in or drop the line")
    split = split_name(row.get("split", ""))
    if row.get("split") and not split:
        raise CatalogError(
            f"line {line} names the split '{row['split']}'", file=path, remedy="use train, val, test or leave it empty"
        )
    return Entry(
        path=row["path"],
        label=class_name(row["label"]),
        kind=row.get("kind", ""),
        patient=row.get("patient", ""),
        sequence=sequence_name(row.get("sequence", "")),
        plane=plane_name(row.get("plane", "")),
        mask=row.get("mask", ""),
        split=split,
        slice=_number(row, "slice", path, line),
        channel=_number(row, "channel", path, line),
    )


def _number(row: dict[str, str], column: str, path: Path, line: int) -> int | None:
    """Return a count from 0; a table that was written with numbers may have it as ``3.0``."""
    text = row.get(column, "")
    if not text:
        return None
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        raise CatalogError(
            f"line {line} has the {column} '{text}'", file=path, remedy="number from 0, or leave it empty"
        )
    return int(digits)
