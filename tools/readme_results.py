"""Write the figures of README.md from the JSON under benchmarks/results, so that no number is typed by hand.

usage: python tools/readme_results.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tumorscope.files.atomic import write_text

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TABLE, AUDIT = "results", "results:audit"
"""Names of the parts of README.md that are written here, between markers."""
HEAD = "| what | figure | value | 95% interval | n |\n|---|---|---|---|---|"
OUTSIDE = "navoneel_253, never shown"
WORDS = {
    "auc": "AUC, tumor against none",
    "sensitivity_at_95_specificity": "sensitivity at 95% specificity",
    "pointing": "heatmap peaks inside the tumor",
}
TEST_PARTS = ("lgg_kaggle_3m, test part, FLAIR", "brats_slices, test part", "radiopaedia_44, test part")
Row = tuple[str, str, dict[str, Any]]


def main() -> None:
    """Replace what stands between the markers."""
    readme = ROOT / "README.md"
    rows = [*shipped_rows(), *headline_rows(), *quick_rows()]
    text = _replaced(readme.read_text(encoding="utf-8"), TABLE, "\n".join([HEAD, *map(_line, rows)]))
    write_text(readme, _replaced(text, AUDIT, audit_part()))


def audit_part() -> str:
    """Return what the audit of the most used set found."""
    found = _read("audit")["found"]
    leaks, test = found["leaks"], f"{found['leaks']['test_images']:,}"
    shared = "test images that share a patient-disjoint fold, a series or a twin with training"
    rows = {
        "test images with an exact copy in training": f"{leaks['exact']:,} of {test}",
        "test images with any twin in training": f"{leaks['near']:,} of {test} "
        f"({leaks['near'] / leaks['test_images']:.0%})",
        shared: f"{leaks['group']:,} of {test}",
        "slices of the Cheng collection": f"{found['atlas']['cheng']:,} of {found['images']:,}",
        "copy baseline: right by copying the nearest training image": _score(found["copy_baseline"]),
        "the same, on test images without a twin": _score(found["copy_baseline_twin_free"]),
        "source probe: right from the file alone, without anatomy": _score(found["source_probe"]),
    }
    head = (
        f"The audit of a public set of {found['images']:,} images in four classes (Kaggle, masoudnickparvar; see\n"
        "[audit.json](benchmarks/results/audit.json)):\n\n| | |\n|---|---|"
    )
    return "\n".join([head, *(f"| {what} | {value} |" for what, value in rows.items())])


def _replaced(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"README.md lacks the markers {begin} and {end}")
    return f"{before}{begin}\n{part}\n{end}{after}"


def _score(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['accuracy']:.1%} ({100 * low:.1f} to {100 * high:.1f}, n = {score['n']:,})"


def shipped_rows() -> Iterator[Row]:
    """Give the shipped model on the outside test and on test parts whose patients it never saw."""
    figures = _read("shipped_model").get("figures", {})
    for where in (OUTSIDE, *TEST_PARTS):
        for name, words in WORDS.items():
            if name in figures.get(where, {}):
                yield f"shipped model, {where}", words, figures[where][name]


def headline_rows() -> Iterator[Row]:
    """Give the leak-free headline."""
    found = _read("cheng_fold5").get("figures", {})
    if "accuracy" in found:
        yield "`accurate`, Cheng fold 5, patients apart, each slice once", "accuracy, four classes", found["accuracy"]


def quick_rows() -> Iterator[Row]:
    """Give the published split of the most used set, leaky and without twins, with the floors."""
    found = _read("quick")
    names = {"full": "full test folder (leaky)", "twin_free": "without twins (patients still shared)"}
    for split, words in names.items():
        if "figures" in found and found["figures"][split]["accuracy"]:
            yield f"`quick`, masoud_7023, {words}", "accuracy, four classes", found["figures"][split]["accuracy"]
    for key, words in (
        ("copy_baseline", "copying the nearest training slice"),
        ("source_probe", "file properties alone"),
    ):
        if found.get(key, {}).get("accuracy") is not None:
            score = found[key]
            yield f"{words}, the same full folder", "accuracy", {**score, "value": score["accuracy"]}


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _line(row: Row) -> str:
    what, name, figure = row
    low, high = figure["interval"] or (float("nan"), float("nan"))
    return f"| {what} | {name} | **{figure['value']:.3f}** | {low:.3f} to {high:.3f} | {figure['n']:,} |"


if __name__ == "__main__":
    main()
