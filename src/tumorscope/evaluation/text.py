"""An evaluation as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorscope.evaluation.words import METRIC_WORDS, SPLIT_WORDS, headline_sentence
from tumorscope.model_file import Figure

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from tumorscope.evaluation.evaluate import Evaluation

SHOWN = (
    "accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity", "sensitivity_at_95_specificity", "ece", "pointing",
)  # fmt: skip


def evaluation_text(evaluation: Evaluation) -> RenderableType:
    """Return the headline, the figures of every split side by side, the floors, and what a reader must know."""
    from rich.console import Group
    from rich.text import Text

    notes = [Text(f"· {note}") for note in evaluation.notes]
    return Group(Text(headline_sentence(evaluation), style="bold"), _table(evaluation), *notes)


def _table(evaluation: Evaluation) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in evaluation.figures:
        leaky = " (leaky)" if name == "full" and evaluation.is_leaky else ""
        table.add_column(f"{SPLIT_WORDS[name]}{leaky}, n = {int(evaluation.rows[name].sum()):,}", justify="right")
    for key in SHOWN:
        if any(key in found for found in evaluation.figures.values()):
            table.add_row(METRIC_WORDS.get(key, key), *(_cell(f.get(key)) for f in evaluation.figures.values()))
    table.add_section()
    for words, floor in (("copy baseline", evaluation.copies), ("source probe", evaluation.sources)):
        cells = [
            floor.to_json(evaluation.outcome.labels, evaluation.outcome.clusters, rows)
            for rows in evaluation.rows.values()
        ]
        table.add_row(words, *("–" if c["accuracy"] is None else f"{c['accuracy']:.1%}" for c in cells))
    return table


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    interval = "" if figure.interval is None else f" [{figure.interval[0]:.3f}, {figure.interval[1]:.3f}]"
    return f"{figure.value:.3f}{interval}"
