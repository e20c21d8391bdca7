"""The page of a study: one self-contained file with the leaderboard, the differences and the curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tumorscope.pages import study_curves as charts
from tumorscope.pages.figures import bounds_text, figure_text, is_share, point_bounds_text, points_text
from tumorscope.pages.frame import NOTHING, render

TEMPLATE = "study.html.j2"
WORDS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC, tumor against none",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
}
SPLITS = {
    "grouped": "70/15/15, no patient and no twin on two sides",
    "official": "the split that the set publishes",
    "folds": "five folds, no patient and no twin on two sides",
    "random": "70/15/15 at random, as most papers do",
}
PARTS = {
    "test": "test part",
    "val": "validation part, whose loss also chose the epoch",
    "train": "training part, which it learnt",
}
SLICES = {
    "full": "every slice",
    "copies": "slices with a twin in training or validation, most of which were learnt by heart",
    "twin_free": "slices without a twin in training or validation",
    "leak_free": "slices whose patient or series is in neither training nor validation",
}


def study_page(found: Mapping[str, Any]) -> str:
    """Return the page as HTML text.

    Args:
        found: ``study.json``.
    """
    share = is_share(found["metric"])
    filters: dict[str, Callable[..., Any]] = {
        "figure": partial(figure_text, share=share),
        "bounds": partial(bounds_text, share=share),
        "share": partial(figure_text, share=True),
        "share_bounds": partial(bounds_text, share=True),
        "points": partial(points_text, share=share),
        "point_bounds": partial(point_bounds_text, share=share),
        "count": lambda value: NOTHING if value is None else f"{value:,}",
        "millions": _millions,
        "place": lambda value, start: round(100 * max(0.0, value - start) / (1 - start), 3),
        "p_value": lambda p: "< 0.0001" if p < 1e-4 else f"{p:.2g}",
    }
    protocols = [_protocol(name, values, found) for name, values in found["protocols"].items()]
    return render(
        TEMPLATE,
        filters=filters,
        s=found,
        version=found["version"],
        metric=WORDS[found["metric"]],
        tiles=_tiles(found),
        sentences=_sentences(found),
        protocols=protocols,
        failed=[training for training in found["trainings"] if training["state"] == "failed"],
        undone=sum(training["state"] not in ("done", "failed") for training in found["trainings"]),
    )


def _protocol(name: str, values: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    curves = [curve for row in values["rows"] for curve in row["curves"]]
    low, high = charts.lowest_accuracy(curves), charts.highest_loss(curves)
    published = found["published"]
    is_theirs = published is not None and published["protocol"] == name and published["metric"] == found["metric"]
    start = _axis_start(values["rows"], published["value"] if is_theirs else None)
    return {
        "name": name,
        **values,
        "axis_from": start,
        "scale": [_tick(start + (1 - start) * step / 4, share=is_share(found["metric"])) for step in range(5)],
        "published_value": published["value"] if is_theirs else None,
        "split_words": SPLITS.get(values["split"], f"the folds of the {values['split'].partition(':')[2]} benchmark"),
        "slices_words": SLICES[values["slices"]],
        "part_words": PARTS[values["part"]],
        "classes": _class_sizes(values["rows"]),
        "by_run": {row["run"]: row for row in values["differences"]},
        "small": [
            {
                "run": row["run"],
                "accuracy": charts.accuracy_chart(row["curves"], low),
                "loss": charts.loss_chart(row["curves"], high),
            }
            for row in values["rows"]
            if row["curves"]
        ],
    }


def _class_sizes(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many slices of each class are measured; nothing where there is only tumor and none."""
    names = sorted({name for row in rows for name in row["classes"]})
    if len(names) < 3:
        return {}
    return {name: max(row["classes"][name]["recall"]["n"] for row in rows if name in row["classes"]) for name in names}


def _tiles(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what to see first: the published figure, and the highest of ours under each protocol."""
    tiles, published = [], found["published"]
    share = is_share(found["metric"])
    if published is not None:
        name = f"published: {published['what'] or published['metric']}"
        tiles.append({"value": figure_text(published["value"], share=is_share(published["metric"])), "name": name,
                      "detail": published["source"], "level": "note-level"})  # fmt: skip
    for name, protocol in found["protocols"].items():
        row = next((row for row in protocol["rows"] if row["value"] is not None), None)
        if row is None:
            continue
        bounds = f"95%: {bounds_text(row['interval'], share=share)}, " if row["interval"] else ""
        tiles.append(
            {
                "value": figure_text(row["value"], share=share),
                "name": f"{name}{' (leaky)' if protocol['leaky'] else ''}: {row['run']}",
                "detail": f"{bounds}n = {row['n']:,}{_unfinished(row)}",
                "level": "warn" if protocol["leaky"] else "plain",
            }
        )
    return tiles


def _unfinished(row: Mapping[str, Any]) -> str:
    return "" if row["done"] == row["trainings"] else f", {row['done']} of {row['trainings']} trainings done"


def _sentences(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the study shows, as (level, sentence)."""
    out = []
    for name, protocol in found["protocols"].items():
        out += [(level, f"{name}: {text}") for level, text in _protocol_sentences(protocol, found)]
    if found["cut"]:
        out.append(("warn", "some of it was cut to fit the budget; what, stands below"))
    return out


def _protocol_sentences(protocol: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, str]]:
    metric = WORDS[found["metric"]]
    rows = [row for row in protocol["rows"] if row["value"] is not None]
    if not rows:
        return [("note-level", "no run has ended yet")]
    first, others = rows[0], protocol["not_told_apart"]
    figure = f"{metric} {figure_text(first['value'], share=is_share(found['metric']))}"
    if protocol["best"]:
        real = "every other run is behind, and other patients would hardly change that"
        said = [("good", f"{first['run']} is the best, with {figure}: {real}")]
    elif len(rows) == 1:
        said = [("note-level", f"{first['run']} reaches {figure}; there is no other run to compare with")]
    elif not others:
        said = [("note-level", f"{first['run']} is ahead with {figure}; not every run is done yet")]
    else:
        names = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        said = [("note-level", f"{first['run']} is ahead with {figure}, but cannot be told from {names}")]
    copying = first["copy_baseline"]
    if found["metric"] == "accuracy" and copying is not None:
        behind = [row for row in rows if row["value"] <= (row["copy_baseline"] or 0.0)]
        if len(behind) == len(rows):
            nearest = f"copying the nearest training slice ({figure_text(copying, share=True)})"
            said.append(("bad", f"no run is better than {nearest}"))
        elif behind:
            named = ", ".join(row["run"] for row in behind[:3])
            said.append(("warn", f"no better than copying the nearest training slice: {named}"))
    if protocol["leaky"]:
        said.append(("warn", "this protocol leaks: what is measured is in part what was learnt by heart"))
    return said


def _axis_start(rows: list[dict[str, Any]], published: float | None) -> float:
    """Return where an axis can start so that all of it is seen, and differences too."""
    shown = [published, *(value for row in rows for value in (row["low"], row["value"], row["copy_baseline"]))]
    lowest = min((value for value in shown if value is not None), default=0.0)
    return next((start for start in (0.9, 0.8, 0.6, 0.4) if lowest >= start + 0.02), 0.0)


def _tick(value: float, *, share: bool) -> str:
    return f"{round(100 * value, 1):g}%" if share else f"{round(value, 3):g}"


def _millions(count: int | None) -> str:
    if count is None:
        return NOTHING
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"
