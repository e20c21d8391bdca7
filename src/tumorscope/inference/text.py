"""Findings and cards as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorscope.findings import Finding, full_name
from tumorscope.model_file import Card
from tumorscope.statistics import Figure

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

RESEARCH = "Research use only. Not a medical device."


def finding_line(finding: Finding) -> str:
    """Return a finding as one line: what it is about, the answer in words, the probability of a tumor."""
    share = "" if finding.tumor_probability is None else f"  (tumor {finding.tumor_probability:.1%})"
    return f"{_printable(full_name(finding))}: {finding.verdict}: {finding.sentence}{share}"


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
