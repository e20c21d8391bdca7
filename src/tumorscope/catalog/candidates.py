"""Which pairs of slices are worth a closer look: every slice against every other, eight ways round, by spectra.

A pair has a host and a guest: the guest is a copy of the host, or of a window of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.structure import (
    TRANSFORMS,
    Matrix,
    Spectra,
    Window,
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
SPARE = 4
"""For `KEEP` partners four times as many are gathered, since every view and transform brings its own."""
SAMPLE = 1500
ROWS, COLUMNS = 512, 8192
MANY = 4_000_000
"""Gathered pairs that are thinned out at once; a bound on memory."""
COMPARED, COMPARED_OF_MANY = weights(0.75, 8.0), weights(0.5, 6.0)
THOROUGH = 30_000
"""Above this many slices fewer orders are compared and no windows: of crops into the head some are then missed."""
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
Limits = NDArray[np.float32]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Described:
    """What the search knows of n slices.

    Attributes:
        head: spectra of the heads, ``(n, 24, 24)``.
        picture: spectra of the whole pictures, or None where only the heads are known.
        touching: bool ``(n,)``, whether the head reaches the border of its picture, so that it may have been cropped.
    """

    head: Spectra
    picture: Spectra | None
    touching: NDArray[np.bool_]

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
    thorough = len(a) * len(other) <= THOROUGH**2
    orders = COMPARED if thorough else COMPARED_OF_MANY
    limits = _limits(a, other, orders)
    limits_b = limits if own else np.full(len(other), np.inf, np.float32)
    comparisons = list(_comparisons(a, other, own, VIEWS if thorough else VIEWS[:2]))
    gathered: list[Candidates] = []
    for done, comparison in enumerate(comparisons, start=1):
        gathered.extend(_compare(comparison, (a, other), (limits, limits_b), own, orders))
        if sum(map(len, gathered)) > MANY:
            gathered = [_best(Candidates.concat(gathered))]
        if progress:
            progress("comparing", done, len(comparisons))
    return _best(Candidates.concat(gathered))


@dataclass(frozen=True)
class _Comparison:
    view: int
    transform: int
    flipped: bool
    hosts: Rows
    guests: Rows


def _limits(a: Described, b: Described, orders: Matrix) -> NDArray[np.float32]:
    """Return for each slice of `a` the similarity that some `KEEP` * `SPARE` slices of `b` exceed."""
    sample = np.random.default_rng(0).permutation(len(b))[:SAMPLE]
    out = np.full(len(a), LEAST, np.float32)
    if not len(sample):
        return out
    first = _compared(a.head, orders)
    second = np.concatenate([_compared(transform_spectra(b.head[sample], t), orders) for t in TRANSFORMS])
    rank = min(len(second), 1 + int(KEEP * SPARE * len(sample) / len(b)))
    for start in range(0, len(a), ROWS):
        scores = first[start : start + ROWS] @ second.T
        out[start : start + ROWS] = -np.partition(-scores, rank - 1, axis=1)[:, rank - 1]
    return np.clip(out, LEAST, SURE)


def _comparisons(a: Described, b: Described, own: bool, views: Views) -> Iterator[_Comparison]:
    for view, (part, window) in enumerate(views):
        if getattr(a, part) is None or getattr(b, part) is None:
            continue
        for transform in range(len(TRANSFORMS)):
            guests = np.arange(len(b)) if window == WHOLE else np.flatnonzero(b.touching)
            yield _Comparison(view, transform, False, np.arange(len(a)), guests)
            if window != WHOLE and not own:
                yield _Comparison(view, transform, True, np.arange(len(b)), np.flatnonzero(a.touching))


def _compare(
    this: _Comparison, sides: tuple[Described, Described], limits: tuple[Limits, Limits], own: bool, orders: Matrix
) -> Iterator[Candidates]:
    if not len(this.hosts) or not len(this.guests):
        return
    part, window = VIEWS[this.view]
    host, guest = (sides[1], sides[0]) if this.flipped else sides
    host_limits, guest_limits = (limits[1], limits[0]) if this.flipped else limits
    name = inverse(TRANSFORMS[this.transform])
    guests = _compared(transform_spectra(getattr(guest, part)[this.guests], name), orders)
    buffers = (
        np.empty(ROWS * COLUMNS, np.float32),
        np.empty((2, ROWS * COLUMNS), bool),
    )  # fresh ones cost more than sums
    for start in range(0, len(this.hosts), ROWS):
        rows = this.hosts[start : start + ROWS]
        hosts = _compared(_window(getattr(host, part)[rows], window), orders)
        once = own and window == WHOLE  # the other half says the same
        for left in range(start + 1 if once else 0, len(guests), COLUMNS):
            columns = this.guests[left : left + COLUMNS]
            scores, above, also = (
                buffer[: len(rows) * len(columns)].reshape(len(rows), len(columns))
                for buffer in (buffers[0], *buffers[1])
            )
            np.matmul(hosts, guests[left : left + COLUMNS].T, out=scores)
            np.greater(scores, host_limits[rows][:, None], out=above)
            np.greater(scores, guest_limits[columns][None], out=also)
            row, column = np.divmod(np.flatnonzero(np.logical_or(above, also, out=above)), len(columns))
            yield _pairs(rows[row], columns[column], scores[row, column], this, own)


def _pairs(hosts: Rows, guests: Rows, scores: Limits, this: _Comparison, own: bool) -> Candidates:
    flipped = hosts > guests if own else np.full(len(hosts), this.flipped)
    pairs = Candidates(
        np.where(flipped, guests, hosts).astype(np.int32),
        np.where(flipped, hosts, guests).astype(np.int32),
        flipped,
        np.full(len(hosts), this.view, np.int8),
        np.full(len(hosts), this.transform, np.int8),
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


def _window(values: Spectra, window: Window) -> Spectra:
    return values if window == WHOLE else window_spectra(values, np.array(window))


def _compared(values: Spectra, orders: Matrix) -> NDArray[np.float32]:
    return unit(weighted(values, orders))
