"""Write the standing table of docs/benchmark.md from committed JSON, so that no number is typed by hand.

usage: python tools/benchmark_table.py

Floors come from ``benchmarks/results/standing.json``, our own Cheng figure from ``cheng_fold5.json``, and every entry
from a ``metrics.json`` that ``evaluate --split benchmark:NAME`` wrote, kept under ``benchmarks/entries/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tumorscope.files.atomic import write_text

ROOT = Path(__file__).resolve().parent.parent
RESULTS, ENTRIES, PAGE = ROOT / "benchmarks/results", ROOT / "benchmarks/entries", ROOT / "docs/benchmark.md"
BEGIN, END = "<!-- standing:begin -->", "<!-- standing:end -->"
HEAD = "| set | what | accuracy | 95% interval | n | trained on, as stated |\n|---|---|---|---|---|---|"
PREFIX = "benchmark:"
Row = tuple[str, str, dict[str, Any], str]


def main() -> None:
    """Replace what stands between the markers."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [row for row in (*standing_rows(), *own_rows(), *entry_rows()) if row[2]["value"] is not None]
    order = list(dict.fromkeys(row[0] for row in rows))
    table = "\n".join([HEAD, *map(_line, sorted(rows, key=lambda row: order.index(row[0])))])
    write_text(PAGE, f"{before}{BEGIN}\n{table}\n{END}{after}")


def standing_rows() -> Iterator[Row]:
    """Give the floors of each set."""
    for name, found in _read(RESULTS / "standing.json").get("sets", {}).items():
        copied, probed = found["copy_baseline"], found["source_probe"]
        commonest = {"value": copied["majority"], "interval": None, "n": copied["n"]}
        yield name, "always the commonest label", commonest, "nothing"
        yield (
            name,
            "source probe: file properties alone",
            {**probed, "value": probed["accuracy"]},
            "the test part, crossed",
        )
        yield name, "copy baseline: the nearest training slice", {**copied, "value": copied["accuracy"]}, "folds 1 to 3"
        yield name, "logistic regression on 32x32 pixels", found["linear"]["accuracy"], "folds 1 to 3"


def own_rows() -> Iterator[Row]:
    """Give our figure on the Cheng set, of a run whose training kept to its folds."""
    found = _read(RESULTS / "cheng_fold5.json").get("figures", {})
    if "accuracy" in found:
        yield "cheng_3064", "tumorscope `accurate`", found["accuracy"], "folds 1 to 3, and tumor-free slices"


def entry_rows() -> Iterator[Row]:
    """Give what was entered, leak-free where it can be told, and else named so."""
    for path in sorted(ENTRIES.glob("*.json")):
        found = _read(path)
        told = found["traceable"]
        figure = found["leak_free" if told else "full"].get("accuracy")
        if figure is not None and found["part"].startswith(PREFIX):
            stated = found["trained_on"] or ("the card's fingerprints" if told else "**nobody knows**")
            yield found["part"].removeprefix(PREFIX), found["model"]["name"], figure, stated


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _line(row: Row) -> str:
    name, what, figure, stated = row
    interval = "–" if figure["interval"] is None else "{:.1%} to {:.1%}".format(*figure["interval"])
    return f"| {name} | {what} | **{figure['value']:.1%}** | {interval} | {figure['n']:,} | {stated} |"


if __name__ == "__main__":
    main()
