"""A study on a terminal: its state while it runs, its leaderboard when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tumorscope.pages.figures import bounds_text, figure_text
from tumorscope.pages.frame import NOTHING
from tumorscope.studies.status import StudyStatus, TrainingStatus

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

STYLES = {"done": "green", "failed": "red", "running": "cyan", "stopped": "yellow", "waiting": "dim"}


def status_lines(found: StudyStatus) -> Iterator[str]:
    """Yield a line for each training, then one about all, for a log or a pipe."""
    for training in found.trainings:
        yield f"{training.label}: {training.state}{_detail(training)}"
    yield _summary(found)


def status_table(found: StudyStatus) -> RenderableType:
    """Return the same as a table, to be printed by rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, caption=_summary(found), caption_justify="left")
    for column in ("training", "state", ""):
        table.add_column(column, header_style="dim")
    for training in found.trainings:
        state = Text(training.state, STYLES[training.state])
        table.add_row(Text(training.label), state, Text(_detail(training).strip()))
    return table


def leaderboard_text(found: Mapping[str, Any]) -> RenderableType:
    """Return ``study.json`` as tables, one a protocol, to be printed by rich."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    tables: list[RenderableType] = []
    for name, protocol in found["protocols"].items():
        title = f"{name}{' (leaky)' if protocol['leaky'] else ''}: {found['metric'].replace('_', ' ')}"
        table = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
        table.add_column("run", header_style="dim")
        for column in ("value", "95% interval", "n", "copying", "minutes"):
            table.add_column(column, justify="right", header_style="dim")
        table.add_column("", header_style="dim")
        for row in protocol["rows"]:
            table.add_row(Text(row["run"]), *map(Text, _cells(row)), _remark(row))
        tables += [table, Text()]
    return Group(*tables)


def _remark(row: Mapping[str, Any]) -> Text:
    from rich.text import Text

    if row["value"] is not None and row["done"] < row["trainings"]:
        return Text(f"{row['done']} of {row['trainings']} done", "yellow")
    return Text("best" if row["best"] else "", "green")


def _cells(row: Mapping[str, Any]) -> list[str]:
    if row["value"] is None:
        return [NOTHING, f"{row['done']} of {row['trainings']} done", "", "", ""]
    value, copying = (figure_text(row[key], share=False) for key in ("value", "copy_baseline"))
    return [value, bounds_text(row["interval"], share=False), f"{row['n']:,}", copying, f"{row['minutes']:.1f}"]


def _detail(training: TrainingStatus) -> str:
    if training.state == "done":
        return f" {training.value:.4f} ({training.minutes:.1f} min)"
    if training.state == "failed":
        return f" ({training.error})"
    return f" (epoch {training.epoch} of {training.epochs})" if training.epochs else ""


def _summary(found: StudyStatus) -> str:
    counts = Counter(training.state for training in found.trainings)
    told = ", ".join(f"{counts[state]} {state}" for state in STYLES if counts[state]) or "nothing begun"
    work = "a process works on it" if found.is_running else "no process works on it"
    return f"{told}; {work}"
