"""The one door from rows of a catalog to pixels and masks: each scan is opened once for all of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.errors import ScanError
from tumorscope.preprocess import Spec, place, preprocess, preprocess_mask
from tumorscope.scans import Pixels, open_scan, read_sequences, sequence_of
from tumorscope.tasks.threads import chunks_of, cores, side_by_side

Result = TypeVar("Result")
NUMBERS = ("slice", "channel")
"""Of a catalog's columns: with the hash of the file they tell a slice from every other."""
BATCH = 8
"""Scans that a thread reads at a time."""


@dataclass(frozen=True)
class SliceRow:
    """What finds one slice, and its mask: a row of a catalog.

    Attributes:
        file: the full path of its scan.
        index: which slice of the scan.
        channel: number of the sequence, or None for the usual one.
        mask: the full path of its mask, '' where there is none.
    """

    file: str
    index: int = 0
    channel: int | None = None
    mask: str = ""


@dataclass(frozen=True)
class SliceRead:
    """One slice as read.

    Attributes:
        pixels: float32 ``(height, width)``, or ``(height, width, 3)`` of three sequences.
        mask: bool ``(height, width)``, where the tumor is; None where there is no mask, or it was not asked for.
    """

    pixels: Pixels
    mask: NDArray[np.bool_] | None = None


def slice_keys(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return what tells slices apart wherever their files lie: hash, slice and channel, ``(n,)``."""
    numbers = (table[name].astype("Int64").astype(object).where(table[name].notna(), "") for name in NUMBERS)
    found = zip(table["sha256"], *numbers, strict=True)
    return np.array([f"{sha}:{number}:{channel}" for sha, number, channel in found], str)


def mask_files(table: pd.DataFrame, roots: dict[str, Path]) -> list[str]:
    """Return the full path of each row's mask, '' where it has none."""
    named = zip(table["dataset"], table["mask"], strict=True)
    return [str(Path(roots[dataset]) / mask) if mask else "" for dataset, mask in named]


def slice_rows(table: pd.DataFrame, masks: Sequence[str] | None = None) -> list[SliceRow]:
    """Return what finds the slices of a catalog's rows, in order.

    Args:
        table: the rows.
        masks: for each the full path of its mask, or '' (see `mask_files`).
    """
    indices, channels = table["slice"].astype("Int64").fillna(0), table["channel"].astype("Int64")
    found = zip(table["file"], indices, channels, [""] * len(table) if masks is None else masks, strict=True)
    return [
        SliceRow(str(file), int(index), None if pd.isna(channel) else int(channel), mask)
        for file, index, channel, mask in found
    ]


def map_slices(
    rows: list[SliceRow],
    function: Callable[[SliceRead], Result],
    *,
    channels: Literal["gray", "lgg"] = "gray",
    masks: bool = False,
) -> Iterator[Result]:
    """Yield what `function` makes of each row's slice, in order; read and made on all cores.

    Rows of one scan that follow each other are read from one opening of it. Of the pixels only what `function` keeps
    stays.

    Args:
        rows: see `slice_rows`.
        function: called in a thread.
        channels: 'lgg' reads three sequences together (see `read_sequences`).
        masks: read the masks too.

    Raises:
        ScanError: a file went away or was damaged since the catalog was made, or holds no three sequences.
    """

    def work(scans: list[list[SliceRow]]) -> list[Result]:
        return [function(read) for of_scan in scans for read in read_rows(of_scan, channels=channels, masks=masks)]

    scans = (list(of_scan) for _, of_scan in groupby(rows, key=lambda row: row.file))
    for _, results in side_by_side(work, chunks_of(scans, BATCH), cores()):
        yield from results


def model_input(read: SliceRead, spec: Spec) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Preprocess a slice: its input, and its mask at the same place if it has one."""
    placed = place(read.pixels, spec)
    mask = None if read.mask is None else preprocess_mask(read.mask, placed)
    return preprocess(read.pixels, spec, placed), mask


def read_rows(
    rows: list[SliceRow], *, channels: Literal["gray", "lgg"] = "gray", masks: bool = False
) -> Iterator[SliceRead]:
    """Read rows of one scan, which is opened once (see `map_slices`)."""
    with open_scan(rows[0].file) as scan:
        for row in rows:
            sequence = sequence_of(scan.header, row.channel)
            pixels = read_sequences(scan, row.index) if channels == "lgg" else scan.read(row.index, sequence)
            mask = read_mask(row, (pixels.shape[0], pixels.shape[1]), scan.header.slices) if masks else None
            yield SliceRead(pixels, mask)


def read_mask(row: SliceRow, shape: tuple[int, int], slices: int = 1) -> NDArray[np.bool_] | None:
    """Read the mask of a slice at the size of the slice; None where it has none.

    A mask of another size is brought to that of its slice by the nearest pixel. The mask of a scan of several slices
    has as many.

    Args:
        row: of the slice.
        shape: height and width of the slice.
        slices: how many its scan has.

    Raises:
        ScanError: it cannot be read, or has another number of slices than the scan.
    """
    if not row.mask:
        return None
    with open_scan(row.mask) as drawn:
        if drawn.header.slices != slices:
            raise ScanError(
                f"has {drawn.header.slices} slice(s), and the scan it is the mask of has {slices}",
                file=row.mask,
                remedy="give a mask of as many slices",
            )
        values = read_sequences(drawn, row.index).max(axis=-1) if drawn.header.sequences else drawn.read(row.index)
    return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)
