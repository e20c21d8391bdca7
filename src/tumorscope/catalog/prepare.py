"""A data set -> the pictures as a model would see them, with their catalog: smaller, cropped, all of one kind."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog.build import build_catalog
from tumorscope.catalog.groups import add_groups, twin_roots
from tumorscope.catalog.slices import map_slices, mask_files, model_input, slice_rows
from tumorscope.catalog.table import COLUMNS, Catalog, slice_names, write_catalog
from tumorscope.errors import UsageError
from tumorscope.files.atomic import replacing
from tumorscope.preprocess import Spec
from tumorscope.progress import Progress
from tumorscope.scans import Channels

CATALOG_CSV, INDEX_CSV, MASKS = "catalog.csv", "index.csv", "masks"
INDEX_COLUMNS = ("path", "label", "kind", "patient", "sequence", "plane", "mask", "split")


def prepare(
    data: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    side: int = 224,
    crop: bool = True,
    channels: Channels = "one",
    progress: Progress | None = None,
) -> Catalog:
    """Write the slices of data sets cropped, resized and windowed, as gray PNG files, with their masks.

    The folder that comes out is DATA itself: its ``index.csv`` keeps labels, patients, sequences, planes, masks and
    the published split; its ``catalog.csv`` also holds groups, twins and folds. Files that cannot be read are left
    out and stand in the returned catalog's `unreadable`.

    Args:
        data: folders, CSV files, or the word ``phantom``.
        out: a new or empty folder; it appears when everything is written.
        side: height and width of what is written, in pixels.
        crop: cut the empty border around the head away.
        channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' writes each.
        progress: told how far the job is.

    Returns:
        The catalog of what was written; its paths are relative to `out`.

    Raises:
        UsageError: `out` holds something already.
        CatalogError: a data set has no known layout.
        OutputError: the folder cannot be written.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("is not a new or empty folder", file=out, remedy="give another --out")
    items: list[str | Path] = [data] if isinstance(data, str | Path) else list(data)
    spec = Spec(side=side, crop=crop)
    catalog = add_groups(build_catalog(items, channels=channels, progress=progress), progress=progress)
    with replacing(out) as folder:
        folder.mkdir()
        written = _write_slices(catalog, spec, folder, progress)
        prepared = Catalog(written, {out.name: out}, dict(catalog.layouts), catalog.unreadable, [], catalog.prints)
        write_catalog(prepared, folder / CATALOG_CSV)
        index = written.assign(split=written["official"])[list(INDEX_COLUMNS)]
        index.to_csv(folder / INDEX_CSV, index=False, lineterminator="\n")
    return prepared.with_table(written.assign(file=[str(out / path) for path in written["path"]]))


def _write_slices(catalog: Catalog, spec: Spec, folder: Path, progress: Progress | None) -> pd.DataFrame:
    table = catalog.table
    names = _new_paths(table)
    written = []
    rows = slice_rows(table, mask_files(table, catalog.roots))
    inputs = map_slices(rows, lambda read: model_input(read, spec), masks=True)
    for number, (name, (image, mask)) in enumerate(zip(names, inputs, strict=True), start=1):
        written.append(_write_slice(folder, name, image[..., 0], mask))
        if progress and (number % 50 == 0 or number == len(names)):
            progress("writing", number, len(names))
    first: dict[str, str] = {}
    for dataset, old, name in zip(table["dataset"], slice_names(table), names, strict=True):
        first.setdefault(f"{dataset}/{old}", name)
    return table.assign(
        path=names,
        series="",
        slice=pd.array([pd.NA] * len(table), dtype="Int64"),
        channel=pd.array([pd.NA] * len(table), dtype="Int64"),
        dataset=folder.name,
        width=spec.side,
        height=spec.side,
        mode="L",
        sha256=[digest for digest, _ in written],
        mask=[mask for _, mask in written],
        twin_of=[first[root] if old else "" for root, old in zip(twin_roots(table), table["twin_of"], strict=True)],
    )[[*COLUMNS, "official"]]


def _new_paths(table: pd.DataFrame) -> list[str]:
    """Name each slice after its file, its number and its sequence where a file holds several; a folder for each set."""
    several = table["dataset"].nunique() > 1
    taken: set[str] = set()
    names = []
    columns = (table[name] for name in ("dataset", "path", "slice", "channel", "sequence"))
    for dataset, path, index, channel, sequence in zip(*columns, strict=True):
        inside = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        old = PurePosixPath(*([dataset] if several else []), *inside)
        name = f"{old.with_suffix('')}{'' if pd.isna(index) else f'_{index:03}'}"
        name += "" if pd.isna(channel) else f"_{sequence}"
        names.append(_free_name(name, old.suffix, taken))
    return names


def _free_name(name: str, suffix: str, taken: set[str]) -> str:
    """Return ``name.png``, or ``name-jpg.png`` and so on where another file has that name already."""
    choice, number = f"{name}.png", 2
    if choice.lower() in taken:
        choice = f"{name}-{suffix.lstrip('.')}.png"
    while choice.lower() in taken:
        choice, number = f"{name}-{number}.png", number + 1
    taken.add(choice.lower())
    return choice


def _write_slice(folder: Path, name: str, image: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> tuple[str, str]:
    """Write one slice and its mask; return the hash of the picture's file and the mask's path."""
    digest = _write_png(folder / name, image)
    if mask is None:
        return digest, ""
    _write_png(folder / MASKS / name, mask)
    return digest, f"{MASKS}/{name}"


def _write_png(path: Path, image: NDArray[np.uint8]) -> str:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode(".png", image)[1].tobytes()
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
