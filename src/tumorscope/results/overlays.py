"""Pictures of findings: the heatmap over the slice, and a contact sheet of many."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.preprocess import Placement, Plane

Picture = NDArray[np.uint8]
OPACITY = 0.45
MIN_SIDE = 256
MAX_SIDE = 65_535
"""Pixels of the longer side of an overlay; common viewers open no more, and a PNG cannot hold any number of them."""
TILE = 220
COLUMNS = 5
CAPTION = 40
BACKGROUND, FOREGROUND = (24, 20, 16), (235, 230, 225)


def overlay(plane: Plane, heatmap: NDArray[np.float32], placement: Placement, *, weight: float = 1.0) -> Picture:
    """Lay one class activation map over its slice: what speaks for the class glows, the rest stays gray.

    Args:
        plane: ``(height, width)`` or ``(height, width, 3)``, any scale.
        heatmap: ``(h, w)`` of the model's input; negative evidence is not shown.
        placement: where the slice lies in the input.
        weight: 0 to 1, how strong the glow is; with the probability of a tumor a slice without one stays gray.

    Returns:
        BGR uint8, `MIN_SIDE` to `MAX_SIDE` pixels on its longer side.
    """
    gray = _display(plane if plane.ndim == 2 else plane[..., 1])
    longer = max(gray.shape)
    scale = min(max(longer, MIN_SIDE), MAX_SIDE) / longer
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    glow = placement.to_slice(np.maximum(heatmap, 0), gray.shape[:2])
    strength = cv2.resize(glow / max(float(glow.max()), 1e-6), size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    base = cv2.cvtColor(cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    color = cv2.applyColorMap((strength * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (OPACITY * weight * strength)[..., None]
    return np.rint(base * (1 - share) + color * share).astype(np.uint8)


def contact_sheet(pictures: Sequence[tuple[Picture, str, str]]) -> Picture:
    """Arrange pictures on one sheet, each with two lines of text (name, answer) under it."""
    columns = min(COLUMNS, max(1, len(pictures)))
    tiles = [_tile(*picture) for picture in pictures]
    tiles += [_empty_tile()] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def encode_png(picture: Picture | NDArray[np.uint16]) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def _display(plane: Plane) -> Picture:
    low, high = np.percentile(plane, (0.5, 99.5))
    return np.rint(np.clip((plane - low) / max(float(high - low), 1e-6), 0, 1) * 255).astype(np.uint8)


def _empty_tile() -> Picture:
    return np.full((TILE + CAPTION, TILE, 3), BACKGROUND, np.uint8)


def _tile(picture: Picture, name: str, answer: str) -> Picture:
    tile, inner = _empty_tile(), TILE - 10
    scale = inner / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = 5 + (inner - size[1]) // 2, 5 + (inner - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    for line, text in enumerate((name, answer)):
        plain = text.encode("utf-8", "replace").decode("utf-8")  # OpenCV crashes on a name that is no text
        shown = plain if len(plain) <= 32 else "..." + plain[-29:]
        place = (6, TILE + 14 + 16 * line)
        cv2.putText(tile, shown, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, FOREGROUND, 1, cv2.LINE_AA)
    return tile
