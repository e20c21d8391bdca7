"""The LGG segmentation set (Buda et al. 2019): a folder a patient, a mask beside every slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from tumorscope.catalog.layouts.listing import Entry, Listing, files_in, folders_in
from tumorscope.tasks.threads import cores, side_by_side
from tumorscope.words import NOTUMOR, TUMOR

MASK = "_mask"
PATIENT_PARTS = 3
"""A folder is named TCGA_<site>_<patient>_<date>; the first three parts name the patient."""


def list_kaggle_3m(root: Path) -> Listing | None:
    """List the slices of patient folders with masks; a slice has a tumor where its mask is not empty."""
    patients = [folder for folder in folders_in(root) if _has_masks(folder)]
    if not patients:
        return None
    pairs = [(file, _mask_of(file)) for folder in patients for file in files_in(folder) if MASK not in file.stem]
    drawn = side_by_side(lambda pair: _drawn(pair[1]), pairs, cores())
    entries = [
        _entry(root, file, mask, tumor, index if len(tumors) > 1 else None)
        for (file, mask), tumors in drawn
        for index, tumor in enumerate(tumors)
    ]
    return Listing("kaggle_3m", root, entries)


def _entry(root: Path, file: Path, mask: Path, tumor: bool, index: int | None) -> Entry:
    patient = "_".join(file.parent.name.split("_")[:PATIENT_PARTS])
    return Entry(
        path=file.relative_to(root).as_posix(),
        label=TUMOR if tumor else NOTUMOR,
        kind="lower-grade glioma" if tumor else "",
        patient=patient,
        sequence="FLAIR",
        plane="axial",
        mask=mask.relative_to(root).as_posix() if tumor else "",
        slice=index,
    )


def _has_masks(folder: Path) -> bool:
    return any(MASK in file.stem for file in files_in(folder))


def _mask_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}{MASK}{file.suffix}")


def _drawn(mask: Path) -> list[bool]:
    """Tell of each page of a mask whether anything is drawn on it; a mask that cannot be read has one, and nothing."""
    try:
        with Image.open(mask) as image:
            return [bool(np.asarray(page).any()) for page in ImageSequence.Iterator(image)]
    except OSError:
        return [False]
