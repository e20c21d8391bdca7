"""The statistics of a study: one run's figure over folds and seeds, and the difference of two on the same slices.

Folds are pooled: each slice is answered by the model that did not see it, and all count together. Of several seeds each
has its own figure, and they are averaged; where every seed measures the same slices, as folds and published test parts
do, the accuracy is then the mean over slices of how often each was right. A call is the likeliest class, as published
figures count; thresholds of model files, which are fitted on the validation part, are not used. Intervals resample
clusters (patients, else twin clusters), the same ones for two runs that are compared. McNemar's test stands beside them
since readers know it; it takes slices for independent, which slices of one patient are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import cover_matrix
from tumorscope.errors import StudyError
from tumorscope.evaluation import metrics
from tumorscope.evaluation.bootstrap import estimate, paired_difference
from tumorscope.evaluation.metrics import Measure
from tumorscope.model_file import NOTUMOR, Figure

TEXTS = ("dataset", "path", "channel", "label", "cluster")
PROBABILITY = "p_"
COUNTED = {
    "full": None,
    "copies": ("twin_seen", True),
    "twin_free": ("twin_seen", False),
    "leak_free": ("group_seen", False),
}
"""The column of findings that says whether a slice is in a set of slices, and what it says of those that are."""
PER_CLASS = ("recall", "precision")
RESAMPLES = 2000

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What one run answered under one protocol: slices in rows, seeds in columns.

    Attributes:
        keys: what tells the slices apart, str ``(n,)``, sorted.
        labels: str ``(n,)``.
        clusters: what a bootstrap resamples, str ``(n,)``.
        seeds: in order.
        answered: bool ``(n, seeds)``: whether the slice is in the measured part of that seed.
        right: bool ``(n, seeds)``.
        called: the likeliest class, str ``(n, seeds)``; '' where not answered.
        tumor: probability of a tumor, ``(n, seeds)``; 0 where not answered.
    """

    keys: NDArray[np.str_]
    labels: NDArray[np.str_]
    clusters: NDArray[np.str_]
    seeds: tuple[int, ...]
    answered: Bools
    right: Bools
    called: NDArray[np.str_]
    tumor: Floats

    @property
    def n(self) -> int:
        """How many distinct slices some seed answered."""
        return int(self.answered.any(axis=1).sum())

    @property
    def share_right(self) -> Floats:
        """How often each slice was right, ``(n,)``; NaN where no seed answered it."""
        times = self.answered.sum(axis=1)
        hits = (self.right & self.answered).sum(axis=1).astype(np.float64)
        return np.divide(hits, times, out=np.full(len(times), np.nan), where=times > 0)

    def of_seed(self, seed: int) -> Answers:
        """Return the answers of one seed alone."""
        at = [self.seeds.index(seed)]
        parts = {name: getattr(self, name)[:, at] for name in ("answered", "right", "called", "tumor")}
        return Answers(self.keys, self.labels, self.clusters, (seed,), **parts)


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


def read_answers(findings: Sequence[tuple[int, Path]], slices: str) -> Answers:
    """Read what a run answered.

    Args:
        findings: (seed, ``findings.csv``) of every fold and seed.
        slices: 'full', 'copies', 'twin_free' or 'leak_free'.

    Raises:
        StudyError: a file is no table of findings, or two folds of a seed answer one slice.
    """
    tables = [_read(path, slices).assign(seed=seed) for seed, path in findings]
    table = pd.concat(tables, ignore_index=True)
    key = table["dataset"] + "/" + table["path"] + "#" + table["channel"]
    if (twice := pd.DataFrame({"key": key, "seed": table["seed"]}).duplicated()).any():
        raise StudyError(f"{key[twice].iloc[0]} was answered twice", remedy="run the study anew in another folder")
    keys, at = np.unique(key.to_numpy(str), return_inverse=True)
    seeds = tuple(sorted({seed for seed, _ in findings}))
    first = np.unique(at, return_index=True)[1]
    place = (at, np.searchsorted(seeds, table["seed"]))
    return Answers(
        keys,
        table["label"].to_numpy(str)[first],
        table["cluster"].to_numpy(str)[first],
        seeds,
        answered=_spread(place, np.ones(len(table), bool), (len(keys), len(seeds))),
        right=_spread(place, table["right"].to_numpy(bool), (len(keys), len(seeds))),
        called=_spread(place, table["called"].to_numpy(str), (len(keys), len(seeds))),
        tumor=_spread(place, table["tumor_probability"].to_numpy(np.float64), (len(keys), len(seeds))),
    )


