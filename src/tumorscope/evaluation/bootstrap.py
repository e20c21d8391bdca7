"""95% intervals by resampling clusters (patients, else twin clusters), not slices.

Slices of one patient resemble each other; resampling slices would count them as independent and make every interval too
narrow (Field and Welsh, 2007, "Bootstrapping clustered data").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.evaluation.metrics import Floats, Measure
from tumorscope.model_file import Figure

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
    drawn = _resampled(measures, codes, seed, resamples)
    return {
        measure.name: Figure(
            value=measure.value,
            n=measure.n,
            interval=interval(_centered(values, measure), measure.value, _trials(measure, codes)),
        )
        for measure, values in zip(measures, drawn, strict=True)
    }


def paired_difference(
    first: Measure, second: Measure, clusters: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES
) -> Figure:
    """Return ``second - first``, two measures of the same rows (two models), both on the same resamples.

    An interval that leaves out 0 is a difference that chance does not explain.
    """
    codes = cluster_codes(clusters)
    a, b = _resampled([first, second], codes, seed, resamples)
    value, trials = second.value - first.value, min(_trials(first, codes), _trials(second, codes))
    low_high = None if trials < MIN_CLUSTERS else _percentiles(b - a, value)
    return Figure(value=value, n=min(first.n, second.n), interval=low_high)


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
    return None if trials < MIN_CLUSTERS else _percentiles(drawn, value)


def cluster_codes(clusters: ArrayLike) -> NDArray[np.int64]:
    """Return the clusters as numbers from 0, ``(n,)``."""
    return np.asarray(np.unique(np.asarray(clusters).astype(str), return_inverse=True)[1], np.int64)


def _resampled(measures: Sequence[Measure], codes: NDArray[np.int64], seed: int, resamples: int) -> list[Floats]:
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


def _trials(measure: Measure, codes: NDArray[np.int64]) -> int:
    return min(len(np.unique(codes[part])) for part in measure.parts)


def _percentiles(drawn: Floats, value: float) -> tuple[float, float] | None:
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < MIN_DEFINED * len(drawn):
        return None
    low, high = np.percentile(defined, (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    return min(float(low), value), max(float(high), value)
