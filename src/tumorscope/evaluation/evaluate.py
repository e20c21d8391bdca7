"""A model on a catalog: every figure, with what the model has seen of these slices taken out and left in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import Catalog, Progress, cover_matrix
from tumorscope.catalog.names import LESION
from tumorscope.errors import CatalogError, UsageError
from tumorscope.evaluation.floors import Floor, copy_floor, source_floor
from tumorscope.evaluation.mistakes import Picture, right_examples, worst_mistakes
from tumorscope.evaluation.outcome import Outcome, figures, lesion_figures
from tumorscope.evaluation.overlap import Overlap, find_overlap
from tumorscope.evaluation.reading import Answers, answer, with_prints
from tumorscope.evaluation.words import Note, sentences
from tumorscope.model_file import NOTUMOR, Card, Figure

if TYPE_CHECKING:
    from tumorscope.inference import Model

SPLITS = ("leak_free", "twin_free", "full")
"""From the strictest to the loosest."""
MIN_ROWS = 50
MIN_LABEL_ROWS = 10
"""A subset leads when it has as many slices, and as many of two labels."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluation:
    """What a model did on a set.

    Attributes:
        card: of the model.
        sha256: of the model file.
        part: which part of the data was asked for: 'test', 'val', 'train' or 'all'.
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
        copies: what copying scores on the same slices.
        sources: what file properties score.
        mistakes: the worst ones.
        examples: right calls of each tumor class, drawn at random.
        notes: what a reader must know, in sentences.
        seed: of bootstraps and probes.
        command: that made this.
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
    copies: Floor
    sources: Floor
    mistakes: tuple[Picture, ...]
    examples: tuple[Picture, ...]
    notes: tuple[Note, ...]
    seed: int
    command: str

    @property
    def is_leaky(self) -> bool:
        """Whether the full set holds slices, or groups, that the model was fitted to."""
        return self.is_traceable and not bool(self.rows["leak_free"].all())

    def report(self, out: str | Path | None = None) -> None:
        """Print the evaluation as tables to stdout and, with `out`, write its files there (see `write_evaluation`)."""
        from rich.console import Console

        from tumorscope.evaluation.report import write_evaluation
        from tumorscope.evaluation.text import evaluation_text

        Console().print(evaluation_text(self))
        if out is not None:
            write_evaluation(self, out)

    def _repr_html_(self) -> str:
        from tumorscope.evaluation.report import framed_page

        return framed_page(self)


def evaluate(
    model: Model,
    catalog: Catalog,
    *,
    split: str = "test",
    trained_on: pd.DataFrame | None = None,
    seed: int = 0,
    prevalence: float = 0.05,
    command: str = "",
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a model on a catalog.

    Args:
        model: a loaded one.
        catalog: with groups (see `add_groups`).
        split: 'test', 'val' or 'train': this part of the catalog's split, or of the one that the set publishes; where
            there is none, 'test' means all slices. 'all': all slices.
        trained_on: the catalog of the model's run, which tells its training slices and their groups; without it only
            the fingerprints in the model file tell what it has seen.
        seed: of bootstraps and probes.
        prevalence: share of tumors for which predictive values are stated.
        command: kept in the result.
        progress: told how far it is.

    Raises:
        UsageError: an unknown split, or a prevalence outside 0 to 1.
        CatalogError: nothing to evaluate is left.
        ScanError: a file went away.
    """
    if not 0 < prevalence < 1:
        raise UsageError(f"a prevalence of {prevalence} is not possible", remedy="give a share between 0 and 1")
    catalog, card = with_prints(catalog, progress), model.card
    asked = _ask(catalog, card, split)
    table = catalog.table.iloc[asked.rows]
    answers = answer(model, catalog, table, progress)
    everything = _outcome(card, table, asked.cover, answers, prevalence)
    overlap = find_overlap(catalog, model.file.prints, trained_on)
    findings = _findings(table, everything, overlap.take(asked.rows)).assign(counted=asked.counted)
    outcome, lesions = everything.take(asked.counted), everything.take(~asked.counted)
    splits = _splits(overlap.take(asked.rows[asked.counted]))
    headline = _headline(outcome, splits)
    shown = findings[asked.counted][splits[headline]]
    copies, sources = _floors(catalog, asked, overlap, model.file.prints, seed)
    evaluation = Evaluation(
        card=card,
        sha256=model.file.sha256,
        part=asked.part,
        findings=findings,
        outcome=outcome,
        lesions=lesions,
        rows=splits,
        figures={name: figures(outcome.take(chosen), seed=seed) for name, chosen in splits.items()},
        lesion_figures=lesion_figures(lesions, seed=seed),
        headline=headline,
        groups_known=overlap.groups_known,
        is_traceable=overlap.is_traceable,
        copies=copies,
        sources=sources,
        mistakes=tuple(worst_mistakes(model, catalog, shown)),
        examples=tuple(right_examples(model, catalog, shown, seed)),
        notes=(),
        seed=seed,
        command=command,
    )
    return replace(evaluation, notes=tuple(sentences(evaluation, asked.words, asked.size)))


