"""The figures of evaluations as a model's card holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorscope.evaluation.outcome import figures
from tumorscope.evaluation.words import SPLIT_WORDS
from tumorscope.statistics import Figure

if TYPE_CHECKING:
    from tumorscope.evaluation.measured import Measured

KEPT = (
    "accuracy", "balanced_accuracy", "auc", "macro_auc", "sensitivity", "specificity", "sensitivity_at_95_specificity",
    "ece", "refused", "pointing",
)  # fmt: skip


def card_metrics(measured: Measured) -> dict[str, dict[str, Figure]]:
    """Return the headline's figures by what they were measured on, for `Card.metrics`.

    Args:
        measured: of the model. Where it covers several data sets, each has an entry of its own beside the whole.

    Returns:
        ``{"<data set>, <part>, <split>": {metric: figure}}``, such as ``"lgg_kaggle_3m, test, leak-free"``.
    """
    rows, words = measured.rows[measured.headline], f"{measured.part}, {SPLIT_WORDS[measured.headline]}"
    outcome = measured.outcome.take(rows)
    datasets = measured.findings["dataset"][measured.findings["counted"]].to_numpy(str)[rows]
    names = sorted(set(datasets.tolist()))
    whole = measured.figures[measured.headline]
    found = {f"{' + '.join(names)}, {words}": {name: whole[name] for name in KEPT if name in whole}}
    if len(names) > 1:
        for name in names:
            part = outcome.take(datasets == name)
            found[f"{name}, {words}"] = figures(part, seed=measured.seed, only=KEPT)
    return found
