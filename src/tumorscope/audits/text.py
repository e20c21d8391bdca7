"""An audit as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tumorscope.audits.verdict import interval_text, percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

STYLES = {"bad": ("red", "✗"), "warn": ("yellow", "!"), "good": ("green", "✓"), "note": ("cyan", "·")}
FLOORS = (
    ("copy_baseline", "copy baseline"),
    ("copy_baseline_twin_free", "copy baseline without twins"),
    ("source_probe", "source probe"),
)
LISTED = 10


def audit_text(summary: dict[str, Any]) -> RenderableType:
    """Return an audit's figures as a renderable of rich: what was found, leaks by class, floors, files.

    Args:
        summary: ``audit.json``.
    """
    from rich.console import Group
    from rich.text import Text

    title = Text.assemble(
        (" + ".join(summary["datasets"]), "bold"),
        f"  {summary['images']:,} images, {summary['layout']}, {summary['groups']:,} groups",
    )
    parts: list[RenderableType] = [title, _found(summary["sentences"]), _by_class(summary), _floors(summary)]
    if summary["against"]:
        parts.append(_against(summary["against"]))
    parts += [_files(name, rows) for name, rows in _listed(summary).items() if rows]
    parts.append(Text("Research use only. Not a medical device.", style="dim"))
    return Group(*parts)


def _found(sentences: list[dict[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        color, mark = STYLES[sentence["level"]]
        grid.add_row(Text(mark, style=f"bold {color}"), Text(sentence["text"]))
    return grid


def _by_class(summary: dict[str, Any]) -> Table:
    leaks = summary["leaks"]
    published = leaks["split"] == "published"
    table = _table(
        "Leaks of the published split" if published else "Leaks of a random split (none is published)",
        ("class", "slices", "test", "exact twin", "any twin", "same group", "twins"),
    )
    for name, slices in summary["classes"].items():
        tests = leaks["test_by_class"].get(name, 0)
        near = leaks["by_class"].get(name, 0)
        counts = (slices, tests, leaks["exact_by_class"].get(name, 0), near, leaks["group_by_class"].get(name, 0))
        table.add_row(name, *(f"{n:,}" for n in counts), percent(near / tests) if tests else "")
    whole = (summary["slices"], leaks["test_images"], leaks["exact"], leaks["near"], leaks["group"])
    share = percent(leaks["near"] / leaks["test_images"]) if leaks["test_images"] else ""
    table.add_section()
    table.add_row("all", *(f"{n:,}" for n in whole), share, style="bold")
    return table


def _floors(summary: dict[str, Any]) -> Table:
    table = _table("What a score has to beat", ("floor", "accuracy", "95% interval", "slices", "commonest class"))
    for key, name in FLOORS:
        score = summary[key]
        if score["accuracy"] is None:
            table.add_row(name, "–", score["note"], "", "")
            continue
        interval = interval_text(score["interval"])
        table.add_row(name, percent(score["accuracy"]), interval, f"{score['n']:,}", percent(score["majority"]))
    return table


def _against(others: dict[str, Any]) -> Table:
    table = _table("Other sets inside this one", ("set", "class", "slices", "exact twin", "any twin", "twins"))
    for name, facts in others.items():
        for label, part in facts["by_class"].items():
            counts = (part["images"], part["exact"], part["near"])
            table.add_row(name, label, *(f"{n:,}" for n in counts), percent(part["near"] / max(1, part["images"])))
        whole = (facts["images"], facts["exact"], facts["near"])
        share = percent(facts["near"] / max(1, facts["images"]))
        table.add_row(name, "all", *(f"{n:,}" for n in whole), share, style="bold", end_section=True)
    return table


def _listed(summary: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    empty = [{"path": path} for path in summary["empty"]]
    return {"unreadable": summary["unreadable"], "misnamed": summary["misnamed"], "empty": empty}


def _files(name: str, rows: list[dict[str, str]]) -> Table:
    columns = {"unreadable": ("file", "problem"), "misnamed": ("file", "named", "is really"), "empty": ("file",)}[name]
    table = _table(f"{len(rows):,} {name}", columns, numeric=False)
    for row in rows[:LISTED]:
        table.add_row(*row.values())
    if len(rows) > LISTED:
        table.add_row(f"… and {len(rows) - LISTED:,} more in audit.json", *[""] * (len(columns) - 1))
    return table


def _table(title: str, columns: tuple[str, ...], *, numeric: bool = True) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        words = column in ("class", "floor", "set") or not numeric
        table.add_column(column, justify="left" if words else "right", overflow="fold")
    return table
