"""The statistics of a study: one run's figure over folds and seeds, and the difference of two on the same slices.

Of several seeds each has its own figure, and they are averaged; where every seed measures the same slices, as folds and
published test parts do, the accuracy is then the mean over slices of how often each was right. Intervals resample
clusters (patients, else twin clusters), the same ones for two runs that are compared. McNemar's test stands beside them
since readers know it; it takes slices for independent, which slices of one patient are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tumorscope.model_file import NOTUMOR
from tumorscope.statistics import Figure, Measure, estimate, mcnemar, metrics, paired_difference
from tumorscope.studies.answers import Answers, common

PER_CLASS = ("recall", "precision")
RESAMPLES = 2000


@dataclass(frozen=True)
class Difference:
    """Two runs on the slices that both answered.

    Attributes:
        value: the first's figure minus the second's.
        interval: 95%, or None where there are too few clusters.
        n: slices that both answered.
        first_only: slices that the first has right and the second wrong, in most of the seeds.
        second_only: the other way round.
        p: of McNemar's exact test.
    """

    value: float
    interval: tuple[float, float] | None
    n: int
    first_only: int
    second_only: int
    p: float

    @property
    def is_real(self) -> bool:
        """Whether chance does not explain it: the interval leaves out 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def figure(metric: str, answers: Answers, *, seed: int = 0) -> Figure | None:
    """Return a run's figure with n and interval; None where its labels do not define the metric."""
    measure = _measure(metric, answers)
    return estimate([measure], answers.clusters, seed=seed, resamples=RESAMPLES).get(metric)


def value_of(metric: str, answers: Answers) -> float | None:
    """Return a run's figure alone; None where its labels do not define the metric."""
    value = _measure(metric, answers).value
    return None if np.isnan(value) else float(value)


def class_figures(answers: Answers, *, seed: int = 0) -> dict[str, dict[str, Figure]]:
    """Return the recall and the precision of every class that a slice has or is called; undefined ones are left out."""
    columns = range(len(answers.seeds))
    names = sorted({*map(str, answers.labels), *map(str, answers.called[answers.answered])})
    found: dict[str, dict[str, Figure]] = {}
    for name in names:
        measures = [_over_seeds(what, [_share_right(answers, at, what, name) for at in columns]) for what in PER_CLASS]
        found[name] = estimate(measures, answers.clusters, seed=seed, resamples=RESAMPLES)
    return found


def seed_values(metric: str, answers: Answers) -> dict[int, float]:
    """Return the figure of each seed."""
    return {seed: _measure(metric, answers.of_seed(seed)).value for seed in answers.seeds}


def difference(metric: str, first: Answers, second: Answers, *, seed: int = 0) -> Difference | None:
    """Compare two runs on the (slice, seed) pairs that both answered; None where there is none.

    So it is while only some trainings are done: one run's first fold and another's second.
    """
    first, second = common(first, second)
    if not first.n:
        return None
    found = paired_difference(
        _measure(metric, second), _measure(metric, first), first.clusters, seed=seed, resamples=RESAMPLES
    )
    ahead, behind = first.share_right > 0.5, second.share_right > 0.5
    only = int((ahead & (second.share_right < 0.5)).sum()), int((behind & (first.share_right < 0.5)).sum())
    return Difference(found.value, found.interval, first.n, *only, mcnemar(*only))


def mean_difference(metric: str, pairs: Sequence[tuple[Answers, Answers]], *, seed: int = 0) -> Figure | None:
    """Return the mean over several pairs of runs of the first's figure minus the second's, on the same resamples.

    This is what one choice does where runs differ in it alone: every pair is one setting of all the others. None where
    the pairs have no slice in common.
    """
    shared = [common(*pair) for pair in pairs]
    keys = sorted(set.intersection(*(set(first.keys) for first, _ in shared)))
    if not keys:
        return None
    kept = np.array(keys)
    first, second = (
        metrics.average(metric, [_measure(metric, pair[side].at(kept)) for pair in shared]) for side in (0, 1)
    )
    return paired_difference(second, first, shared[0][0].at(kept).clusters, seed=seed, resamples=RESAMPLES)


def _measure(metric: str, answers: Answers) -> Measure:
    return _over_seeds(metric, [_seed_measure(metric, answers, at) for at in range(len(answers.seeds))])


def _over_seeds(name: str, seeds: Sequence[Measure]) -> Measure:
    """Return the mean over seeds of a metric; a seed for which it is not defined is left out."""
    return metrics.average(name, [one for one in seeds if not np.isnan(one.value)] or seeds[:1])


def _seed_measure(metric: str, answers: Answers, at: int) -> Measure:
    rows, right, called = answers.answered[:, at], answers.right[:, at], answers.called[:, at] != NOTUMOR
    positive = answers.labels != NOTUMOR
    if metric == "accuracy" or not rows.any():
        return metrics.share(metric, right, rows)
    if metric == "balanced_accuracy":
        names = np.unique(answers.labels[rows])
        return metrics.balanced_accuracy(metric, right, [rows & (answers.labels == name) for name in names])
    if metric == "sensitivity":
        return metrics.share(metric, called, rows & positive & answers.tells_tumors)
    if metric == "specificity":
        return metrics.share(metric, ~called, rows & ~positive)
    if metric == "auc":
        return metrics.auc(metric, answers.tumor[:, at], positive, rows)
    raise ValueError(f"no metric {metric}")


def _share_right(answers: Answers, at: int, what: str, name: str) -> Measure:
    """Return how often one seed is right among the slices of a class (recall), or among its calls of it (precision)."""
    among = answers.labels == name if what == "recall" else answers.called[:, at] == name
    return metrics.share(what, answers.right[:, at], answers.answered[:, at] & among)
