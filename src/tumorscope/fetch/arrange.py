"""What a layout of the catalog needs beyond unpacking: an index of named folders, MATLAB files as pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tumorscope.errors import OutputError
from tumorscope.fetch.sets import PublicSet

if TYPE_CHECKING:
    from tumorscope.progress import Progress

INDEX = "index.csv"
CHENG_LABELS = {1: "meningioma", 2: "glioma", 3: "pituitary"}
"""As the set's own README numbers them."""


def arrange(folder: Path, public_set: PublicSet, *, check: bool = True, progress: Progress | None = None) -> None:
    """Bring an unpacked set into the layout that the catalog reads.

    Raises:
        OutputError: the files are not what the set is known to have.
    """
    if public_set.arrange == "kinds":
        index_kinds(folder, public_set.kinds)
    elif public_set.arrange == "cheng":
        convert_cheng(folder, check=check, progress=progress)


def index_kinds(folder: Path, kinds: dict[str, str]) -> None:
    """Write the index of folders that are named ``<kind> <sequence>``.

    Raises:
        OutputError: a folder's name has another kind.
    """
    from tumorscope.catalog.layouts.listing import files_in, folders_in
    from tumorscope.words import class_name, kind_class, sequence_name

    rows = []
    for named in folders_in(folder):
        word, _, sequence = named.name.partition(" ")
        if word not in kinds:
            raise OutputError(
                "is a kind that is not known", file=named.name, remedy="the publisher changed the set; look at its page"
            )
        kind = kinds[word]
        label = kind_class(kind) or class_name(kind)
        rows += [(f"{named.name}/{file.name}", label, kind, sequence_name(sequence)) for file in files_in(named)]
    _write_index(folder / INDEX, ("path", "label", "kind", "sequence"), rows)


def convert_cheng(folder: Path, *, check: bool = True, progress: Progress | None = None) -> None:
    """Replace the MATLAB 7.3 files ``<n>.mat`` of the Cheng set by 16-bit pictures, masks and an index.

    The index keeps the patient and the number of each slice, and the patient-disjoint fold that the shipped atlas has
    for it. With `check`, all numbers must be there, and each with the tumor that the atlas has.

    Raises:
        OutputError: a file is not readable as such, lacks, or has another tumor.
    """
    from tumorscope.twins.atlas import LABELS, load_atlas

    atlas = load_atlas()
    known = {int(n): (int(f), LABELS[label]) for n, f, label in zip(atlas.index, atlas.fold, atlas.label, strict=True)}
    files = {int(path.stem): path for path in folder.rglob("*.mat") if path.stem.isdigit()}
    rows = []
    for done, (number, path) in enumerate(sorted(files.items()), start=1):
        slice_ = _read_mat(path)
        fold, label = known.get(number, ("", slice_["label"]))
        if check and slice_["label"] != label:
            raise OutputError(f"is a {slice_['label']}, and known to be a {label}", file=path.name)
        picture, mask = f"{slice_['label']}/{number}.png", f"masks/{slice_['label']}/{number}.png"
        _write_png(folder / picture, slice_["image"])
        _write_png(folder / mask, slice_["mask"])
        rows.append((picture, slice_["label"], slice_["patient"], "T1ce", mask, number, fold))
        path.unlink()
        if progress and (done % 50 == 0 or done == len(files)):
            progress("converting", done, len(files))
    if check and (lacking := sorted(set(known) - set(files))):
        raise OutputError(f"{len(lacking):,} of {len(known):,} slices lack: {lacking[0]}.mat, …", file=folder.name)
    _write_index(folder / INDEX, ("path", "label", "patient", "sequence", "mask", "cheng_index", "fold"), rows)


def _read_mat(path: Path) -> dict[str, Any]:
    """Return image (uint16), mask (uint8, 0 or 255), label and patient of a slice; MATLAB stores columns first."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            data = file["cjdata"]
            image, mask = np.asarray(data["image"]).T, np.asarray(data["tumorMask"]).T
            label = CHENG_LABELS[int(np.asarray(data["label"]).ravel()[0])]
            patient = "".join(chr(int(code)) for code in np.asarray(data["PID"]).ravel())
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise OutputError("is not a slice of the Cheng set", file=path.name) from error
    return {"image": _brightened(image), "mask": (mask > 0).astype(np.uint8) * 255, "label": label, "patient": patient}


def _brightened(image: Any) -> Any:
    """Return the picture as uint16, times the largest whole number that fits: not all dark, and nothing is lost."""
    levels = np.clip(image, 0, np.iinfo(np.uint16).max).astype(np.uint16)
    return levels * np.uint16(np.iinfo(np.uint16).max // max(int(levels.max()), 1))


def _write_png(path: Path, image: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def _write_index(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([columns, *rows])
