"""BRISC 2025: a classification task in class folders, a segmentation task with masks, facts in the file names."""

from __future__ import annotations

from pathlib import Path

from tumorscope.catalog.layouts.listing import Entry, Listing, files_in, folders_in
from tumorscope.words import NOTUMOR, class_name, plane_name, sequence_name, split_name

TASKS = CLASSIFICATION, SEGMENTATION = ("classification_task", "segmentation_task")


def list_brisc(root: Path) -> Listing | None:
    """List the classification task, each slice with its mask from the segmentation task; or that task alone."""
    classification, segmentation = root / CLASSIFICATION, root / SEGMENTATION
    if not (classification.is_dir() or segmentation.is_dir()):
        return None
    masks = _masks(segmentation)
    files = _files(classification, 2) if classification.is_dir() else _files(segmentation, 2, only="images")
    entries = [_entry(root, file, masks) for file in files]
    return Listing("brisc", root, entries)


def _entry(root: Path, file: Path, masks: dict[str, Path]) -> Entry:
    """Read the name ``brisc2025_<split>_<number>_<class>_<plane>_<sequence>``; the folder's class goes first."""
    parts = [*file.stem.split("_"), "", "", "", "", "", ""]
    folder = file.parent.name
    label = class_name(parts[3] if folder == "images" else folder)
    mask = masks.get(file.stem)
    split = next((name for name in map(split_name, reversed(file.relative_to(root).parts[:-1])) if name), "")
    return Entry(
        path=file.relative_to(root).as_posix(),
        label=label,
        sequence=sequence_name(parts[5]),
        plane=plane_name(parts[4]),
        mask=mask.relative_to(root).as_posix() if mask is not None and label != NOTUMOR else "",
        split=split,
    )


def _masks(segmentation: Path) -> dict[str, Path]:
    if not segmentation.is_dir():
        return {}
    return {file.stem: file for file in _files(segmentation, 2, only="masks")}


def _files(folder: Path, depth: int, only: str = "") -> list[Path]:
    if depth == 0:
        return files_in(folder) if only in ("", folder.name) else []
    return [file for inner in folders_in(folder) for file in _files(inner, depth - 1, only)]
