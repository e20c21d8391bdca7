"""Lesion transplant: a lesion cut out by its mask is blended into a tumor-free slice of any source.

A network that only ever sees tumors in one collection and tumor-free slices in another learns the collection. After a
transplant the same slice of the same collection exists with and without a tumor, so that only the tumor tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Bytes = NDArray[np.uint8]
MIN_AREA = 0.002
MAX_AREA = 0.12
"""Lesions outside these shares of the input's area are no use as donors, or leave no room."""
MIN_VISIBLE = 14.0
"""Least difference, in gray levels, between a lesion and its surroundings: below it nobody could see a tumor."""
TRIES = 4
BRAIN_LEVEL = 25


@dataclass(frozen=True)
class Lesion:
    """A lesion and what is around it: ``patch`` and ``mask`` (soft, 0 to 1), both ``(h, w)``, ``around`` its level."""

    patch: Image
    mask: Image
    around: float


def usable_mask(mask: Bytes) -> bool:
    """Whether the lesion under a mask has a size worth transplanting."""
    share = float((mask > 0).mean())
    return MIN_AREA <= share <= MAX_AREA


def transplant(target: Bytes, donor: Bytes, mask: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes] | None:
    """Blend the lesion of `donor` into `target`, scaled, turned and with its contrast changed.

    Args:
        target: a tumor-free input, uint8 ``(side, side)``.
        donor: an input with a lesion, uint8 ``(side, side)``.
        mask: the donor's lesion, uint8 ``(side, side)``.
        rng: decides where and how.

    Returns:
        The new input and the lesion's mask in it, or None where no visible lesion fits.
    """
    lesion = _cut(donor, mask, rng)
    if lesion is None:
        return None
    for _ in range(TRIES):
        spot = _spot(target, lesion.mask.shape, rng)
        if spot is None:
            return None
        blended = _blend(target, lesion, spot, rng)
        if blended is not None:
            return blended
    return None


def _cut(donor: Bytes, mask: Bytes, rng: np.random.Generator) -> Lesion | None:
    side = donor.shape[0]
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    center = (float(columns.mean()), float(rows.mean()))
    reach = float(max(np.ptp(rows), np.ptp(columns))) + 12
    zoom = float(np.exp(rng.uniform(np.log(0.6), np.log(1.5))))
    zoom = min(zoom, 0.5 * side / reach)
    size = int(np.ceil(reach * zoom * 1.2)) | 1
    matrix = cv2.getRotationMatrix2D(center, rng.uniform(0, 360), zoom)
    matrix[0, 2] += size / 2 - center[0]
    matrix[1, 2] += size / 2 - center[1]
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    patch = cv2.warpAffine(donor, matrix, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32)
    hard = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR) > 127
    if hard.sum() < 12:
        return None
    ring = cv2.dilate(hard.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool) & ~hard & (patch > BRAIN_LEVEL)
    around = float(np.median(patch[ring])) if ring.sum() > 8 else float(np.median(patch[hard]))
    soft = np.asarray(cv2.GaussianBlur(hard.astype(np.float32), (0, 0), max(0.8, 0.02 * size)), np.float32)
    return Lesion(patch, soft, around)


def _spot(target: Bytes, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int] | None:
    """Return the top left corner of a random place whose middle lies well inside the head."""
    brain = cv2.morphologyEx((target > BRAIN_LEVEL).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    depth = cv2.distanceTransform(brain, cv2.DIST_L2, 3)
    inside = np.argwhere(depth > max(6.0, 0.35 * depth.max()))
    if not len(inside):
        return None
    row, column = inside[rng.integers(len(inside))]
    top, left = int(row) - shape[0] // 2, int(column) - shape[1] // 2
    fits = top >= 0 and left >= 0 and top + shape[0] <= target.shape[0] and left + shape[1] <= target.shape[1]
    return (top, left) if fits else None


def _blend(
    target: Bytes, lesion: Lesion, spot: tuple[int, int], rng: np.random.Generator
) -> tuple[Bytes, Bytes] | None:
    height, width = lesion.mask.shape
    window = np.s_[spot[0] : spot[0] + height, spot[1] : spot[1] + width]
    here = target[window].astype(np.float32)
    inside = lesion.mask > 0.5
    level = float(np.median(here[inside]))
    gain = rng.uniform(0.6, 1.6) * (-1 if rng.random() < 0.15 else 1)
    painted = np.clip(level + gain * (lesion.patch - lesion.around), 0, 255)
    mixed = here * (1 - lesion.mask) + painted * lesion.mask
    if abs(mixed[inside] - here[inside]).mean() < MIN_VISIBLE:
        return None
    out, mask = target.copy(), np.zeros_like(target)
    out[window] = np.rint(mixed).astype(np.uint8)
    mask[window] = inside.astype(np.uint8) * 255
    return out, mask
