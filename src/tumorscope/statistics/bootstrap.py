"""95% intervals by resampling clusters (patients, else twin clusters), not slices.

Slices of one patient resemble each other; resampling slices would count them as independent and make every interval too
narrow (Field and Welsh, 2007, "Bootstrapping clustered data").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.statistics.figure import Figure
from tumorscope.statistics.metrics import Floats, Measure

RESAMPLES = 1000
LEVEL = 0.95
MIN_CLUSTERS = 5
"""Fewer clusters say too little about how much clusters differ; the interval is then left out."""
MIN_DEFINED = 0.5
"""An interval is given when at least this share of the resamples defines the value."""
BLOCK_CELLS = 1 << 20
"""Resamples are drawn in blocks of about this many weights, which bounds the memory."""


def estimate(
    measures: Sequence[Measure], clusters: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Figure]:
    """Return each measure's value, n and interval by its name; one that the set does not define is left out.

    Args:
        measures: all of the same n rows.
        clusters: ``(n,)``, equal for rows that are resampled together.
        seed: of the resampling.
        resamples: how many.
    """
    codes = cluster_codes(clusters)
    measures = [measure for measure in measures if not np.isnan(measure.value)]
    drawn = resampled(measures, codes, seed, resamples)
    return {
        measure.name: Figure(
            value=measure.value,
            n=measure.n,
            interval=interval(_centered(values, measure), measure.value, trials(measure, codes)),
        )
        for measure, values in zip(measures, drawn, strict=True)
    }


def interval(drawn: Floats, value: float, trials: int) -> tuple[float, float] | None:
    """Return the 95% interval of resampled values (percentile method), always holding the value itself.

    Where every resample gives 0 or every one 1, the resampling cannot show the uncertainty; the bound is then the exact
    one of Clopper and Pearson (1934) with the clusters as trials.

    Args:
        drawn: ``(b,)`` resampled values, NaN where not defined.
        value: on the set itself.
        trials: clusters in the smallest part that counts.

    Returns:
        Low and high, or None where most resamples do not define the value, and where they differ among fewer than 5
        clusters.
    """
    if value in (0.0, 1.0) and np.nanmin(drawn) == np.nanmax(drawn):
        bound = ((1 - LEVEL) / 2) ** (1 / max(trials, 1))
        return (float(bound), 1.0) if value else (0.0, float(1 - bound))
    return percentiles(drawn, value, trials)


def percentiles(drawn: Floats, value: float, trials: int) -> tuple[float, float] | None:
    """Return the middle 95% of resampled values, holding the value itself; None where there is too little to say.

    That is the one rule for too few: fewer than `MIN_CLUSTERS` clusters, or most resamples do not define the value.
    """
    defined = drawn[~np.isnan(drawn)]
    if trials < MIN_CLUSTERS or len(defined) < MIN_DEFINED * len(drawn):
        return None
    low, high = np.percentile(defined, (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    return min(float(low), value), max(float(high), value)


def trials(measure: Measure, codes: NDArray[np.int64]) -> int:
    """Return the number of clusters in the smallest part that counts, from cluster codes ``(n,)``."""
    return min(len(np.unique(codes[part])) for part in measure.parts)


def cluster_codes(clusters: ArrayLike) -> NDArray[np.int64]:
    """Return the clusters as numbers from 0, ``(n,)``."""
    return np.asarray(np.unique(np.asarray(clusters).astype(str), return_inverse=True)[1], np.int64)


def resampled(measures: Sequence[Measure], codes: NDArray[np.int64], seed: int, resamples: int) -> list[Floats]:
    """Return each measure's value on every resample of the clusters, ``(resamples,)`` each, all on the same ones."""
    out: list[Floats] = [np.empty(resamples) for _ in measures]
    start = 0
    for weights in _weights(codes, seed, resamples):
        for values, measure in zip(out, measures, strict=True):
            values[start : start + len(weights)] = measure.compute(weights)
        start += len(weights)
    return out


def _weights(codes: NDArray[np.int64], seed: int, resamples: int) -> Iterator[Floats]:
    """Yield blocks of weights ``(b, n)``: how often a resample of the clusters drew each row."""
    if not len(codes):
        return
    rng, count = np.random.default_rng(seed), int(codes.max()) + 1
    block = int(np.clip(BLOCK_CELLS // len(codes), 1, resamples))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.float64)[:, codes]


def _centered(values: Floats, measure: Measure) -> Floats:
    """Shift the resampled values of a biased measure to its value; others stay."""
    if not measure.is_biased:
        return values
    return np.asarray(np.maximum(values - np.nanmedian(values) + measure.value, 0.0))
