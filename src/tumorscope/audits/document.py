"""``audit.json`` as a model: its keys are fixed, since other programs read them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tumorscope.document import Document, Interval

Counts = dict[str, int]
"""How many by name: of a class, a set, a transform."""


class ScoreDocument(Document):
    """What something that knows no anatomy scores.

    Attributes:
        accuracy: null where it cannot be measured; `note` says why.
        n: slices that were answered.
        interval: 95%; null where there are too few clusters to say.
        majority: the share of the commonest class.
        note: on what it was measured.
    """

    accuracy: float | None
    n: int
    interval: Interval | None
    majority: float | None
    note: str


class TwinsDocument(Document):
    """How many twins there are.

    Attributes:
        pairs: of twins.
        exact_pairs: those of the same pixels.
        slices_with_a_twin: slices in a pair.
        redundant: slices that a copy could stand in for.
        transforms: pairs by what turns one into the other.
        listed_whole_up_to: of a set of so many twins ``pairs.csv`` lists every pair; of a larger one the star.
        groups_listed_as_stars: how many sets are larger.
    """

    pairs: int
    exact_pairs: int
    slices_with_a_twin: int
    redundant: int
    transforms: Counts
    listed_whole_up_to: int
    groups_listed_as_stars: int


class LeaksDocument(Document):
    """Test slices that training knows.

    Attributes:
        split: whose leaks these are.
        train_images: slices of the training part.
        test_images: slices of the test part.
        exact: test slices with an exact twin in training.
        near: test slices with any twin there, exact ones among them.
        group: test slices whose group is in training.
        by_class: `near` by class.
        exact_by_class: `exact` by class.
        group_by_class: `group` by class.
        test_by_class: `test_images` by class.
    """

    split: Literal["published", "random"]
    train_images: int
    test_images: int
    exact: int
    near: int
    group: int
    by_class: Counts
    exact_by_class: Counts
    group_by_class: Counts
    test_by_class: Counts


class ConflictDocument(Document):
    """A pair of twins whose labels contradict each other; the data sets stand there where there are several."""

    a: str
    b: str
    kind: Literal["exact", "near"]
    similarity: float
    transform: str
    dataset_a: str | None = None
    dataset_b: str | None = None
    label_a: str
    label_b: str


class UnreadableDocument(Document):
    """A file that cannot be read."""

    path: str
    problem: str


class MisnamedDocument(Document):
    """A file of another format than its name says."""

    path: str
    named: str
    is_: str = Field(alias="is")


class SharedDocument(Document):
    """How much of a class of another set stands in the audited data."""

    images: int
    exact: int
    near: int


class AgainstDocument(Document):
    """How much of another set stands in the audited data.

    Attributes:
        images: its slices.
        exact: those with an exact twin here.
        near: those with any twin here.
        near_in_train: those with a twin in the published training part.
        near_in_test: those with a twin in the published test part.
        by_class: the same by class of the other set.
        other_label: those whose twin here carries a label that contradicts theirs.
        unreadable: its files that cannot be read.
    """

    images: int
    exact: int
    near: int
    near_in_train: int
    near_in_test: int
    by_class: dict[str, SharedDocument]
    other_label: int
    unreadable: int


class PropertiesDocument(Document):
    """What the files of a class have in common, anatomy aside.

    Attributes:
        label: the class.
        n: its slices.
        median_width: in pixels.
        median_height: in pixels.
        sizes: how many different ones.
        modes: the share of each.
        sequences: the share of each.
        brightness: mean level, 0 to 255, of what is no background.
        contrast: standard deviation of these levels.
    """

    label: str
    n: int
    median_width: int
    median_height: int
    sizes: int
    modes: dict[str, float]
    sequences: dict[str, float]
    brightness: float
    contrast: float


class SentenceDocument(Document):
    """A finding in words, and how much it should worry."""

    level: Literal["bad", "warn", "note", "good"]
    text: str


class AuditDocument(Document):
    """``audit.json``; docs/audit.md tells what its keys mean."""

    data: list[str]
    datasets: Counts
    layout: str
    layouts: dict[str, str]
    images: int
    slices: int
    classes: Counts
    groups: int
    clusters: int
    patients: int
    slices_of_known_patient: int
    twins: TwinsDocument
    twin_groups: list[list[str]]
    empty: list[str]
    atlas: Counts
    label_conflicts: list[ConflictDocument]
    unreadable: list[UnreadableDocument]
    misnamed: list[MisnamedDocument]
    properties: list[PropertiesDocument]
    leaks: LeaksDocument
    copy_baseline: ScoreDocument
    copy_baseline_twin_free: ScoreDocument
    source_probe: ScoreDocument
    against: dict[str, AgainstDocument]
    seed: int
    version: str
    sentences: list[SentenceDocument]
