"""The phantom sets that the primer trains on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.phantom import PhantomSlice, draw_phantom

SEED = 5
SIDE = 64
FEW, MANY, VAL, TEST = 48, 240, 120, 360
"""Slices to train on (a small and a larger set), to validate on and to test on; three slices a patient."""
LEAK_SLICES, FRESH = 240, 240
"""Drawn for the leaky set, in which each stands twice, and of other patients to see what its models are worth."""
LEAK_SIDE = 128
"""Copies are told from neighbors by their fine structure, which smaller pictures lack."""


def write_parts(folder: Path, train_slices: int) -> Path:
    """Write a phantom set with training, validation and test parts; no patient is in two of them."""
    sizes = (("test", TEST), ("val", VAL), ("train", train_slices))
    drawn = draw_phantom(sum(size for _, size in sizes), seed=SEED, side=SIDE)
    rows = [(part, next(drawn)) for part, size in sizes for _ in range(size)]
    return _write(folder, [(drawn.image, drawn, drawn.patient, part) for part, drawn in rows])


def write_leaky(folder: Path) -> Path:
    """Write a phantom set in which every slice stands twice, once changed as copies in public sets are."""
    rows = []
    for number, drawn in enumerate(draw_phantom(LEAK_SLICES, seed=SEED + 1, side=LEAK_SIDE)):
        rows += [(drawn.image, drawn, drawn.patient, ""), (changed(drawn.image, number), drawn, "", "")]
    return _write(folder, rows)


def write_fresh(folder: Path) -> Path:
    """Write slices of patients that the leaky set does not hold, drawn in the same way."""
    drawn = draw_phantom(FRESH, seed=SEED + 2, side=LEAK_SIDE)
    return _write(folder, [(one.image, one, one.patient, "") for one in drawn])


def changed(image: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Return a near copy: recompressed or with another contrast, in turns."""
    if number % 2 == 0:
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.clip(image.astype(np.float32) * 1.2 - 8, 0, 255).astype(np.uint8)


def followed_slice() -> PhantomSlice:
    """Return the test slice that the page follows through the small network."""
    drawn = draw_phantom(TEST, seed=SEED, side=SIDE)
    return next(one for one in drawn if (one.label, one.sequence) == ("glioma", "T1ce"))


def _write(folder: Path, rows: list[tuple[NDArray[np.uint8], PhantomSlice, str, str]]) -> Path:
    lines = ["path,label,patient,sequence,plane,split"]
    for number, (image, drawn, patient, part) in enumerate(rows):
        path = f"{drawn.label}/{number:04d}.png"
        (folder / drawn.label).mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(cv2.imencode(".png", image)[1].tobytes())
        lines.append(f"{path},{drawn.label},{patient},{drawn.sequence},{drawn.plane},{part}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
