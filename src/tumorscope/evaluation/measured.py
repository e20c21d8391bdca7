"""What was measured of a model on a set, as data; what is written and shown of it follows from this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.evaluation.baselines import Baselines
from tumorscope.evaluation.mistakes import Picture
from tumorscope.evaluation.outcome import Outcome
from tumorscope.model_file import Card
from tumorscope.statistics import Figure

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Note:
    """A sentence of the report and how grave it is: 'bad', 'warn' or 'note'."""

    level: str
    text: str


@dataclass(frozen=True)
class Measured:
    """What a model did on a set.

    Attributes:
        card: of the model.
        sha256: of the model file.
        part: which part of the data was asked for: 'test', 'val', 'train', 'all' or ``benchmark:NAME``.
        findings: one row a slice: the catalog's columns, what the model answered, whether it was `seen`, its
            `twin_seen` or its `group_seen` in training, and whether it is `counted` in `outcome`.
        outcome: the slices that count.
        lesions: those labeled `lesion` (a finding that is no neoplasm), reported apart.
        rows: for each split name which slices of `outcome` are in it.
        figures: for each split name the metrics.
        lesion_figures: those of `lesions`.
        headline: the split name whose figures a report leads with.
        groups_known: whether leaks by patient could be looked for, not only twins.
        is_traceable: whether anything tells what the model has seen; if not, only the full set has figures.
        baselines: what copying scores on the same slices, and what file properties score.
        mistakes: the worst ones.
        examples: right calls of each tumor class, drawn at random.
        seed: of bootstraps and probes.
        command: that made this.
        notes: what a reader must know, in sentences.
        stated: what the owner of a model that is not ours says that it was trained on, '' where nothing is said.
        unreadable: files of the data that could not be read and are in no figure, as {"path", "problem"}.
    """

    card: Card
    sha256: str
    part: str
    findings: pd.DataFrame
    outcome: Outcome
    lesions: Outcome
    rows: dict[str, Rows]
    figures: dict[str, dict[str, Figure]]
    lesion_figures: dict[str, Figure]
    headline: str
    groups_known: bool
    is_traceable: bool
    baselines: Baselines
    mistakes: tuple[Picture, ...]
    examples: tuple[Picture, ...]
    seed: int
    command: str
    notes: tuple[Note, ...] = ()
    stated: str = ""
    unreadable: tuple[dict[str, str], ...] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether the model is not ours: probabilities are all that it gives."""
        return self.outcome.is_plain

    @property
    def is_leaky(self) -> bool:
        """Whether the full set holds slices, or groups, that the model was fitted to."""
        return self.is_traceable and not bool(self.rows["leak_free"].all())
