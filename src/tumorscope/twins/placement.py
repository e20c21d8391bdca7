"""Where a guest lies in its host, pixel by pixel: laid there, compared, and moved by least squares until it settles."""

from __future__ import annotations

from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.twins.structure import SIDE

STEPS = 6
SETTLED = 0.03
"""Pixels of change at which the least squares has settled."""
LEAST_OVERLAP, LEAST_SCALE, MOST_SCALE = 0.5, 0.6, 1.6
MIDDLE = (SIDE - 1) / 2
FROM_MIDDLE = np.arange(SIDE, dtype=np.float32) - np.float32(MIDDLE)
UNKNOWNS = 6
"""Moved and stretched along rows, the same along columns, contrast, brightness."""
FURTHEST = np.array((3, 0.1, 3, 0.1))
Maps = NDArray[np.float32]
Rows = NDArray[np.int64]
Place = list[float]
"""Where the guest lies in the host: row = place[0] + place[1] * (guest's row - middle), [2] and [3] for columns."""
Places = NDArray[np.float64]
"""The same of several, ``(n, 4)``."""
Inside = tuple[slice, slice]


def places_of(windows: NDArray[np.float32]) -> Places:
    """Return the places of guests that show windows of their hosts.

    Args:
        windows: shares of the host cut off at the top, bottom, left and right, ``(n, 4)``.
    """
    top, bottom, left, right = windows.astype(np.float64).T
    rows, columns = MIDDLE + SIDE * (top - bottom) / 2, MIDDLE + SIDE * (left - right) / 2
    return np.stack([rows, 1 - top - bottom, columns, 1 - left - right], axis=1)


def correlate(maps: tuple[Maps, Maps], rows: tuple[Rows, Rows], places: Places) -> NDArray[np.float32]:
    """Return how alike each guest and its host are where they overlap, 0 where they hardly do.

    Args:
        maps: of hosts and of guests.
        rows: of each pair, into `maps`.
        places: of each pair.
    """
    found = zip(rows[0].tolist(), rows[1].tolist(), places.tolist(), strict=True)
    return np.array([_correlation(maps[0][host], maps[1][guest], place) for host, guest, place in found], np.float32)


def settle(maps: tuple[Maps, Maps], rows: tuple[Rows, Rows], places: Places) -> Places:
    """Better each place until it settles; the first is returned where it runs away.

    Args:
        maps: of hosts and of guests.
        rows: of each pair, into `maps`.
        places: of each pair, to start from.
    """
    out, moving = places.copy(), np.arange(len(places))
    buffer = np.empty(UNKNOWNS * SIDE * SIDE, np.float32)
    for _ in range(STEPS):
        overlaps = [_overlap(place) for place in out[moving].tolist()]
        lost = np.array([inside is None for inside in overlaps], bool)
        out[moving[lost]] = places[moving[lost]]
        moving = moving[~lost]
        if not len(moving):
            break
        equations = [
            _equations(maps[0][rows[0][row]], maps[1][rows[1][row]], inside, out[row].tolist(), buffer)
            for row, inside in zip(moving.tolist(), filter(None, overlaps), strict=True)
        ]
        gram, side = (np.stack(part) for part in zip(*equations, strict=True))
        steps = _steps(gram, side, out[moving])
        out[moving] += steps
        moving = moving[np.abs(steps * (1, SIDE / 2, 1, SIDE / 2)).max(axis=1) >= SETTLED]
    return out


def _steps(gram: NDArray[np.float32], side: NDArray[np.float32], places: Places) -> Places:
    """Solve the equations of several pairs for how far each moves, not further than is sure."""
    own = np.arange(UNKNOWNS)
    gram[:, own, own] *= np.float32(1.001)
    solved = np.linalg.solve(gram + 1e-9 * np.eye(UNKNOWNS, dtype=np.float32), side[:, :, None])[:, :, 0]
    steps = solved[:, :4] / np.maximum(solved[:, 4:5], 0.3) * places[:, [1, 1, 3, 3]]
    return np.clip(steps, -FURTHEST, FURTHEST)


def _equations(
    host: Maps, guest: Maps, inside: Inside, place: Place, buffer: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the normal equations of one pair, ``(6, 6)`` and ``(6,)``; `buffer` is written over."""
    laid = _laid(host, place)[inside]
    basis = buffer[: UNKNOWNS * laid.size].reshape(UNKNOWNS, *laid.shape)
    for first, (down, right) in ((0, (1, 0)), (2, (0, 1))):
        cv2.Sobel(laid, cv2.CV_32F, right, down, dst=basis[first], ksize=1, scale=0.5)
    np.multiply(basis[0], FROM_MIDDLE[inside[0], None], out=basis[1])
    np.multiply(basis[2], FROM_MIDDLE[None, inside[1]], out=basis[3])
    basis[4], basis[5] = laid, 1
    flat = basis.reshape(UNKNOWNS, -1)
    return flat @ flat.T, flat @ guest[inside].ravel()


def _correlation(host: Maps, guest: Maps, place: Place) -> float:
    inside = _overlap(place)
    if inside is None:
        return 0.0
    x, y = _laid(host, place)[inside].ravel(), guest[inside].ravel()
    x, y = x - np.add.reduce(x) / x.size, y - np.add.reduce(y) / y.size
    return float(x @ y / max(float(np.sqrt(x @ x)) * float(np.sqrt(y @ y)), 1e-9))


def _laid(host: Maps, place: Place) -> Maps:
    row, tall, column, wide = place
    matrix = np.array([[wide, 0, column - wide * MIDDLE], [0, tall, row - tall * MIDDLE]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(host, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _overlap(place: Place) -> Inside | None:
    """Return the rows and columns of the guest that lie inside the host, or None where they are too few."""
    rows, columns = _inside(place[0], place[1]), _inside(place[2], place[3])
    return None if rows is None or columns is None else (rows, columns)


def _inside(middle: float, scale: float) -> slice | None:
    if not LEAST_SCALE < scale < MOST_SCALE:
        return None
    low, high = -middle / scale + MIDDLE, (SIDE - 1 - middle) / scale + MIDDLE
    first, last = max(0, ceil(low - 0.01)), min(SIDE, floor(high + 0.01) + 1)
    return None if last - first < LEAST_OVERLAP * SIDE else slice(first, last)
