"""From data sets on disk to a catalog: every file opened once, its facts and its fingerprint taken."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tumorscope.catalog.layouts import Entry, Listing, data_roots, list_data
from tumorscope.catalog.table import COLUMNS, NUMBERS, Catalog
from tumorscope.errors import CatalogError, ScanError
from tumorscope.progress import Progress
from tumorscope.scans import LGG_DEFAULT_CHANNEL, LGG_SEQUENCES, Channels, Scan, read_scan
from tumorscope.twins.fingerprint import Fingerprint, fingerprint
from tumorscope.twins.fingerprints import Fingerprints

THREADS = 2
AHEAD = 64
"""Files decoded before their turn; a bound on memory."""
SAME_PLANE = 2.0
"""Mean difference in gray levels under which a plane only repeats FLAIR, as planes do where a sequence is missing."""
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}


@dataclass
class _Opened:
    """What opening one file brought."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    prints: list[Fingerprint] = field(default_factory=list)
    unreadable: list[dict[str, str]] = field(default_factory=list)
    misnamed: list[dict[str, str]] = field(default_factory=list)


def build_catalog(
    data: Sequence[str | Path], *, channels: Channels = "one", progress: Progress | None = None
) -> Catalog:
    """Read data sets into a catalog; groups and splits are still empty.

    Args:
        data: folders, CSV files, or the word ``phantom``.
        channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' makes a row of each.
        progress: told how many files are read.

    Raises:
        CatalogError: a DATA has no known layout, or none of its files can be read.
    """
    roots = data_roots(data)
    listings = dict(zip(roots, (list_data(item) for item in data), strict=True))
    total = sum(len(listing.entries) for listing in listings.values())
    gathered = _Opened()
    for done, opened in enumerate(_open_all(listings, channels), start=1):
        for name, values in vars(opened).items():
            getattr(gathered, name).extend(values)
        if progress and (done % 100 == 0 or done == total):
            progress("reading", done, total)
    if not gathered.rows:
        first = gathered.unreadable[0]
        raise CatalogError(
            f"none of its {total} files can be read ({first['path']}: {first['problem']})",
            file=", ".join(map(str, data)),
            remedy="give a folder of pictures",
        )
    return Catalog(
        _table(gathered.rows, roots),
        roots,
        {name: listing.layout for name, listing in listings.items()},
        gathered.unreadable,
        gathered.misnamed,
        Fingerprints.of(gathered.prints),
    )


def _open_all(listings: dict[str, Listing], channels: Channels) -> Iterator[_Opened]:
    waiting: deque[Future[_Opened]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for dataset, listing in listings.items():
            for entry in listing.entries:
                waiting.append(pool.submit(_open, dataset, listing.root, entry, channels))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _open(dataset: str, root: Path, entry: Entry, channels: Channels) -> _Opened:
    opened, file = _Opened(), root / entry.path
    try:
        scan = read_scan(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except ScanError as error:
        opened.unreadable.append({"path": entry.path, "problem": error.what})
        return opened
    file_format = str(scan.meta.get("format", ""))
    if file_format in SUFFIXES and file.suffix.lower() not in SUFFIXES[file_format]:
        opened.misnamed.append({"path": entry.path, "named": file.suffix.lstrip("."), "is": file_format})
    for channel in _channels(scan, entry, channels):
        gray = scan.gray(0, channel)
        opened.rows.append(
            {
                "path": entry.path,
                "channel": channel,
                "dataset": dataset,
                "label": entry.label,
                "kind": entry.kind,
                "patient": entry.patient,
                "sequence": entry.sequence if channel is None else LGG_SEQUENCES[channel],
                "plane": entry.plane,
                "mask": entry.mask,
                "width": gray.shape[1],
                "height": gray.shape[0],
                "mode": str(scan.meta.get("mode", "")),
                "sha256": digest,
                "official": entry.split,
            }
        )
        opened.prints.append(fingerprint(gray))
    return opened


def _channels(scan: Scan, entry: Entry, channels: Channels) -> list[int | None]:
    if not scan.has_sequences:
        return [None]
    if entry.channel is not None:
        return [entry.channel]
    if channels == "one":
        return [LGG_DEFAULT_CHANNEL]
    flair = scan.gray(0, LGG_DEFAULT_CHANNEL)
    return [
        channel
        for channel in range(len(LGG_SEQUENCES))
        if channel == LGG_DEFAULT_CHANNEL or np.abs(scan.gray(0, channel) - flair).mean() > SAME_PLANE
    ]


def _table(rows: list[dict[str, Any]], roots: dict[str, Path]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*COLUMNS, "official"])
    for name in COLUMNS:
        table[name] = table[name].astype("Int64") if name in NUMBERS else table[name].astype(object).fillna("")
    table["source"] = table["dataset"]
    table["file"] = [str(roots[name] / path) for name, path in zip(table["dataset"], table["path"], strict=True)]
    return table
