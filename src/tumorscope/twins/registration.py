"""Lay one slice on another and say whether both show the very same picture.

First by spectra, for many pairs at once: is the guest the host, moved and stretched a little (a tangent distance;
Simard et al., 1993)? Then by pixels, for the few that may be: the guest's place in the host is found by least squares
(Lucas and Kanade, 1981), and fine structure is correlated where they overlap. Neighboring slices of a patient agree in
coarse structure, not in fine.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.tasks.threads import cores, opencv_on_one_thread
from tumorscope.twins.candidates import VIEWS, Candidates, Described
from tumorscope.twins.fingerprints import Fingerprints
from tumorscope.twins.structure import (
    COARSE_BLUR,
    SIDE,
    TRANSFORMS,
    Spectra,
    fine_maps,
    inverse,
    structure_maps,
    tangents,
    transform_picture,
    transform_spectra,
    unit,
    weighted,
    weights,
    window_spectra,
)

CHUNK = 256
"""Pairs that are treated at once: so few that they stay in the processor's cache."""
Layers = tuple[tuple[NDArray[np.float32], float], ...]
LAYERS: Layers = ((weights(1.0, 10.0), 0.82), (weights(1.5, 16.0), 0.85), (weights(2.0, 20.0), 0.82))
RIDGE = 1.0
CLEAR = 0.985
"""Fine structure this alike needs no better place."""
HOPELESS = 0.7
"""Fine structure less alike than this at the first place was never seen to become a twin's at a better one."""
STEPS = 6
SETTLED = 0.03
"""Pixels of change at which the least squares has settled."""
LEAST_OVERLAP, LEAST_SCALE, MOST_SCALE = 0.5, 0.6, 1.6
MIDDLE = (SIDE - 1) / 2
Rows = NDArray[np.int64]
Similarity = NDArray[np.float32]
Maps = NDArray[np.float32]
Windows = NDArray[np.float32]
Place = NDArray[np.float64]
"""Where the guest lies in the host: row = place[0] + place[1] * (guest's row - middle), [2] and [3] for columns."""


def lay_by_spectra(pairs: Candidates, a: Described, b: Described, layers: Layers = LAYERS) -> tuple[Rows, Windows]:
    """Lay guests on hosts, coarse structure first, and drop the pairs that do not fit.

    Args:
        pairs: of rows of `a` and `b`.
        a: the first slices.
        b: the second slices.
        layers: orders that are compared, and the least similarity with which a pair goes on, one after the other.

    Returns:
        Rows of the pairs that fit, and for each the window of the host that the guest shows, ``(m, 4)``.
    """
    left = np.arange(len(pairs))
    windows = np.array([window for _, window in VIEWS], np.float32)[pairs.view]
    for weight, least in layers:
        similarity, change = _layer(pairs.take(left), windows, weight, a, b)
        fits = similarity > least
        left, windows = left[fits], _moved(windows[fits], change[fits])
    return left, windows


def spectral_similarity(
    pairs: Candidates, windows: Windows, a: Described, b: Described, weight: NDArray[np.float32]
) -> Similarity:
    """Return the similarity of the orders that have a weight, for slices of which no more than a spectrum is known."""
    return _layer(pairs, windows, weight, a, b)[0]


def lay_by_pixels(
    pairs: Candidates, windows: Windows, a: Fingerprints, b: Fingerprints, progress: Progress | None = None
) -> Similarity:
    """Return the similarity of fine structure where the guest overlaps the host, its place found by least squares.

    Args:
        pairs: few, since each is laid on its own.
        windows: what the guests show of the hosts, from `lay_by_spectra`.
        a: fingerprints of the first slices.
        b: fingerprints of the second slices.
        progress: told how many pairs are done.
    """
    done = 0
    out = np.zeros(len(pairs), np.float32)
    chunks = list(_alike(pairs, CHUNK))

    def fill(rows: Rows) -> int:
        out[rows] = _registered(pairs.take(rows), windows[rows], a, b)
        return len(rows)

    with opencv_on_one_thread(), ThreadPoolExecutor(cores()) as pool:
        for count in pool.map(fill, chunks):
            done += count
            if progress:
                progress("verifying", done, len(pairs))
    return out


