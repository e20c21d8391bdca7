"""Two measures of the same rows side by side: their difference on the same resamples, and McNemar's test."""

from __future__ import annotations

from numpy.typing import ArrayLike

from tumorscope.statistics.bootstrap import RESAMPLES, cluster_codes, percentiles, resampled, trials
from tumorscope.statistics.figure import Figure
from tumorscope.statistics.metrics import Measure


def paired_difference(
    first: Measure, second: Measure, clusters: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES
) -> Figure:
    """Return ``second - first``, two measures of the same rows (two models), both on the same resamples.

    An interval that leaves out 0 is a difference that chance does not explain.
    """
    codes = cluster_codes(clusters)
    a, b = resampled([first, second], codes, seed, resamples)
    value, least = second.value - first.value, min(trials(first, codes), trials(second, codes))
    return Figure(value=value, n=min(first.n, second.n), interval=percentiles(b - a, value, least))


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided p of McNemar's exact test (McNemar 1947), which asks whether discordant slices split evenly.

    >>> mcnemar(1, 9)
    0.021484375
    """
    from scipy.stats import binomtest

    total = first_only + second_only
    return float(binomtest(first_only, total, 0.5).pvalue) if total else 1.0