@dataclass(frozen=True)
class _Asked:
    """The slices that are put to the model.

    Attributes:
        part: 'test', 'val', 'train' or 'all'.
        words: the same for a reader.
        size: how many slices that part has.
        rows: positions in the catalog of those that count and of the lesions.
        counted: which of `rows` count.
        cover: bool ``(rows, classes)``.
    """

    part: str
    words: str
    size: int
    rows: NDArray[np.int64]
    counted: Rows
    cover: Rows


def _ask(catalog: Catalog, card: Card, split: str) -> _Asked:
    table = catalog.table
    chosen, words = _part(table, split)
    cover = cover_matrix(table["label"], card.classes)
    counted: Rows = chosen & cover.any(axis=1)
    if not counted.any():
        raise CatalogError(
            f"no slice has a label that the model knows ({', '.join(card.classes)})",
            file=", ".join(map(str, catalog.roots.values())),
            remedy="evaluate on data with these classes",
        )
    rows = np.flatnonzero(counted | (chosen & (table["label"] == LESION).to_numpy()))
    return _Asked("all" if chosen.all() else split, words, int(chosen.sum()), rows, counted[rows], cover[rows])


def _part(table: pd.DataFrame, split: str) -> tuple[Rows, str]:
    if split == "all":
        return np.ones(len(table), bool), "all slices of the set"
    if split not in ("train", "val", "test"):
        raise UsageError(f"'{split}' is no split", remedy="choose one of: test, val, train, all")
    for column, words in (("split", "the {} part of the split"), ("official", "the published {} part")):
        if (table[column] == split).any():
            return (table[column] == split).to_numpy(), words.format(split)
    if split == "test":
        return np.ones(len(table), bool), "all slices, since the set has no test part"
    raise UsageError(f"the data has no part '{split}'", remedy="choose one of: test, all")


def _floors(catalog: Catalog, asked: _Asked, overlap: Overlap, prints: str, seed: int) -> tuple[Floor, Floor]:
    counted = asked.rows[asked.counted]
    trained = overlap.seen & (catalog.table["label"] != LESION).to_numpy()
    trained[asked.rows] = False
    return copy_floor(catalog, counted, trained, prints, seed), source_floor(catalog, counted, seed)


def _outcome(card: Card, table: pd.DataFrame, cover: Rows, answers: Answers, prevalence: float) -> Outcome:
    return Outcome(
        card=card,
        labels=table["label"].to_numpy(str),
        cover=cover,
        probabilities=answers.probabilities,
        outlier=answers.outlier,
        pointing=answers.pointing,
        clusters=_clusters(table),
        prevalence=prevalence,
    )


def _clusters(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return the clusters; a row without one (a catalog without groups) stands alone."""
    alone = pd.Series([f"row:{i}" for i in range(len(table))], index=table.index)
    return table["cluster"].where(table["cluster"] != "", alone).to_numpy(str)


def _findings(table: pd.DataFrame, outcome: Outcome, overlap: Overlap) -> pd.DataFrame:
    classes = np.array(outcome.classes)
    called = classes[outcome.called]
    of_class = outcome.probabilities[np.arange(len(outcome)), outcome.called]
    names_kind = (outcome.cover.sum(axis=1) == 1) & (outcome.labels != NOTUMOR)
    answers = pd.DataFrame(
        {
            "called": called,
            "right": outcome.right,
            "tumor_probability": outcome.tumor,
            "certainty": np.where((called == NOTUMOR) | names_kind, of_class, outcome.tumor),
            **{f"p_{name}": outcome.probabilities[:, i] for i, name in enumerate(classes)},
            "outlier": outcome.outlier,
            "pointing": outcome.pointing,
            "seen": overlap.seen,
            "twin_seen": overlap.twin,
            "group_seen": overlap.group,
        },
        index=table.index,
    )
    return pd.concat([table, answers], axis=1).reset_index(drop=True)


def _splits(overlap: Overlap) -> dict[str, Rows]:
    if not overlap.is_traceable:
        nothing = np.zeros(len(overlap.twin), bool)
        return {"leak_free": nothing, "twin_free": nothing, "full": ~nothing}
    return {"leak_free": ~overlap.group, "twin_free": ~overlap.twin, "full": np.ones(len(overlap.twin), bool)}


def _headline(outcome: Outcome, splits: dict[str, Rows]) -> str:
    """Choose the strictest split with enough slices of at least two labels; never a leaky set, if another is left."""
    if splits["leak_free"].all():
        return "leak_free"
    for name in ("leak_free", "twin_free"):
        left = outcome.labels[splits[name]]
        enough = [label for label in np.unique(left) if (left == label).sum() >= MIN_LABEL_ROWS]
        if len(left) >= MIN_ROWS and len(enough) > 1:
            return name
    return "twin_free" if splits["twin_free"].any() else "full"