def _registered(pairs: Candidates, windows: Windows, a: Fingerprints, b: Fingerprints) -> Similarity:
    """Return the similarity of pairs of one kind, registered where their first place leaves it open."""
    host, guest = (b, a) if pairs.flipped[0] else (a, b)
    part, _ = VIEWS[pairs.view[0]]
    back = inverse(TRANSFORMS[pairs.transform[0]])
    hosts, host_row = np.unique(pairs.host, return_inverse=True)
    guests, guest_row = np.unique(pairs.guest, return_inverse=True)
    below = host.pictures(part)[hosts]
    above = np.ascontiguousarray(transform_picture(guest.pictures(part)[guests], back))
    fine = fine_maps(below)[host_row], fine_maps(above)[guest_row]
    places = [_place(window) for window in windows]
    out = np.array([_correlation(*pair) for pair in zip(*fine, places, strict=True)], np.float32)
    unsettled = np.flatnonzero((out >= HOPELESS) & (out < CLEAR))
    coarse_hosts = structure_maps(below[host_row[unsettled]], COARSE_BLUR)
    coarse_guests = structure_maps(above[guest_row[unsettled]], COARSE_BLUR)
    for row, coarse_host, coarse_guest in zip(unsettled, coarse_hosts, coarse_guests, strict=True):
        place = _settle(coarse_host, coarse_guest, places[row])
        out[row] = _correlation(fine[0][row], fine[1][row], place)
    return out


def _alike(pairs: Candidates, chunk: int) -> Iterator[Rows]:
    """Give rows of pairs that are to be treated in the same way, at most `chunk` at a time."""
    kinds = (pairs.view.astype(np.int64) * len(TRANSFORMS) + pairs.transform) * 2 + pairs.flipped
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        yield from (rows[start : start + chunk] for start in range(0, len(rows), chunk))


def _layer(
    pairs: Candidates, windows: Windows, weight: NDArray[np.float32], a: Described, b: Described
) -> tuple[Similarity, NDArray[np.float32]]:
    similarity, change = np.zeros(len(pairs), np.float32), np.zeros((len(pairs), 4), np.float32)

    def fill(rows: Rows) -> None:
        similarity[rows], change[rows] = _project(*_laid_spectra(pairs.take(rows), windows[rows], a, b), weight)

    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(fill, _alike(pairs, CHUNK)):
            pass
    return similarity, change


def _laid_spectra(pairs: Candidates, windows: Windows, a: Described, b: Described) -> tuple[Spectra, Spectra]:
    """Return the spectra of what hosts show in the windows, and of guests turned back; all pairs of one kind."""
    host, guest = (b, a) if pairs.flipped[0] else (a, b)
    part, _ = VIEWS[pairs.view[0]]
    shared = windows[0] if (windows == windows[0]).all() else windows
    guests = transform_spectra(getattr(guest, part)[pairs.guest], inverse(TRANSFORMS[pairs.transform[0]]))
    return window_spectra(getattr(host, part)[pairs.host], shared), guests


def _project(hosts: Spectra, guests: Spectra, weight: NDArray[np.float32]) -> tuple[Similarity, NDArray[np.float32]]:
    """Project hosts onto what guests become when moved and stretched, large changes held back by a ridge."""
    target = unit(weighted(hosts, weight))
    spanned = weighted(np.concatenate([guests[:, None], tangents(guests)], axis=1), weight)
    spanned /= np.sqrt(np.square(spanned[:, :1]).sum(axis=2, keepdims=True)) + 1e-6
    gram = spanned @ spanned.transpose(0, 2, 1) + np.diag([1e-6, RIDGE, RIDGE, RIDGE, RIDGE]).astype(np.float32)
    solved = np.linalg.solve(gram, spanned @ target[:, :, None])
    fitted = unit((solved.transpose(0, 2, 1) @ spanned)[:, 0])
    share = np.maximum(solved[:, 0], 0.05)
    return (fitted * target).sum(axis=1), np.clip(solved[:, 1:, 0] / share, -0.15, 0.15)