def figure(metric: str, answers: Answers, *, seed: int = 0) -> Figure | None:
    """Return a run's figure with n and interval; None where its labels do not define the metric."""
    measure = _measure(metric, answers)
    return estimate([measure], answers.clusters, seed=seed, resamples=RESAMPLES).get(metric)


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
    first, second = _common(first, second)
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
    common = [_common(*pair) for pair in pairs]
    keys = sorted(set.intersection(*(set(first.keys) for first, _ in common)))
    if not keys:
        return None
    kept = np.array(keys)
    first, second = (
        metrics.average(metric, [_measure(metric, _at(pair[side], kept)) for pair in common]) for side in (0, 1)
    )
    return paired_difference(second, first, _at(common[0][0], kept).clusters, seed=seed, resamples=RESAMPLES)


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided p of McNemar's exact test (McNemar 1947), which asks whether discordant slices split evenly.

    >>> mcnemar(1, 9)
    0.021484375
    """
    from scipy.stats import binomtest

    total = first_only + second_only
    return float(binomtest(first_only, total, 0.5).pvalue) if total else 1.0


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
        return metrics.share(metric, called, rows & positive)
    if metric == "specificity":
        return metrics.share(metric, ~called, rows & ~positive)
    if metric == "auc":
        return metrics.auc(metric, answers.tumor[:, at], positive, rows)
    raise ValueError(f"no metric {metric}")


def _share_right(answers: Answers, at: int, what: str, name: str) -> Measure:
    """Return how often one seed is right among the slices of a class (recall), or among its calls of it (precision)."""
    among = answers.labels == name if what == "recall" else answers.called[:, at] == name
    return metrics.share(what, answers.right[:, at], answers.answered[:, at] & among)


def _common(first: Answers, second: Answers) -> tuple[Answers, Answers]:
    """Return both on the slices and seeds that both have, each answered where both answered."""
    keys = np.intersect1d(first.keys, second.keys)
    seeds = tuple(sorted(set(first.seeds) & set(second.seeds)))
    a, b = _at(first, keys, seeds), _at(second, keys, seeds)
    both = np.asarray(a.answered & b.answered, np.bool_)
    kept = keys[both.any(axis=1)]
    return _at(_answered(a, both), kept), _at(_answered(b, both), kept)


def _at(answers: Answers, keys: NDArray[np.str_], seeds: tuple[int, ...] | None = None) -> Answers:
    rows = np.searchsorted(answers.keys, keys)
    columns = [answers.seeds.index(seed) for seed in (answers.seeds if seeds is None else seeds)]
    parts = {name: getattr(answers, name)[rows][:, columns] for name in ("answered", "right", "called", "tumor")}
    names = tuple(answers.seeds[column] for column in columns)
    return Answers(keys, answers.labels[rows], answers.clusters[rows], names, **parts)


def _answered(answers: Answers, both: Bools) -> Answers:
    kept = (answers.keys, answers.labels, answers.clusters, answers.seeds)
    return Answers(
        *kept, both, answers.right & both, np.where(both, answers.called, ""), np.where(both, answers.tumor, 0.0)
    )


def _read(path: Path, slices: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        table = table[table["counted"] == "True"]
        if (counted := COUNTED[slices]) is not None:
            column, said = counted
            table = table[table[column] == str(said)]
        texts, tumor = table[list(TEXTS)], pd.to_numeric(table["tumor_probability"])
        probabilities = table.filter(regex=f"^{PROBABILITY}").astype(np.float64)
        names = [column.removeprefix(PROBABILITY) for column in probabilities.columns]
        likeliest = probabilities.to_numpy().argmax(axis=1)
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(
            "is not a readable table of findings", file=path, remedy="remove its folder, then run the study again"
        ) from error
    alone = "row:" + texts["dataset"] + "/" + texts["path"]
    return texts.assign(
        cluster=texts["cluster"].where(texts["cluster"] != "", alone),
        called=np.array(names)[likeliest],
        right=cover_matrix(texts["label"], names)[np.arange(len(texts)), likeliest],
        tumor_probability=tumor,
    )


def _spread(
    place: tuple[NDArray[np.int64], NDArray[np.int64]], values: NDArray[Any], shape: tuple[int, int]
) -> NDArray[Any]:
    out = np.zeros(shape, values.dtype)
    out[place] = values
    return out
