"""The pictures that a finding is shown with: one flat overlay, or the layers that a viewer lays over one another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.inference.decide import shown_class
from tumorscope.inference.model import Slice
from tumorscope.model_file import NOTUMOR, Card
from tumorscope.preprocess import Plane
from tumorscope.results.overlays import encode_png, overlay

HEATMAP_SIDE = 512
"""Pixels of the longer side of a heatmap at most; the map has far fewer cells."""
SMALLEST_OUTLINE = 3
"""Points; fewer enclose nothing."""


@dataclass(frozen=True)
class Layers:
    """What a viewer needs to draw a slice itself.

    Attributes:
        width: of the slice, in pixels.
        height: of the slice, in pixels.
        picture: PNG of the slice, gray, the whole range of its values: 8 bits, or 16 where the file is deeper.
        heatmap: PNG, 8-bit gray, at most `HEATMAP_SIDE` on its longer side: how strongly each place speaks for the
            shown class, as strong at its peak as a tumor is probable.
        outlines: contours of the heatmap at half its peak, as lists of (x, y) in pixels of the slice; none where no
            tumor is called.
        shown: the class whose heatmap it is.
    """

    width: int
    height: int
    picture: bytes
    heatmap: bytes
    outlines: list[list[tuple[int, int]]]
    shown: str


def draw_overlay(card: Card, behind: Slice) -> bytes:
    """Return the PNG that `predict` writes for a slice."""
    plane = _plane(behind)
    heatmap = behind.heatmaps[shown_class(card, behind.said)]
    return encode_png(overlay(plane, heatmap, behind.item.placement, weight=behind.said.tumor_probability))


def draw_layers(card: Card, behind: Slice) -> Layers:
    """Return the layers of a slice; its plane must have been kept."""
    plane = _plane(behind)
    gray = plane if plane.ndim == 2 else np.ascontiguousarray(plane[..., 1])
    shown = shown_class(card, behind.said)
    glow = behind.item.placement.to_slice(np.maximum(behind.heatmaps[shown], 0), gray.shape)
    strength = glow / max(float(glow.max()), 1e-6)
    height, width = gray.shape
    return Layers(
        width=width,
        height=height,
        picture=encode_png(_gray_levels(gray, is_deep=behind.item.is_deep)),
        heatmap=encode_png(_at_most(np.rint(strength * behind.said.tumor_probability * 255).astype(np.uint8))),
        outlines=[] if behind.said.label == NOTUMOR else _outlines(strength),
        shown=card.classes[shown],
    )


def _plane(behind: Slice) -> Plane:
    if behind.item.plane is None:
        raise ValueError("the plane of the slice was not kept")
    return behind.item.plane


def _gray_levels(gray: Plane, *, is_deep: bool) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return gray values that a PNG can hold; those outside 0 to 255 are brought into its range, none is cut off."""
    low, high = float(gray.min()), float(gray.max())
    if low < 0 or high > 255:
        gray = (gray - low) * (255 / (high - low))
    if is_deep:
        return np.rint(gray * 257).astype(np.uint16)
    return np.rint(gray).astype(np.uint8)


def _at_most(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = HEATMAP_SIDE / max(picture.shape)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _outlines(strength: Plane) -> list[list[tuple[int, int]]]:
    mask = (strength >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [[(int(x), int(y)) for x, y in points[:, 0]] for points in contours if len(points) >= SMALLEST_OUTLINE]
