"""An evaluation as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorscope.evaluation.outcome import SHORT
from tumorscope.evaluation.words import NOT_PERCENT, SPLIT_WORDS, headline_sentence, spoken
from tumorscope.statistics import Figure

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from tumorscope.evaluation.measured import Measured

STYLES = {"bad": ("red", "✗"), "warn": ("yellow", "!"), "good": ("green", "✓"), "note": ("cyan", "·")}
COLUMNS = ("accuracy", "auc", "sensitivity", "specificity")
NAMES = {"auc": "AUC"}


def evaluation_text(measured: Measured) -> RenderableType:
    """Return an evaluation as a renderable of rich: the headline, what to know, the splits."""
    from rich.console import Group
    from rich.text import Text

    data = " + ".join(sorted(set(measured.findings["dataset"])))
    title = Text.assemble((f"{measured.card.name} on {data}", "bold"), f"  {len(measured.outcome):,} slices")
    parts: list[RenderableType] = [title, Text(headline_sentence(measured)), _notes(measured), _splits(measured)]
    pointing = measured.figures[measured.headline].get("pointing")
    if pointing is not None:
        parts.append(Text(f"Heatmap peaks inside the tumor's mask: {spoken(pointing)}, n = {pointing.n:,}"))
    parts.append(Text("Research use only. Not a medical device.", style="dim"))
    return Group(*parts)


def _notes(measured: Measured) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for note in measured.notes:
        color, mark = STYLES[note.level]
        grid.add_row(Text(mark, style=f"bold {color}"), Text(note.text))
    return grid


def _splits(measured: Measured) -> Table:
    from rich import box
    from rich.table import Table

    shown = [name for name in (*COLUMNS, "macro_auc") if name in measured.figures["full"] and _wanted(name, measured)]
    table = Table(
        title="With 95% intervals", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    table.add_column("slices", no_wrap=True)
    for name in (*(NAMES.get(name, name.replace("_", " ")) for name in shown), "copying"):
        table.add_column(name, justify="right", no_wrap=True)
    outcome, copies = measured.outcome, measured.baselines.copies
    for split, rows in measured.rows.items():
        found = measured.figures[split]
        values = [_stacked(found, name) for name in shown]
        copied = copies.to_json(outcome.labels, outcome.clusters, rows, seed=measured.seed)["accuracy"]
        words = SPLIT_WORDS[split] + (" (leaky)" if split == "full" and measured.is_leaky else "")
        table.add_row(
            f"{words}\n{int(rows.sum()):,}",
            *values,
            "–" if copied is None else f"{100 * copied:.1f}%",
            style="bold" if split == measured.headline else None,
        )
    return table


def _stacked(found: dict[str, Figure], name: str) -> str:
    """Return a figure in two lines, its interval under it."""
    return (
        spoken(found[name], percent=name not in NOT_PERCENT).replace(" (", "\n").rstrip(")").replace(" to ", "–")
        if name in found
        else "–"
    )


def _wanted(name: str, measured: Measured) -> bool:
    return name in SHORT or "auc" not in measured.figures["full"]