def _moved(windows: Windows, change: NDArray[np.float32]) -> Windows:
    """Move windows by what the guests' change says: moved down by and stretched by, moved right by and stretched by."""
    out = np.empty_like(windows)
    for axis in (0, 2):
        before, after = windows[:, axis], windows[:, axis + 1]
        middle, scale = (1 + before - after) / 2, 1 - before - after
        middle, scale = middle - change[:, axis] * scale, scale * (1 - change[:, axis + 1])
        out[:, axis], out[:, axis + 1] = middle - scale / 2, 1 - middle - scale / 2
    return out


def _place(window: NDArray[np.float32]) -> Place:
    top, bottom, left, right = (float(value) for value in window)
    return np.array(
        [MIDDLE + SIDE * (top - bottom) / 2, 1 - top - bottom, MIDDLE + SIDE * (left - right) / 2, 1 - left - right]
    )


def _settle(host: Maps, guest: Maps, place: Place) -> Place:
    """Better a place until it settles; the first is returned when it runs away."""
    first = place
    for _ in range(STEPS):
        inside = _overlap(place)
        if inside is None:
            return first
        step = _step(_laid(host, place)[inside], guest[inside], inside, place)
        place = place + step
        if np.abs(step * (1, SIDE / 2, 1, SIDE / 2)).max() < SETTLED:
            break
    return place


def _step(laid: Maps, guest: Maps, inside: tuple[slice, slice], place: Place) -> Place:
    rows = np.arange(SIDE, dtype=np.float32)[inside[0], None] - MIDDLE
    columns = np.arange(SIDE, dtype=np.float32)[None, inside[1]] - MIDDLE
    down, right = cv2.Sobel(laid, cv2.CV_32F, 0, 1, ksize=1), cv2.Sobel(laid, cv2.CV_32F, 1, 0, ksize=1)
    basis = np.stack([down, down * rows, right, right * columns, laid, np.ones_like(laid)]).reshape(6, -1)
    basis[:4] /= 2
    gram = basis @ basis.T
    gram[np.diag_indices(6)] *= 1.001
    solved = np.linalg.solve(gram + 1e-9 * np.eye(6, dtype=np.float32), basis @ guest.ravel())
    step = solved[:4] / max(float(solved[4]), 0.3) * place[[1, 1, 3, 3]]
    return np.clip(step, (-3, -0.1, -3, -0.1), (3, 0.1, 3, 0.1))


def _correlation(host: Maps, guest: Maps, place: Place) -> float:
    inside = _overlap(place)
    if inside is None:
        return 0.0
    x, y = _laid(host, place)[inside].ravel(), guest[inside].ravel()
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-9))


def _laid(host: Maps, place: Place) -> Maps:
    matrix = np.array([[place[3], 0, place[2] - place[3] * MIDDLE], [0, place[1], place[0] - place[1] * MIDDLE]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(host, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _overlap(place: Place) -> tuple[slice, slice] | None:
    """Return the rows and columns of the guest that lie inside the host, or None where they are too few."""
    sides = []
    for middle, scale in (place[:2], place[2:]):
        if not LEAST_SCALE < scale < MOST_SCALE:
            return None
        low, high = ((edge - middle) / scale + MIDDLE for edge in (0, SIDE - 1))
        low, high = max(0, int(np.ceil(low - 0.01))), min(SIDE, int(np.floor(high + 0.01)) + 1)
        if high - low < LEAST_OVERLAP * SIDE:
            return None
        sides.append(slice(low, high))
    return sides[0], sides[1]
