"""Lay one slice on another and say whether both show the very same picture.

First by spectra, for many pairs at once: is the guest the host, moved and stretched a little (a tangent distance;
Simard et al., 1993)? Then by pixels, for the few that may be: the guest's place in the host is found by least squares
(Lucas and Kanade, 1981), and fine structure is correlated where they overlap. Neighboring slices of a patient agree in
coarse structure, not in fine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.tasks.threads import cores, one_thread_in_blas, side_by_side
from tumorscope.twins.candidates import VIEWS, Candidates, Described
from tumorscope.twins.fingerprints import Fingerprints
from tumorscope.twins.placement import correlate, places_of, settle
from tumorscope.twins.structure import (
    COARSE_BLUR,
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
"""Pairs that are compared by spectra at once: so few that they stay in the processor's cache."""
LAID = 1024
"""Pairs that are laid by pixels at once: so many that each slice's structure serves several."""
Layers = tuple[tuple[NDArray[np.float32], float], ...]
LAYERS: Layers = ((weights(1.0, 10.0), 0.82), (weights(1.5, 16.0), 0.85), (weights(2.0, 20.0), 0.82))
RIDGE = 1.0
CLEAR = 0.985
"""Fine structure this alike needs no better place."""
HOPELESS = 0.7
"""Fine structure less alike than this at the first place was never seen to become a twin's at a better one."""
Rows = NDArray[np.int64]
Rows32 = NDArray[np.int32]
Similarity = NDArray[np.float32]
Maps = NDArray[np.float32]
Windows = NDArray[np.float32]


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

    def fill(rows: Rows) -> int:
        out[rows] = _registered(pairs.take(rows), windows[rows], a, b)
        return len(rows)

    with one_thread_in_blas():
        for _, count in side_by_side(fill, _alike(pairs, LAID), cores()):
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
    rows, places = (host_row, guest_row), places_of(windows)
    fine = fine_maps(below), fine_maps(above)
    out = correlate(fine, rows, places)
    unsettled = np.flatnonzero((out >= HOPELESS) & (out < CLEAR))
    rows = host_row[unsettled], guest_row[unsettled]
    settled = settle((_coarse(below, rows[0]), _coarse(above, rows[1])), rows, places[unsettled])
    out[unsettled] = correlate(fine, rows, settled)
    return out


def _coarse(pictures: NDArray[np.uint8], rows: Rows) -> Maps:
    """Return the coarse structure of the pictures in `rows`; of the others nothing."""
    out = np.zeros(pictures.shape, np.float32)
    chosen = np.unique(rows)
    out[chosen] = structure_maps(pictures[chosen], COARSE_BLUR)
    return out


def _alike(pairs: Candidates, chunk: int) -> Iterator[Rows]:
    """Give rows of pairs to be treated in the same way, at most `chunk` at a time, those of a guest together."""
    kinds = (pairs.view.astype(np.int64) * len(TRANSFORMS) + pairs.transform) * 2 + pairs.flipped
    order = np.lexsort((pairs.guest, kinds))
    starts = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        yield from (rows[start : start + chunk] for start in range(0, len(rows), chunk))


def _layer(
    pairs: Candidates, windows: Windows, weight: NDArray[np.float32], a: Described, b: Described
) -> tuple[Similarity, NDArray[np.float32]]:
    similarity, change = np.zeros(len(pairs), np.float32), np.zeros((len(pairs), 4), np.float32)

    def fill(rows: Rows) -> None:
        similarity[rows], change[rows] = _project(pairs.take(rows), windows[rows], weight, a, b)

    with one_thread_in_blas():
        for _ in side_by_side(fill, _alike(pairs, CHUNK), cores()):
            pass
    return similarity, change


def _project(
    pairs: Candidates, windows: Windows, weight: NDArray[np.float32], a: Described, b: Described
) -> tuple[Similarity, NDArray[np.float32]]:
    """Project hosts onto what guests become when moved and stretched, large changes held back by a ridge.

    Args:
        pairs: of one kind.
        windows: what the guests show of the hosts.
        weight: of the orders that are compared.
        a: the first slices.
        b: the second slices.
    """
    host, guest = (b, a) if pairs.flipped[0] else (a, b)
    part, _ = VIEWS[pairs.view[0]]
    target = unit(weighted(_in_windows(getattr(host, part), pairs.host, windows), weight))
    guests, guest_row = np.unique(pairs.guest, return_inverse=True)
    turned = transform_spectra(getattr(guest, part)[guests], inverse(TRANSFORMS[pairs.transform[0]]))
    spanned = weighted(np.concatenate([turned[:, None], tangents(turned)], axis=1), weight)
    spanned /= np.sqrt(np.square(spanned[:, :1]).sum(axis=2, keepdims=True)) + 1e-6
    gram = spanned @ spanned.transpose(0, 2, 1) + np.diag([1e-6, RIDGE, RIDGE, RIDGE, RIDGE]).astype(np.float32)
    spanned = spanned[guest_row]
    solved = np.linalg.solve(gram[guest_row], spanned @ target[:, :, None])
    fitted = unit((solved.transpose(0, 2, 1) @ spanned)[:, 0])
    share = np.maximum(solved[:, 0], 0.05)
    return (fitted * target).sum(axis=1), np.clip(solved[:, 1:, 0] / share, -0.15, 0.15)


def _in_windows(values: Spectra, rows: Rows32, windows: Windows) -> Spectra:
    """Return the spectra of what the slices in `rows` show in the windows; once each where all windows are the same."""
    if (windows != windows[0]).any():
        return window_spectra(values[rows], windows)
    different, place = np.unique(rows, return_inverse=True)
    return window_spectra(values[different], windows[0])[place]


def _moved(windows: Windows, change: NDArray[np.float32]) -> Windows:
    """Move windows by what the guests' change says: moved down by and stretched by, moved right by and stretched by."""
    out = np.empty_like(windows)
    for axis in (0, 2):
        before, after = windows[:, axis], windows[:, axis + 1]
        middle, scale = (1 + before - after) / 2, 1 - before - after
        middle, scale = middle - change[:, axis] * scale, scale * (1 - change[:, axis + 1])
        out[:, axis], out[:, axis + 1] = middle - scale / 2, 1 - middle - scale / 2
    return out
