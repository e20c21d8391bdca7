"""What of a picture makes it this very slice: its local structure, free of brightness and contrast.

Maps are small pictures of local structure; spectra are the low orders of their cosine transform. A window of a map, a
mirrored or turned one, and one that is moved or stretched a little, are all matrix products on spectra.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tumorscope.tasks.threads import cores, side_by_side

Maps = NDArray[np.float32]
Spectra = NDArray[np.float32]
Matrix = NDArray[np.float32]

SIDE = 64
ORDERS = 24
COARSE_BLUR, FINE_BLUR = 6.0, 1.5
"""Structures wider than this (standard deviation, pixels of 64) are taken out: all brains share them."""
NOISE_BLUR = 0.7
"""Structures finer than this are smoothed away: recompression changes them as much as the step to the next slice."""
FLOOR = 0.2
"""Local contrast below this share of the slice's own is not amplified: it is noise of the background."""
BLANK = 1.0
"""A picture whose local contrast stays under this many gray levels has no structure to compare."""
CHUNK = 256
TRANSFORMS = ("none", "mirror", "turn90", "turn180", "turn270", "mirror+turn90", "mirror+turn180", "mirror+turn270")
Window = tuple[float, float, float, float]
"""Shares cut off at the top, bottom, left and right."""


def structure_maps(pictures: NDArray[np.uint8], blur: float) -> Maps:
    """Return the local structure of pictures, of zero mean and unit norm; zero for a picture without any.

    Args:
        pictures: uint8 ``(n, 64, 64)``.
        blur: standard deviation in pixels of the neighborhood whose mean and contrast are taken out.
    """
    out = np.zeros(pictures.shape, np.float32)
    smooth = _blur(blur)
    for start in range(0, len(pictures), CHUNK):
        high = pictures[start : start + CHUNK].astype(np.float32)
        high -= smooth @ high @ smooth.T
        level = np.sqrt((high * high).mean(axis=(1, 2), keepdims=True))
        local = np.sqrt(np.maximum(smooth @ (high * high) @ smooth.T, 0))
        high /= local + FLOOR * level + 1e-6
        high -= high.mean(axis=(1, 2), keepdims=True)
        out[start : start + CHUNK] = np.where(level > BLANK, unit(high), 0)
    return out


def fine_maps(pictures: NDArray[np.uint8]) -> Maps:
    """Return the fine structure of pictures, the noise of recompression smoothed away, ``(n, 64, 64)``."""
    smooth = _blur(NOISE_BLUR)
    return np.asarray(smooth @ structure_maps(pictures, FINE_BLUR) @ smooth.T, np.float32)


def spectra(pictures: NDArray[np.uint8]) -> Spectra:
    """Return the low orders of the cosine transform of pictures' coarse structure, float32 ``(n, 24, 24)``."""
    basis = _basis()
    out = np.empty((len(pictures), ORDERS, ORDERS), np.float32)

    def fill(start: int) -> None:
        out[start : start + CHUNK] = basis @ structure_maps(pictures[start : start + CHUNK], COARSE_BLUR) @ basis.T

    for _ in side_by_side(fill, range(0, len(pictures), CHUNK), cores()):
        pass
    return out


def window_spectra(values: Spectra, windows: NDArray[np.floating]) -> Spectra:
    """Return the spectra that a window of each picture would have.

    Args:
        values: ``(n, 24, 24)``.
        windows: shares cut off at the top, bottom, left and right, ``(n, 4)`` or ``(4,)``; negative beyond the border.
    """
    cuts = np.broadcast_to(windows, (len(values), 4)) if len(np.shape(windows)) == 2 else np.asarray(windows)[None]
    plain = _basis().T
    rows, columns = (_cosines(cuts[:, i], cuts[:, i + 1]) @ plain for i in (0, 2))
    return np.asarray(rows @ values @ columns.transpose(0, 2, 1), np.float32)


def tangents(values: Spectra) -> NDArray[np.float32]:
    """Return how spectra change as the picture is moved or stretched, by its whole side, ``(n, 4, 24, 24)``.

    In order: moved and stretched along the rows' axis, moved and stretched along the columns' axis.
    """
    move, stretch = (_basis() @ change @ _basis().T for change in _changes())
    return np.stack([move @ values, stretch @ values, values @ move.T, values @ stretch.T], axis=1)


