"""A model on a catalog: every figure, with what the model has seen of these slices taken out and left in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import Catalog
from tumorscope.errors import UsageError
from tumorscope.evaluation.baselines import Baselines, copied_labels, labels_by_source
from tumorscope.evaluation.foreign.model import ForeignModel
from tumorscope.evaluation.measured import Measured, Rows
from tumorscope.evaluation.mistakes import right_examples, worst_mistakes
from tumorscope.evaluation.outcome import Outcome, figures, lesion_figures
from tumorscope.evaluation.overlap import Overlap, find_overlap
from tumorscope.evaluation.reading import ModelOutputs, Subject, run_model, with_prints
from tumorscope.evaluation.selection import Part, Selection, choose_part, select
from tumorscope.evaluation.words import sentences
from tumorscope.model_file import NOTUMOR, Card
from tumorscope.progress import Progress
from tumorscope.words import LESION

SPLITS = ("leak_free", "twin_free", "full")
"""From the strictest to the loosest."""
MIN_ROWS = 50
MIN_LABEL_ROWS = 10
"""A subset leads when it has as many slices, and as many of two labels."""


def evaluate(
    model: Subject,
    catalog: Catalog,
    *,
    split: str | Part = "test",
    trained_on: pd.DataFrame | None = None,
    stated: str = "",
    seed: int = 0,
    prevalence: float = 0.05,
    command: str = "",
    progress: Progress | None = None,
) -> Measured:
    """Measure a model on a catalog.

    Args:
        model: a loaded one, ours or not.
        catalog: with groups (see `add_groups`).
        split: 'test', 'val' or 'train': this part of the catalog's split, or of the one that the set publishes; where
            there is none, 'test' means all slices. 'all': all slices. Or a part, as `choose_part` returns it.
        trained_on: the catalog of the model's run, which tells its training slices and their groups; without it only
            the fingerprints in the model file tell what it has seen.
        stated: what the owner of a model that is not ours says that it was trained on; `trained_on` then rests on it.
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
    catalog = with_prints(catalog, progress)
    selection = select(catalog, model.card, choose_part(catalog, split) if isinstance(split, str) else split)
    outputs = run_model(model, catalog, catalog.table.iloc[selection.rows], progress)
    overlap = find_overlap(catalog, model.file.prints, trained_on)
    fields = _measure(model, catalog, selection, outputs, overlap, seed, prevalence)
    unreadable = tuple(catalog.unreadable)
    measured = Measured(**fields, stated=stated, seed=seed, command=command, unreadable=unreadable)
    return replace(measured, notes=tuple(sentences(measured, selection.part.words, int(selection.part.rows.sum()))))


def _measure(
    model: Subject,
    catalog: Catalog,
    selection: Selection,
    outputs: ModelOutputs,
    overlap: Overlap,
    seed: int,
    prevalence: float,
) -> dict[str, Any]:
    """Return the fields of an evaluation that follow from the outputs."""
    table, card = catalog.table.iloc[selection.rows], model.card
    everything = _outcome(card, table, selection.cover, outputs, prevalence, isinstance(model, ForeignModel))
    findings = _findings(table, everything, overlap.take(selection.rows)).assign(counted=selection.counted)
    outcome, lesions = everything.take(selection.counted), everything.take(~selection.counted)
    splits = _splits(overlap.take(selection.rows[selection.counted]))
    headline = _headline(outcome, splits)
    shown = findings[selection.counted][splits[headline]]
    return {
        "card": card,
        "sha256": model.file.sha256,
        "part": selection.part.name,
        "findings": findings,
        "outcome": outcome,
        "lesions": lesions,
        "rows": splits,
        "figures": {name: figures(outcome.take(chosen), seed=seed) for name, chosen in splits.items()},
        "lesion_figures": lesion_figures(lesions, seed=seed),
        "headline": headline,
        "groups_known": overlap.groups_known,
        "is_traceable": overlap.is_traceable,
        "baselines": _baselines(catalog, selection, overlap, model, seed),
        "mistakes": tuple(worst_mistakes(model, catalog, shown)),
        "examples": tuple(right_examples(model, catalog, shown, seed)),
    }


def _baselines(catalog: Catalog, selection: Selection, overlap: Overlap, model: Subject, seed: int) -> Baselines:
    """Return the baselines.

    Where nobody knows what a model that is not ours has seen, copying is from the training part of the split.
    """
    counted = selection.rows[selection.counted]
    known = overlap.seen if overlap.is_traceable or not isinstance(model, ForeignModel) else selection.part.trained
    trained = known & (catalog.table["label"] != LESION).to_numpy()
    trained[selection.rows] = False
    return Baselines(
        copied_labels(catalog, counted, trained, model.file.prints, seed), labels_by_source(catalog, counted, seed)
    )


def _outcome(
    card: Card, table: pd.DataFrame, cover: Rows, outputs: ModelOutputs, prevalence: float, is_plain: bool
) -> Outcome:
    return Outcome(
        card=card,
        labels=table["label"].to_numpy(str),
        cover=cover,
        probabilities=outputs.probabilities,
        outlier=outputs.outlier,
        pixels=outputs.pixels,
        is_empty=outputs.is_empty,
        pointing=outputs.pointing,
        clusters=_clusters(table),
        prevalence=prevalence,
        is_plain=is_plain,
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
    lacking = ["outlier", "pointing"] if outcome.is_plain else []
    return pd.concat([table, answers.drop(columns=lacking)], axis=1).reset_index(drop=True)


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
