"""``metrics.json`` as a model: its keys are fixed, since other programs read them."""

from __future__ import annotations

from typing import Literal

from tumorscope.document import Document, Interval
from tumorscope.model_file import Thresholds

Split = Literal["leak_free", "twin_free", "full"]


class FigureDocument(Document):
    """A figure with its 95% interval; null where there are too few to say."""

    value: float
    n: int
    interval: Interval | None


Figures = dict[str, FigureDocument]
"""By metric."""


class ConfusionDocument(Document):
    """Counts of labels (rows, as the data set names them) against called classes (columns)."""

    labels: list[str]
    called: list[str]
    counts: list[list[int]]


class BinDocument(Document):
    """The slices whose stated confidence lies between two bounds."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class ReliabilityDocument(Document):
    """The bins as the model answers (`after`), and without its temperature."""

    before: tuple[BinDocument, ...] = ()
    after: list[BinDocument]


class CalibrationDocument(Document):
    """How stated confidence and accuracy agree; a model that is not ours has no temperature."""

    temperature: float | None
    reliability: ReliabilityDocument


class CurveDocument(Document):
    """The points of a curve, as shares."""

    x: list[float]
    y: list[float]


class CurvesDocument(Document):
    """The curves that the labels allow; none where nothing was measured."""

    coverage: CurveDocument | None = None
    roc: CurveDocument | None = None
    precision_recall: CurveDocument | None = None


class DetailsDocument(Document):
    """What stands beside the figures of a split; null where it has no slices."""

    confusion: ConfusionDocument | None
    per_class: dict[str, Figures]
    calibration: CalibrationDocument | None
    curves: CurvesDocument


class PatientDocument(Document):
    """A patient of the headline's slices."""

    dataset: str
    patient: str
    n: int
    tumor_slices: int
    accuracy: float
    mean_tumor_probability: float


class FloorPartDocument(Document):
    """What a floor scores on the slices of a split; `majority` is the share of the commonest label."""

    accuracy: float | None
    n: int
    interval: Interval | None
    majority: float | None


class FloorDocument(FloorPartDocument):
    """What a floor scores on the full set, and on each split."""

    note: str
    by_split: dict[Split, FloorPartDocument]


class UnreadableDocument(Document):
    """A file that could not be read and is in no figure."""

    path: str
    problem: str


class NoteDocument(Document):
    """What a reader must know, and how grave it is."""

    level: Literal["bad", "warn", "note"]
    text: str


class ModelDocument(Document):
    """Which model was measured."""

    name: str
    version: str
    sha256: str


class MetricsDocument(Document):
    """``metrics.json``; docs/evaluation.md tells what its keys mean.

    `confusion`, `per_class`, `calibration`, `curves` and the `by_...` tables are of the headline's slices; those of
    each split stand under `details`. `lesions` holds `n`, the count of slices that show a lesion that is no tumor, and
    their figures.
    """

    headline: Figures
    headline_split: Split
    headline_sentence: str
    leak_free: Figures
    twin_free: Figures
    full: Figures
    part: str
    leaky: bool
    groups_known: bool
    traceable: bool
    slices: dict[Split, int]
    confusion: ConfusionDocument | None
    per_class: dict[str, Figures]
    calibration: CalibrationDocument | None
    curves: CurvesDocument
    by_dataset: dict[str, Figures]
    by_source: dict[str, Figures]
    by_sequence: dict[str, Figures]
    by_plane: dict[str, Figures]
    by_kind: dict[str, Figures]
    by_patient: list[PatientDocument]
    lesions: dict[str, int | FigureDocument]
    copy_baseline: FloorDocument
    source_probe: FloorDocument
    details: dict[Split, DetailsDocument]
    unreadable: list[UnreadableDocument]
    notes: list[NoteDocument]
    prevalence: float
    thresholds: Thresholds | None
    model: ModelDocument
    foreign: bool
    trained_on: str
    seed: int
    command: str
    version: str
