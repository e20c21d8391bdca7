"""What a model answered on a set, and every figure that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.evaluation import calibration
from tumorscope.inference.decide import Decisions, decide
from tumorscope.model_file import NOTUMOR, Card
from tumorscope.statistics import Figure, Measure, estimate, metrics
from tumorscope.statistics.metrics import Bools, Floats

TUMOR = "tumor"
HIGH_SPECIFICITY = 0.95
SHORT = ("accuracy", "auc", "sensitivity", "specificity", "sensitivity_at_95_specificity", "pointing")
"""The figures given of parts of a set: by data set, sequence, plane."""


@dataclass(frozen=True)
class Outcome:
    """Answers of a model beside the truth, one row a slice.

    Attributes:
        card: the model's, for classes, thresholds and temperature.
        labels: as the data set names them, str ``(n,)``; no row whose label the classes cannot express.
        cover: bool ``(n, classes)``: what each label covers.
        probabilities: ``(n, classes)``, temperature-scaled.
        outlier: ``(n,)`` distances.
        pixels: ``(n,)``: the smaller side of the head, in pixels of the slice.
        is_empty: bool ``(n,)``: whether the slice has a single gray level.
        pointing: ``(n,)``: 1 where the heatmap's peak lies in the tumor's mask, 0 where not, NaN without a mask.
        clusters: str ``(n,)``: what a bootstrap resamples.
        prevalence: share of tumors for which predictive values are stated.
        is_plain: whether the model gives probabilities and nothing else: no thresholds, no temperature, no outlier
            distance. Its answer is the likeliest class, and what it lacks is measured nowhere.
    """

    card: Card
    labels: NDArray[np.str_]
    cover: Bools
    probabilities: Floats
    outlier: Floats
    pixels: Floats
    is_empty: Bools
    pointing: Floats
    clusters: NDArray[np.str_]
    prevalence: float = 0.05
    is_plain: bool = False

    def take(self, rows: Bools) -> Outcome:
        """Return part of the rows."""
        names = ("labels", "cover", "probabilities", "outlier", "pixels", "is_empty", "pointing", "clusters")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def with_probabilities(self, probabilities: Floats) -> Outcome:
        """Return the same slices with other answers."""
        return replace(self, probabilities=probabilities)

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes, in order."""
        return self.card.classes

    @cached_property
    def tumor(self) -> NDArray[np.float64]:
        """The probability of a tumor of any kind, ``(n,)``."""
        return calibration.tumor_probability(self.probabilities, self.classes)

    @cached_property
    def is_tumor(self) -> Bools:
        """Whether it is one, ``(n,)``; where `knows_tumor`."""
        return np.asarray(calibration.tumor_truth(self.cover, self.classes) == 1)

    @cached_property
    def knows_tumor(self) -> Bools:
        """Whether the label tells tumor from none, ``(n,)``."""
        return ~np.isnan(calibration.tumor_truth(self.cover, self.classes))

    @cached_property
    def decisions(self) -> Decisions:
        """What findings of these slices say."""
        return decide(self.card, self.probabilities, self.outlier, pixels=self.pixels, is_empty=self.is_empty)

    @cached_property
    def called(self) -> NDArray[np.int64]:
        """The class that each slice is called, ``(n,)``: that of its finding, or of a plain model the likeliest."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64) if self.is_plain else self.decisions.labels

    @cached_property
    def right(self) -> Bools:
        """Whether the label covers what it is called, ``(n,)``."""
        return self.cover[np.arange(len(self)), self.called]

    @cached_property
    def certainty(self) -> NDArray[np.float64]:
        """The probability of the likelier of tumor and none, or without a class notumor of the likeliest, ``(n,)``."""
        if NOTUMOR not in self.classes or self.is_plain:
            return np.asarray(self.probabilities.max(axis=1), np.float64)
        return np.maximum(self.tumor, 1 - self.tumor)

    @property
    def is_coarse(self) -> bool:
        """Whether no label names a kind of tumor, so that only tumor against none can be judged."""
        return (
            NOTUMOR in self.classes and len(self.classes) > 2 and not (self.cover.sum(axis=1) == 1)[self.is_tumor].any()
        )

    @cached_property
    def judged(self) -> tuple[Floats, Bools]:
        """Probabilities and cover at the level that the labels can judge: all classes, or tumor against none."""
        if not self.is_coarse:
            return self.probabilities, self.cover
        return np.column_stack([self.tumor, 1 - self.tumor]), np.column_stack([self.is_tumor, ~self.is_tumor])


def figures(outcome: Outcome, *, seed: int = 0, only: Sequence[str] | None = None) -> dict[str, Figure]:
    """Return every metric of an outcome with n and interval; those that its labels do not define are left out."""
    if not len(outcome):
        return {}
    chosen = [m for m in _measures(outcome) if only is None or m.name in only]
    return estimate(chosen, outcome.clusters, seed=seed)


def class_figures(outcome: Outcome, *, seed: int = 0) -> dict[str, dict[str, Figure]]:
    """Return precision, recall, F1 and AUC of each class that occurs, and of `tumor` (any kind against none)."""
    found = {}
    for name, (called, positive, rows, scores) in _class_rows(outcome).items():
        measures = [
            metrics.precision("precision", called, positive, rows),
            metrics.share("recall", called, positive & rows),
            metrics.f1("f1", called, positive, rows),
            metrics.auc("auc", scores, positive, rows),
        ]
        found[name] = estimate(measures, outcome.clusters, seed=seed)
    return found


def lesion_figures(outcome: Outcome, *, seed: int = 0) -> dict[str, Figure]:
    """Return how often slices with a lesion that is no tumor are called a tumor, refused, or left undecided."""
    if not len(outcome):
        return {}
    everyone = np.ones(len(outcome), bool)
    called = np.array([name != NOTUMOR for name in outcome.classes])[outcome.called]
    caution = [measure for measure in _caution_measures(outcome) if measure.name in ("refused", "answered")]
    return estimate([metrics.share("called_tumor", called, everyone), *caution], outcome.clusters, seed=seed)


def confusion(outcome: Outcome) -> dict[str, Any]:
    """Return the counts of labels (rows, as the data set names them) against called classes (columns)."""
    rows = sorted(set(outcome.labels.tolist()))
    counts = np.zeros((len(rows), len(outcome.classes)), int)
    np.add.at(counts, (np.searchsorted(rows, outcome.labels), outcome.called), 1)
    return {"labels": rows, "called": list(outcome.classes), "counts": counts.tolist()}


def _measures(outcome: Outcome) -> list[Measure]:
    everyone = np.ones(len(outcome), bool)
    strata = [outcome.labels == name for name in sorted(set(outcome.labels.tolist()))]
    of_classes = _class_rows(outcome)
    if TUMOR not in outcome.classes and not outcome.is_coarse:  # of any kind: no class beside the kinds themselves
        of_classes.pop(TUMOR, None)
    classes = list(of_classes.values())
    return [
        metrics.share("accuracy", outcome.right, everyone),
        metrics.balanced_accuracy("balanced_accuracy", outcome.right, strata),
        metrics.average("macro_f1", [metrics.f1("", called, positive, rows) for called, positive, rows, _ in classes]),
        metrics.average(
            "macro_auc", [metrics.auc("", scores, positive, rows) for _, positive, rows, scores in classes]
        ),
        *_tumor_measures(outcome),
        *_calibration_measures(outcome),
        *_caution_measures(outcome),
        metrics.share("pointing", outcome.pointing == 1, ~np.isnan(outcome.pointing)),
    ]


def _tumor_measures(outcome: Outcome) -> list[Measure]:
    """Tumor of any kind against none, the question that comes first."""
    if NOTUMOR not in outcome.classes:
        return []
    positive, rows, scores = outcome.is_tumor, outcome.knows_tumor, outcome.tumor
    called = np.array([name != NOTUMOR for name in outcome.classes])[outcome.called]
    at_prevalence = (called, positive, rows, outcome.prevalence)
    return [
        metrics.auc("auc", scores, positive, rows),
        metrics.average_precision("average_precision", scores, positive, rows),
        metrics.share("sensitivity", called, positive & rows),
        metrics.share("specificity", ~called, ~positive & rows),
        metrics.sensitivity_at("sensitivity_at_95_specificity", scores, positive, rows, HIGH_SPECIFICITY),
        metrics.predictive_value("ppv_at_prevalence", *at_prevalence),
        metrics.predictive_value("npv_at_prevalence", *at_prevalence, of=False),
    ]


def _calibration_measures(outcome: Outcome) -> list[Measure]:
    everyone = np.ones(len(outcome), bool)
    out = []
    for suffix, probabilities, cover in _before_and_after(outcome):
        confidence, right = calibration.answers(probabilities, cover)
        out += [
            metrics.calibration_error(f"ece{suffix}", confidence, right, everyone),
            metrics.mean(f"brier{suffix}", calibration.brier_scores(probabilities, cover), everyone),
        ]
    return out


def _before_and_after(outcome: Outcome) -> list[tuple[str, Floats, Bools]]:
    if outcome.is_plain:
        return [("", *outcome.judged)]
    raw = calibration.before_temperature(outcome.probabilities, outcome.card.temperature)
    return [("_before_temperature", *outcome.with_probabilities(raw).judged), ("", *outcome.judged)]


def _caution_measures(outcome: Outcome) -> list[Measure]:
    """How often the model answers at all, how good those answers are, and whether its sets hold the truth."""
    if outcome.is_plain:
        return []
    everyone, said = np.ones(len(outcome), bool), outcome.decisions
    answered, in_set = ~said.refused & ~said.flags["abstain"], said.prediction_sets
    return [
        metrics.share("refused", said.refused, everyone),
        metrics.share("answered", answered, everyone),
        metrics.share("accuracy_answered", outcome.right, answered),
        metrics.share("prediction_set_coverage", (in_set & outcome.cover).any(axis=1), everyone),
        metrics.mean("prediction_set_size", in_set.sum(axis=1).astype(float), everyone),
    ]


def _class_rows(outcome: Outcome) -> dict[str, tuple[Bools, Bools, Bools, Floats]]:
    """For each class that occurs: who was called it, who is it, of whom this is known, and its scores."""
    single = outcome.cover.sum(axis=1) == 1
    out: dict[str, tuple[Bools, Bools, Bools, Floats]] = {}
    for i, name in enumerate(outcome.classes):
        positive = outcome.cover[:, i] & single
        if positive.any():
            rows = single | ~outcome.cover[:, i]
            out[name] = (outcome.called == i, positive, rows, outcome.probabilities[:, i])
    if NOTUMOR in outcome.classes and TUMOR not in outcome.classes and outcome.is_tumor.any():
        called = np.array([name != NOTUMOR for name in outcome.classes])[outcome.called]
        out[TUMOR] = (called, outcome.is_tumor, outcome.knows_tumor, outcome.tumor)
    return out
