"""The images of a training, preprocessed once and read memory-mapped from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog.slices import map_slices, model_input, slice_rows
from tumorscope.files.atomic import replacing
from tumorscope.preprocess import Spec
from tumorscope.progress import Progress


@dataclass(frozen=True)
class ImageCache:
    """Memory-mapped inputs of a table's rows.

    Attributes:
        images: uint8 ``(rows, side, side, channels)``.
        masks: uint8 ``(rows with a mask, side, side)``, 0 and 255.
        mask_row: int32 ``(rows,)``: where a row's mask stands in `masks`, -1 where it has none.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    mask_row: NDArray[np.int32]


def build_cache(table: pd.DataFrame, spec: Spec, folder: Path, progress: Progress | None = None) -> ImageCache:
    """Preprocess every row of a catalog table into `folder`, unless that was done, and open the result.

    Each file appears under its name only when it is complete, so a killed build is built again.

    Raises:
        ScanError: a file went away or was damaged since the catalog was made.
        OutputError: the disk is full.
    """
    images, masks = folder / "images.npy", folder / "masks.npy"
    mask_row = np.full(len(table), -1, np.int32)
    has_mask = (table["mask_file"] != "").to_numpy()
    mask_row[has_mask] = np.arange(has_mask.sum())
    shape = (len(table), spec.side, spec.side, spec.depth)
    mask_count = int(has_mask.sum())
    if not (_complete(images, shape) and _complete(masks, (mask_count, spec.side, spec.side))):
        _write(table, spec, images, masks, mask_count, progress)
    return ImageCache(np.load(images, mmap_mode="r"), np.load(masks, mmap_mode="r"), mask_row)


def cache_folder(shared: Path, table: pd.DataFrame, spec: Spec) -> Path:
    """Return the folder, among those that trainings share, of one table's slices under one spec."""
    rows = table[["file", "slice", "channel", "mask_file", "sha256"]].to_csv(index=False)
    return shared / hashlib.sha256((spec.model_dump_json() + rows).encode()).hexdigest()[:16]


def _write(
    table: pd.DataFrame, spec: Spec, images: Path, masks: Path, mask_count: int, progress: Progress | None
) -> None:
    """Write the rows one after the other: into a memory map, a full disk would end the process without a word."""
    with (
        replacing(images) as image_path,
        replacing(masks) as mask_path,
        image_path.open("wb") as image_file,
        mask_path.open("wb") as mask_file,
    ):
        _begin(image_file, (len(table), spec.side, spec.side, spec.depth))
        _begin(mask_file, (mask_count, spec.side, spec.side))
        for done, (image, mask) in enumerate(_inputs(table, spec), start=1):
            image_file.write(image.tobytes())
            if mask is not None:
                mask_file.write(mask.tobytes())
            if progress and (done % 50 == 0 or done == len(table)):
                progress("preprocessing", done, len(table))


def _begin(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _inputs(table: pd.DataFrame, spec: Spec) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]:
    rows = slice_rows(table, table["mask_file"].to_list())
    return map_slices(rows, lambda read: model_input(read, spec), channels=spec.channels, masks=True)


def _complete(path: Path, shape: tuple[int, ...]) -> bool:
    if not path.is_file():
        return False
    return np.load(path, mmap_mode="r" if np.prod(shape) else None).shape == shape