def transform_spectra(values: Spectra, transform: str) -> Spectra:
    """Return the spectra (last two axes) of the mirrored and turned pictures."""
    sign = np.where(np.arange(values.shape[-1]) % 2, -1, 1).astype(np.float32)
    out = values
    for step in transform.split("+"):
        if step == "mirror":
            out = out * sign
        elif step.startswith("turn"):
            for _ in range(int(step[4:]) // 90):
                out = np.swapaxes(out, -1, -2) * sign[:, None]
    return out


def fold_spectra(values: Spectra, weight: Matrix) -> NDArray[np.float32]:
    """Return what mirrors and turns leave as it is, of the orders that have a weight: ``(n, orders)``, unit rows.

    A mirror changes signs, a quarter turn exchanges rows and columns too: so the size of each order that is its own
    partner stays, and of two partners' sizes the sum and the difference.
    """
    sizes = np.abs(values * weight)
    swapped = np.swapaxes(sizes, -1, -2)
    above, diagonal = np.triu(weight > 0, 1), np.diag(weight) > 0
    folded = [(sizes + swapped)[:, above] / np.sqrt(2), np.abs(sizes - swapped)[:, above] / np.sqrt(2)]
    return unit(np.concatenate([*folded, np.diagonal(sizes, axis1=1, axis2=2)[:, diagonal]], axis=1))


def transform_picture(picture: NDArray[np.generic], transform: str) -> NDArray[np.generic]:
    """Mirror and turn (counterclockwise) pictures: the last two axes."""
    out = picture
    for step in transform.split("+"):
        if step == "mirror":
            out = out[..., ::-1]
        elif step.startswith("turn"):
            out = np.rot90(out, int(step[4:]) // 90, axes=(-2, -1))
    return out


def inverse(transform: str) -> str:
    """Return the transform that undoes `transform`."""
    return {"turn90": "turn270", "turn270": "turn90"}.get(transform, transform)


def compose(first: str, second: str) -> str:
    """Return the transform that does what `first` and then `second` do."""
    return _composed()[first, second]


@cache
def weights(power: float, highest: float) -> Matrix:
    """Return weights of the orders, ``(24, 24)``, none for the mean: rising with `power`, ending at `highest`."""
    order = np.hypot(*np.mgrid[:ORDERS, :ORDERS])
    out = order**power * np.exp(-((order / highest) ** 4))
    out[0, 0] = 0
    out[out < 0.02 * out.max()] = 0
    return np.asarray(out, np.float32)


def weighted(values: Spectra, weight: Matrix) -> NDArray[np.float32]:
    """Return the orders that have a weight, times it: the last two axes become one."""
    kept = weight > 0
    return np.asarray(values[..., kept] * weight[kept], np.float32)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row (all axes but the first) to unit norm; rows of zeros stay."""
    norms = np.sqrt(np.square(rows).sum(axis=tuple(range(1, rows.ndim)), keepdims=True))
    return np.asarray(rows / np.maximum(norms, 1e-6), np.float32)


@cache
def _composed() -> dict[tuple[str, str], str]:
    picture = np.arange(9).reshape(3, 3)
    seen = {transform_picture(picture, name).tobytes(): name for name in TRANSFORMS}
    twice = {(a, b): transform_picture(transform_picture(picture, a), b) for a in TRANSFORMS for b in TRANSFORMS}
    return {names: seen[result.tobytes()] for names, result in twice.items()}


@cache
def _blur(sigma: float) -> Matrix:
    """Return a matrix that blurs columns, the picture mirrored at its borders."""
    places = np.arange(SIDE)
    out = np.zeros((SIDE, SIDE))
    for mirrored in (places, -1 - places, 2 * SIDE - 1 - places):
        out += np.exp(-((places[:, None] - mirrored[None]) ** 2) / (2 * sigma**2))
    return np.asarray(out / out.sum(axis=1, keepdims=True), np.float32)


@cache
def _basis() -> Matrix:
    return _cosines(np.zeros(1), np.zeros(1))[0]


def _cosines(before: NDArray[np.floating], after: NDArray[np.floating]) -> NDArray[np.float32]:
    """Cosines over what is left of 64 pixels without a share `before` and a share `after`, ``(n, 24, 64)``."""
    start, stop = before[:, None] * SIDE, SIDE - after[:, None] * SIDE
    pixel = np.arange(SIDE)[None]
    inside = np.clip(np.minimum(pixel + 1, stop) - np.maximum(pixel, start), 0, 1)
    angle = (np.pi * (pixel + 0.5 - start) / (stop - start)).astype(np.float32)
    out = np.cos(np.arange(ORDERS, dtype=np.float32)[:, None] * angle[:, None])
    out *= (inside * np.sqrt(2 / (stop - start))).astype(np.float32)[:, None]
    out[:, 0] /= np.sqrt(2)
    return np.asarray(out, np.float32)


@cache
def _changes() -> tuple[Matrix, Matrix]:
    """Matrices on columns of 64 pixels: the slope, and the slope times the place (from -0.5 to 0.5)."""
    slope = (np.eye(SIDE, k=1) - np.eye(SIDE, k=-1)) / 2
    slope[0, :2], slope[-1, -2:] = (-1, 1), (-1, 1)
    slope *= SIDE
    place = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    return slope.astype(np.float32), (place[:, None] * slope).astype(np.float32)
