"""The first look: which hosts and guests are alike enough to be fitted, whichever way round they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorscope.tasks.threads import cores, side_by_side
from tumorscope.twins.structure import unit

SHORTLIST = 64
"""Partners of a slice, about, that the first look passes on."""
SAMPLE = 2048
ROWS, COLUMNS = 512, 1024
"""Slices that are compared at once, so that they stay in the processor's cache."""
Rows = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Shortlist:
    """Hosts and guests of which one is among the other's most similar.

    Attributes:
        hosts: unit rows.
        guests: the same of the guests.
        host_limits: the similarity that the best partners of each host exceed.
        guest_limits: the same of the guests.
        half: whether a host is compared with the guests behind it alone.
        scans: of hosts and guests, where two of one scan are no pair.
    """

    hosts: Values
    guests: Values
    host_limits: Values
    guest_limits: Values
    half: bool
    scans: tuple[Rows, Rows] | None

    @classmethod
    def of(cls, hosts: Values, guests: Values, half: bool, scans: tuple[Rows, Rows] | None) -> Shortlist:
        """Center what is compared, and find the limits."""
        center = guests.mean(axis=0)
        hosts, guests = unit(hosts - center), unit(guests - center)
        guest_limits = _limits(guests, hosts)
        return cls(hosts, guests, guest_limits if half else _limits(hosts, guests), guest_limits, half, scans)

    def from_row(self, start: int) -> tuple[Rows, Rows]:
        """Return the pairs of the `ROWS` hosts from `start` on."""
        stop, first = min(start + ROWS, len(self.hosts)), start + 1 if self.half else 0
        columns = range(first, len(self.guests), COLUMNS)
        blocks = [self._block(start, stop, left, min(left + COLUMNS, len(self.guests))) for left in columns]
        none = np.zeros(0, np.int64)
        row, column = (np.concatenate(found) for found in zip((none, none), *blocks, strict=True))
        order = np.argsort(row, kind="stable")
        row, column = row[order], column[order]
        if self.scans is not None:
            apart = self.scans[0][row] != self.scans[1][column]
            row, column = row[apart], column[apart]
        return row, column

    def _block(self, start: int, stop: int, left: int, right: int) -> tuple[Rows, Rows]:
        scores = self.hosts[start:stop] @ self.guests[left:right].T
        chosen = scores > self.host_limits[start:stop, None]
        chosen |= scores > self.guest_limits[None, left:right]
        row, column = np.divmod(np.flatnonzero(chosen), right - left)
        return start + row, left + column


def _limits(rows: Values, others: Values) -> Values:
    """Return for each of `rows` the similarity that about `SHORTLIST` of `others` exceed, judged by a sample."""
    sample = others[np.random.default_rng(0).permutation(len(others))[:SAMPLE]]
    rank = 1 + int(SHORTLIST * len(sample) / len(others))
    if rank > len(sample):
        return np.full(len(rows), -np.inf, np.float32)

    def limit(start: int) -> Values:
        scores = rows[start : start + ROWS] @ sample.T
        return np.partition(scores, -rank, axis=1)[:, -rank]

    return np.concatenate([found for _, found in side_by_side(limit, range(0, len(rows), ROWS), cores())])
