"""What of a head makes it this very slice and not its neighbor: local structure, free of contrast and brightness."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

MAP_SIDE = 64
BLUR = 3.0
"""Structures wider than this (standard deviation, pixels of 64) are taken out: all brains share them."""
FLOOR = 0.35
"""Local contrast below this share of the slice's own is not amplified: it is noise of the background."""
BAND_SIDE = 24
BAND = 300
"""Frequencies kept of a feature map: those of the lowest sum of orders, without the mean."""

Maps = NDArray[np.float32]
TRANSFORMS = ("none", "mirror", "turn90", "turn180", "turn270", "mirror+turn90", "mirror+turn180", "mirror+turn270")


def feature_maps(heads: NDArray[np.uint8]) -> Maps:
    """Return float32 ``(n, 64, 64)`` of zero mean and unit norm; all zero for a slice without content."""
    out = np.empty(heads.shape, np.float32)
    for i, head in enumerate(heads):
        out[i] = _feature_map(head.astype(np.float32))
    return out


def transformed(maps: Maps, transform: str) -> Maps:
    """Mirror and turn the last two axes; `transform` is what makes the second of a pair from the first."""
    out = maps
    for step in transform.split("+"):
        if step == "mirror":
            out = out[..., ::-1]
        elif step.startswith("turn"):
            out = np.rot90(out, int(step[4:]) // 90, axes=(-2, -1))
    return out


def band_of(maps: Maps) -> NDArray[np.float32]:
    """Return the low frequencies of maps, float32 ``(n, BAND)`` of unit norm."""
    basis = _cosines()
    rows, columns = _band_orders()
    spectrum = np.einsum("ui,nij,vj->nuv", basis, maps, basis, optimize=True)
    return unit(spectrum[:, rows, columns])


def maps_of_band(band: NDArray[np.float32]) -> Maps:
    """Return the maps that hold these frequencies and no others, unit norm."""
    basis = _cosines()
    spectrum = np.zeros((len(band), BAND_SIDE, BAND_SIDE), np.float32)
    spectrum[(slice(None), *_band_orders())] = band
    return np.asarray(np.einsum("ui,nuv,vj->nij", basis, spectrum, basis, optimize=True), np.float32)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to unit norm; rows of zeros stay."""
    norms = np.linalg.norm(rows.reshape(len(rows), -1), axis=1)
    return np.asarray(rows / np.maximum(norms, 1e-6).reshape(-1, *[1] * (rows.ndim - 1)), np.float32)


def _feature_map(head: NDArray[np.float32]) -> NDArray[np.float32]:
    high = head - cv2.GaussianBlur(head, (0, 0), BLUR)
    spread = np.sqrt(cv2.GaussianBlur(high * high, (0, 0), 2 * BLUR))
    level = float(np.sqrt((high * high).mean()))
    if level < 1:
        return np.zeros(head.shape, np.float32)
    out = high / (spread + FLOOR * level)
    out -= out.mean()
    return np.asarray(out / np.linalg.norm(out), np.float32)


@cache
def _cosines() -> NDArray[np.float32]:
    order, place = np.arange(BAND_SIDE)[:, None], np.arange(MAP_SIDE)[None]
    basis = np.cos(np.pi * order * (2 * place + 1) / (2 * MAP_SIDE)) * np.sqrt(2 / MAP_SIDE)
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


@cache
def _band_orders() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = np.divmod(np.arange(BAND_SIDE**2), BAND_SIDE)
    by_order = np.lexsort((rows, np.maximum(rows, columns), rows + columns))[1 : BAND + 1]
    return rows[by_order], columns[by_order]
