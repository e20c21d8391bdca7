"""Which pairs of slices are worth a closer look: every slice against every other, by spectra.

A pair has a host and a guest: the guest is a copy of the host, or of a window of it. A first look compares what mirrors
and turns leave as it is, so that one comparison serves all eight ways round; a second one finds the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.tasks.threads import cores, one_thread_in_blas, side_by_side
from tumorscope.twins.shortlist import ROWS, Shortlist
from tumorscope.twins.structure import (
    TRANSFORMS,
    Spectra,
    Window,
    fold_spectra,
    inverse,
    transform_spectra,
    unit,
    weighted,
    weights,
    window_spectra,
)

KEEP = 16
"""Most promising partners of a slice that are looked at closely."""
SURE = 0.98
"""Pairs this alike are looked at whatever their rank: a slice may have more than `KEEP` twins."""
LEAST = 0.6
"""Hardly a twin was seen below this similarity."""
FITTED = 8192
"""Pairs that are fitted at once."""
MANY = 4_000_000
"""Gathered pairs that are thinned out at once; a bound on memory."""
COMPARED = weights(0.75, 8.0)
WHOLE: Window = (0.0, 0.0, 0.0, 0.0)
HEADS, PICTURES = "head", "picture"
Views = tuple[tuple[str, Window], ...]
VIEWS: Views = (
    (HEADS, WHOLE),
    (PICTURES, WHOLE),
    (HEADS, (0.05, 0.05, 0.05, 0.05)),
    (HEADS, (0.1, 0.1, 0.1, 0.1)),
    (HEADS, (0.1, 0.0, 0.0, 0.0)),
    (HEADS, (0.0, 0.1, 0.0, 0.0)),
    (HEADS, (0.0, 0.0, 0.1, 0.0)),
    (HEADS, (0.0, 0.0, 0.0, 0.1)),
)
"""What of the host is compared with what of the guest: the same part of both, but a window is the host's alone."""
Rows = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Described:
    """What the search knows of n slices.

    Attributes:
        head: spectra of the heads, ``(n, 24, 24)``.
        picture: spectra of the whole pictures, or None where only the heads are known.
        touching: bool ``(n,)``, whether the head reaches the border of its picture, so that it may have been cropped.
        scan: int64 ``(n,)``, the scan that each slice is of; among themselves, slices of one scan are not compared.
    """

    head: Spectra
    picture: Spectra | None
    touching: NDArray[np.bool_]
    scan: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.head)


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be twins; arrays of one length.

    Attributes:
        a: rows of the first slices.
        b: rows of the second slices.
        flipped: whether `b` is the host and `a` the guest, rather than the other way round.
        view: into `VIEWS`.
        transform: what makes the guest from the host, into `TRANSFORMS`.
        score: similarity of the coarse structure.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    flipped: NDArray[np.bool_]
    view: NDArray[np.int8]
    transform: NDArray[np.int8]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.a)

    @property
    def host(self) -> NDArray[np.int32]:
        """Rows of the hosts."""
        return np.where(self.flipped, self.b, self.a)

    @property
    def guest(self) -> NDArray[np.int32]:
        """Rows of the guests."""
        return np.where(self.flipped, self.a, self.b)

    def take(self, rows: NDArray[np.generic]) -> Candidates:
        """Return some of them."""
        return Candidates(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concat(parts: list[Candidates]) -> Candidates:
        """Put several together, in order."""
        kinds = (np.int32, np.int32, bool, np.int8, np.int8, np.float32)
        empty = Candidates(*(np.zeros(0, kind) for kind in kinds))
        return Candidates(*(np.concatenate([getattr(c, f.name) for c in [empty, *parts]]) for f in fields(Candidates)))


def find_candidates(a: Described, b: Described | None = None, progress: Progress | None = None) -> Candidates:
    """Return the pairs of slices whose coarse structure is alike, each once, in the view that shows it best.

    Args:
        a: the slices.
        b: where their twins are sought; None for among themselves, which gives pairs with ``a < b``.
        progress: told how many of the comparisons are done.
    """
    own, other = b is None, a if b is None else b
    comparisons = list(_comparisons(a, other, own))
    gathered: list[Candidates] = []
    with one_thread_in_blas():
        for done, comparison in enumerate(comparisons, start=1):
            for found in _compare(comparison, (a, other), own):
                gathered.append(found)
                if sum(map(len, gathered)) > MANY:
                    gathered = [_best(Candidates.concat(gathered))]
            if progress:
                progress("comparing", done, len(comparisons))
    return _best(Candidates.concat(gathered))


@dataclass(frozen=True)
class _Comparison:
    view: int
    flipped: bool
    hosts: Rows
    guests: Rows


def _comparisons(a: Described, b: Described, own: bool) -> Iterator[_Comparison]:
    for view, (part, window) in enumerate(VIEWS):
        if getattr(a, part) is None or getattr(b, part) is None:
            continue
        guests = np.arange(len(b)) if window == WHOLE else np.flatnonzero(b.touching)
        yield _Comparison(view, False, np.arange(len(a)), guests)
        if window != WHOLE and not own:
            yield _Comparison(view, True, np.arange(len(b)), np.flatnonzero(a.touching))


def _compare(this: _Comparison, sides: tuple[Described, Described], own: bool) -> Iterator[Candidates]:
    if not len(this.hosts) or not len(this.guests):
        return
    part, window = VIEWS[this.view]
    host, guest = (getattr(side, part) for side in (sides[::-1] if this.flipped else sides))
    hosts, guests = host[this.hosts], guest[this.guests]
    if window != WHOLE:
        hosts = window_spectra(hosts, np.array(window))
    compared = [unit(weighted(values, COMPARED)) for values in (hosts, guests, np.swapaxes(guests, -1, -2))]
    half = own and window == WHOLE  # the other half says the same
    scan = sides[0].scan if own else None
    scans = None if scan is None else (scan[this.hosts], scan[this.guests])
    shortlist = Shortlist.of(fold_spectra(hosts, COMPARED), fold_spectra(guests, COMPARED), half, scans)

    def fitting(start: int) -> Candidates:
        row, column = shortlist.from_row(start)
        score, transform = _fit(row, column, *compared)
        kept = score > LEAST
        return _pairs(this, row[kept], column[kept], score[kept], transform[kept], own)

    for _, found in side_by_side(fitting, range(0, len(hosts), ROWS), cores()):
        yield found


def _fit(row: Rows, column: Rows, hosts: Values, guests: Values, swapped: Values) -> tuple[Values, NDArray[np.int8]]:
    """Return the similarity of each pair the way round that fits best, and which way that is.

    Args:
        row: into `hosts`.
        column: into `guests` and `swapped`.
        hosts: orders of spectra, unit rows.
        guests: the same of the guests.
        swapped: the same of the guests, rows and columns exchanged.
    """
    similarity, way = np.empty(len(row), np.float32), np.empty(len(row), np.int8)
    for start in range(0, len(row), FITTED):
        chosen = slice(start, start + FITTED)
        host, there = hosts[row[chosen]], column[chosen]
        scores = np.empty((len(there), len(TRANSFORMS)), np.float32)
        for (ways, signs), guest in zip(_signs(), (guests, swapped), strict=True):
            scores[:, ways] = (host * guest[there]) @ signs
        way[chosen] = scores.argmax(axis=1)
        similarity[chosen] = scores.max(axis=1)
    return similarity, way


@cache
def _signs() -> tuple[tuple[list[int], Values], tuple[list[int], Values]]:
    """Return the transforms that keep rows as rows, with the sign each gives every order; then the other ones."""
    numbers = np.arange(1, COMPARED.size + 1, dtype=np.float32).reshape(COMPARED.shape)
    undone = [transform_spectra(numbers, inverse(name)) for name in TRANSFORMS]
    keeps = [bool((np.abs(moved) == numbers).all()) for moved in undone]
    kinds = ([way for way, kept in enumerate(keeps) if kept == wanted] for wanted in (True, False))
    plain, turned = ((ways, np.stack([np.sign(undone[way][COMPARED > 0]) for way in ways], axis=1)) for ways in kinds)
    return plain, turned


def _pairs(
    this: _Comparison, row: Rows, column: Rows, scores: Values, transforms: NDArray[np.int8], own: bool
) -> Candidates:
    hosts, guests = this.hosts[row], this.guests[column]
    flipped = hosts > guests if own else np.full(len(hosts), this.flipped)
    pairs = Candidates(
        np.where(flipped, guests, hosts).astype(np.int32),
        np.where(flipped, hosts, guests).astype(np.int32),
        flipped,
        np.full(len(hosts), this.view, np.int8),
        transforms,
        scores,
    )
    return pairs.take(hosts != guests) if own else pairs


def _best(pairs: Candidates) -> Candidates:
    """Keep each pair once, and of each slice the `KEEP` best partners and the sure ones."""
    order = np.lexsort((-pairs.score, pairs.b, pairs.a))
    pairs = pairs.take(order)
    first = np.ones(len(pairs), bool)
    first[1:] = (pairs.a[1:] != pairs.a[:-1]) | (pairs.b[1:] != pairs.b[:-1])
    pairs = pairs.take(first)
    kept = (pairs.score > SURE) | (_ranks(pairs.a, pairs.score) < KEEP) | (_ranks(pairs.b, pairs.score) < KEEP)
    return pairs.take(kept)


def _ranks(keys: NDArray[np.int32], scores: NDArray[np.float32]) -> Rows:
    """Return the place of each score among those of the same key, 0 for the highest."""
    order = np.lexsort((-scores, keys))
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    within = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    out = np.empty(len(keys), np.int64)
    out[order] = within
    return out
