"""Findings and cards as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tumorscope.findings import FLAGS, Finding
from tumorscope.model_file import NOTUMOR, Card
from tumorscope.statistics import Figure

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

KIND_UNSURE = "kind_unsure"
RESEARCH = "Research use only. Not a medical device."


def finding_line(finding: Finding, limit: float | None = None) -> str:
    """Return a finding as one line: file, answer, probability of a tumor, what to be careful of.

    Args:
        finding: of any status.
        limit: the model's, from which on it calls a tumor.
    """
    name = _printable(finding.file if finding.slice is None else f"{finding.file} [{finding.slice}]")
    if finding.tumor_probability is None:
        return f"{name}: error: {finding.message}"
    notes = "; ".join(_notes(finding, limit))
    return f"{name}: {finding.label}, tumor {finding.tumor_probability:.1%}" + (f"  ({notes})" if notes else "")


def _notes(finding: Finding, limit: float | None) -> Iterator[str]:
    """Say what to be careful of; of what is called no tumor, no note says that it is one."""
    probability, is_free = finding.tumor_probability or 0.0, finding.label == NOTUMOR
    if finding.status == "refused":
        yield f"REFUSED: {finding.message}"
    else:
        yield from (FLAGS[flag] for flag in finding.flags if not (is_free and flag == KIND_UNSURE))
    if is_free and probability >= 0.5:
        yield "likelier than none, but under the limit" + ("" if limit is None else f" of {limit:.1%}")
    others = [other for other in finding.prediction_set or [] if other != finding.label]
    if others:
        yield f"not ruled out: {', '.join(others)}"


def _printable(name: str) -> str:
    """Write out what a terminal would obey: a file name may hold line breaks and escape sequences."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def card_text(card: Card, sha256: str) -> RenderableType:
    """Return a card as tables: what the model is, what it was trained on and never shown, every figure, the licence.

    Args:
        card: the model's.
        sha256: of the model file.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [_facts(card, sha256)]
    if card.metrics:
        parts.append(_figures(card.metrics))
    for title, lines in (("Never shown", card.never_shown), ("Notes", card.notes)):
        if lines:
            parts.append(Text(title, style="bold"))
            parts += [Text(f"  · {line}") for line in lines]
    return Group(*parts, Text(RESEARCH, style="dim"))


def _facts(card: Card, sha256: str) -> Table:
    from rich.table import Table

    limits, spec = card.thresholds, card.spec
    outlier = "none" if limits.outlier is None else f"{limits.outlier:.3f}"
    facts = {
        "model": f"{card.name}  (tumorscope {card.version}, sha256 {sha256[:12]}…)",
        "licence": card.licence,
        "classes": ", ".join(card.classes),
        "input": f"{spec.side} x {spec.side} {spec.channels}, {spec.fit}{', cropped to the head' if spec.crop else ''}",
        "trained on": ", ".join(f"{name} {count:,}" for name, count in card.training.sets.items()) or "unknown",
        "labels": ", ".join(f"{name} {count:,}" for name, count in card.training.labels.items()) or "unknown",
        "thresholds": (
            f"tumor from {limits.tumor:.3f}, abstains under {limits.abstain:.2f}, outlier above {outlier}, "
            f"prediction sets hold {limits.coverage:.0%} (from {limits.conformal:.3f})"
        ),
        "temperature": f"{card.temperature:.3f}",
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    for name, value in facts.items():
        grid.add_row(name, value)
    return grid


def _figures(metrics: dict[str, dict[str, Figure]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title="Measured", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("on", "figure", "value", "95% interval", "n"):
        table.add_column(column, justify="left" if column in ("on", "figure") else "right", overflow="fold")
    for where, figures in metrics.items():
        for number, (name, figure) in enumerate(figures.items()):
            interval = "" if figure.interval is None else f"{figure.interval[0]:.3f} to {figure.interval[1]:.3f}"
            cells = (where if number == 0 else "", name.replace("_", " "), f"{figure.value:.3f}", interval)
            table.add_row(*cells, f"{figure.n:,}")
        table.add_section()
    return table
