"""From data sets on disk to a catalog: every file opened once, its facts and its fingerprint taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tumorscope.catalog.layouts import Entry, Listing, data_roots, list_data
from tumorscope.catalog.table import COLUMNS, NUMBERS, Catalog
from tumorscope.errors import CatalogError, ScanError
from tumorscope.progress import Progress
from tumorscope.scans import Channels, Scan, open_scan, sequence_of
from tumorscope.scans.formats import is_misnamed
from tumorscope.scans.scan import channel_of
from tumorscope.tasks.threads import chunks_of, cores, side_by_side
from tumorscope.twins.fingerprint import Fingerprint, fingerprint
from tumorscope.twins.fingerprints import Fingerprints

BATCH = 8
"""Files that a thread opens at a time."""
SAME_SEQUENCE = 2.0
"""Mean difference in gray levels under which a channel only repeats FLAIR, as it does where a sequence is missing."""


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
    files = ((name, listing.root, entry) for name, listing in listings.items() for entry in listing.entries)

    def work(batch: Sequence[tuple[str, Path, Entry]]) -> list[_Opened]:
        return [_open(name, root, entry, channels) for name, root, entry in batch]

    for _, opened in side_by_side(work, chunks_of(files, BATCH), cores()):
        yield from opened


def _open(dataset: str, root: Path, entry: Entry, channels: Channels) -> _Opened:
    """Open one file; a slice of it that cannot be read is named, and the others are taken."""
    opened, file = _Opened(), root / entry.path
    try:
        with open_scan(file) as scan:
            if is_misnamed(file, scan.header.format):
                named = {"named": file.suffix.lstrip("."), "is": scan.header.format}
                opened.misnamed.append({"path": entry.path, **named})
            for index in range(scan.header.slices) if entry.slice is None else [entry.slice]:
                _take_slice(opened, dataset, entry, scan, index, channels)
    except ScanError as error:
        opened.unreadable.append({"path": entry.path, "problem": error.what})
    return opened


def _take_slice(opened: _Opened, dataset: str, entry: Entry, scan: Scan, index: int, channels: Channels) -> None:
    header = scan.header
    is_one_of_several = header.slices > 1
    try:
        grays = {
            channel: scan.read(index, sequence_of(header, channel))
            for channel in _channels(scan, index, entry, channels)
        }
    except ScanError as error:
        if not is_one_of_several:
            raise
        opened.unreadable.append({"path": f"{entry.path} [{index}]", "problem": error.what})
        return
    for channel, gray in grays.items():
        opened.rows.append(
            {
                "path": entry.path,
                "series": entry.path if is_one_of_several else "",
                "slice": index if is_one_of_several else None,
                "channel": channel,
                "dataset": dataset,
                "label": entry.label,
                "kind": entry.kind,
                "patient": entry.patient,
                "sequence": entry.sequence if channel is None else header.sequences[channel],
                "plane": entry.plane,
                "mask": entry.mask,
                "width": gray.shape[1],
                "height": gray.shape[0],
                "mode": header.mode,
                "sha256": header.sha256,
                "official": entry.split,
            }
        )
        opened.prints.append(fingerprint(gray))


def _channels(scan: Scan, index: int, entry: Entry, channels: Channels) -> list[int | None]:
    sequences = scan.header.sequences
    if not sequences:
        return [None]
    if entry.channel is not None:
        if entry.channel >= len(sequences):
            raise ScanError(f"has no channel {entry.channel}, but {len(sequences)} sequences", file=scan.source)
        return [entry.channel]
    usual = channel_of(scan.header, None)
    if channels == "one":
        return [usual]
    flair = scan.read(index)
    return [
        channel
        for channel, sequence in enumerate(sequences)
        if channel == usual or np.abs(scan.read(index, sequence) - flair).mean() > SAME_SEQUENCE
    ]


def _table(rows: list[dict[str, Any]], roots: dict[str, Path]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*COLUMNS, "official"])
    for name in COLUMNS:
        table[name] = table[name].astype("Int64") if name in NUMBERS else table[name].astype(object).fillna("")
    table["source"] = table["dataset"]
    table["file"] = [str(roots[name] / path) for name, path in zip(table["dataset"], table["path"], strict=True)]
    return table
