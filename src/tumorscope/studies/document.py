"""``study.json`` as a model: its keys are fixed, since other programs read them."""

from __future__ import annotations

from typing import Any, Literal

from tumorscope.document import Document
from tumorscope.studies.study import Metric, Slices

Interval = tuple[float | None, float | None]
Says = Literal["better", "worse", "not told apart"]


class PublishedDocument(Document):
    """What the authors report."""

    value: float
    metric: str
    what: str
    source: str
    protocol: str
    runs: list[str]


class FigureDocument(Document):
    """A figure; one that is not defined is null with n 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    interval: Interval | None


class ClassDocument(Document):
    """What a run does on a class."""

    recall: FigureDocument
    precision: FigureDocument


class CurveDocument(Document):
    """The epochs of a training; null where a value is no number."""

    training: str
    epoch: list[int]
    loss: tuple[float | None, ...] = ()
    val_loss: tuple[float | None, ...] = ()
    val_accuracy: tuple[float | None, ...] = ()


class RowDocument(Document):
    """A run under a protocol: a row of the leaderboard.

    Attributes:
        theirs: whether it follows the authors' own recipe.
        seed_sd: standard deviation of the figure between seeds.
        done: of its `trainings`.
        best: whether it is better than every other run.
        minutes: of the wall clock, over all its trainings.
        copy_baseline: what copying scores on the measured slices.
        source_probe: what the bare file tells there.
        cut: what the budget cut.
    """

    run: str
    theirs: bool
    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    n: int
    interval: Interval | None
    seed_sd: float | None
    classes: dict[str, ClassDocument]
    seeds: int
    folds: int
    done: int
    trainings: int
    best: bool
    leaky: bool
    split: str
    part: str
    slices: Slices | None
    epochs: int
    side: int
    backbone: str
    weights: str
    parameters: int | None
    minutes: float | None
    copy_baseline: float | None
    source_probe: float | None
    cut: str
    note: str
    curves: list[CurveDocument]


class DifferenceDocument(Document):
    """The first run of a protocol against another, paired on the same slices.

    Attributes:
        real: whether the interval leaves out 0.
        first_only: slices that only the first has right.
        second_only: slices that only the other has right.
    """

    first: str
    run: str
    value: float | None
    interval: Interval | None
    mcnemar_p: float | None
    real: bool
    n: int
    first_only: int
    second_only: int


class ProtocolDocument(Document):
    """A protocol with its leaderboard, the highest figure first."""

    split: str
    part: str
    slices: Slices | None
    folds: list[int]
    seeds: list[int]
    what: str
    leaky: bool
    rows: list[RowDocument]
    differences: list[DifferenceDocument]
    best: str | None
    first: str | None
    not_told_apart: list[str]


class ContrastRowDocument(Document):
    """What an option does against the first one under a protocol; `whole` where all trainings are done."""

    protocol: str
    option: str
    pairs: int
    value: float | None
    n: int
    interval: Interval | None
    real: bool
    whole: bool


class ContrastDocument(Document):
    """What one choice of a grid does, over all runs that differ in nothing else."""

    of: str
    title: str
    against: str
    claims: dict[str, Literal["better", "worse"]]
    rows: list[ContrastRowDocument]


class FoundDocument(Document):
    """What a choice does under a protocol."""

    protocol: str
    says: Says
    value: float | None
    interval: Interval | None
    n: int
    pairs: int


class ConclusionDocument(Document):
    """What a choice does as published, and without leaks."""

    of: str
    title: str
    option: str
    against: str
    authors: str | None
    claimed: Says
    published: FoundDocument
    honest: FoundDocument
    verdict: str


class BudgetDocument(Document):
    """What was estimated and cut, in CPU hours; `level` is 1 where nothing had to be cut."""

    hours: float
    level: float
    full_hours: float
    cut_hours: float
    words: str


class TrainingDocument(Document):
    """A training of the study."""

    training: str
    state: str
    value: float | None
    minutes: float | None
    error: str | None


class AuditDocument(Document):
    """The audit of the data, in short; see ``audit.json`` for its parts."""

    images: int | None
    groups: int | None
    classes: dict[str, int] | None
    copy_baseline: dict[str, Any] | None
    source_probe: dict[str, Any] | None
    sentences: list[dict[str, str] | str]


class StudyDocument(Document):
    """``study.json``; docs/studies.md tells what its keys mean."""

    name: str
    title: str
    description: str
    data: list[str]
    metric: Metric
    published: PublishedDocument | None
    audit: AuditDocument | None
    budget: BudgetDocument | None
    cut: list[str]
    protocols: dict[str, ProtocolDocument]
    tables: list[ContrastDocument]
    conclusions: list[ConclusionDocument]
    trainings: list[TrainingDocument]
    command: str
    settings: dict[str, Any]
    version: str
