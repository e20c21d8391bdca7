"""The report: one self-contained page, with ``metrics.json`` and ``findings.csv`` beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.evaluation.document import MetricsDocument
from tumorscope.evaluation.metrics_json import metrics_json
from tumorscope.evaluation.words import (
    FEW,
    METRIC_HELP,
    METRIC_WORDS,
    NOT_PERCENT,
    PLAIN_WORDS,
    SPLIT_MEANINGS,
    SPLIT_WORDS,
)
from tumorscope.files.atomic import write_json, write_text
from tumorscope.files.names import FINDINGS, METRICS, REPORT
from tumorscope.model_file import NOTUMOR
from tumorscope.pages.evaluation_charts import charts
from tumorscope.pages.frame import data_uri, percent, render

if TYPE_CHECKING:
    from tumorscope.evaluation.measured import Measured

TEMPLATE = "evaluation.html.j2"
PATIENTS_SHOWN = 60
TILES = (
    ("accuracy", "right answers (accuracy)"),
    ("sensitivity", "tumors found (sensitivity)"),
    ("specificity", "tumor-free slices called so (specificity)"),
    ("auc", "AUC, tumor against none"),
)
COMPARED = ("accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity", "sensitivity_at_95_specificity")
PARTS = (
    ("by_dataset", "data set"),
    ("by_source", "source"),
    ("by_sequence", "sequence"),
    ("by_plane", "plane"),
    ("by_kind", "kind"),
)
NOT_IN_CSV = ("file",)
CLOSE = 0.03
"""A headline this little above the copy baseline is no achievement."""


def write_evaluation(measured: Measured, out: str | Path) -> None:
    """Write ``metrics.json``, ``report.html`` and ``findings.csv`` into the folder `out`.

    Raises:
        OutputError: the folder cannot be written.
    """
    out, values = Path(out), metrics_json(measured)
    findings = measured.findings.drop(columns=[*NOT_IN_CSV])
    write_text(out / FINDINGS, findings.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    write_text(out / REPORT, report_page(measured, values))
    write_json(out / METRICS, MetricsDocument.checked(values))


def report_page(measured: Measured, values: dict[str, Any] | None = None) -> str:
    """Return the report as HTML text.

    Args:
        measured: what was measured.
        values: its ``metrics.json``, if it was made already.
    """
    values = metrics_json(measured) if values is None else values
    words = METRIC_WORDS | (PLAIN_WORDS if measured.is_foreign else {})
    return render(
        TEMPLATE,
        m=values,
        version=values["version"],
        card=measured.card,
        data=sorted(set(measured.findings["dataset"])),
        tiles=_tiles(values),
        splits=_splits(values),
        metrics=[
            (key, words[key], METRIC_HELP.get(key, "") if words[key] == METRIC_WORDS[key] else "") for key in words
        ],
        not_percent=NOT_PERCENT,
        compared=[(key, words[key]) for key in COMPARED if key in values["full"]],
        floors=_floors(values),
        confusion=_confusion(values),
        charts=charts(measured, values),
        parts=_parts(values),
        patients=_patients(values),
        pictures=[_picture(picture) for picture in measured.mistakes],
        examples=[_picture(picture) for picture in measured.examples],
        wrong=int((~measured.outcome.right[measured.rows[measured.headline]]).sum()),
        split_words=SPLIT_WORDS,
        notumor=NOTUMOR,
    )


def _tiles(values: dict[str, Any]) -> list[dict[str, Any]]:
    found = values["headline"]
    names = dict(TILES)
    if "auc" not in found and "macro_auc" in found:
        names["macro_auc"] = "mean AUC of the classes"
    shown = {key: name for key, name in names.items() if key in found and (_tells(found[key]) or key == "accuracy")}
    tiles = [{"key": key, "name": name, "level": "plain", **found[key]} for key, name in shown.items()]
    floor = values["copy_baseline"]["by_split"][values["headline_split"]]["accuracy"]
    for tile in tiles:
        if tile["key"] == "accuracy" and floor is not None:
            tile["detail"] = f"copying the nearest slice: {percent(floor)}"
            tile["level"] = "bad" if tile["value"] <= floor else "warn" if tile["value"] < floor + CLOSE else "plain"
    return tiles


def _tells(figure: dict[str, Any]) -> bool:
    return figure["interval"] is not None and figure["n"] >= FEW


def _splits(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "name": words + (" (leaky)" if key == "full" and values["leaky"] else ""),
            "meaning": SPLIT_MEANINGS[key],
            "n": values["slices"][key],
            "figures": values[key],
            "copying": values["copy_baseline"]["by_split"][key],
            "is_headline": key == values["headline_split"],
        }
        for key, words in SPLIT_WORDS.items()
    ]


def _floors(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the model, copying and the source probe on the headline's slices, to be drawn on one axis."""
    split, accuracy = values["headline_split"], values["headline"]["accuracy"]
    rows = [{"name": "This model", "accuracy": accuracy["value"], **{k: accuracy[k] for k in ("n", "interval")}}]
    for key, name in (("copy_baseline", "Copy baseline"), ("source_probe", "Source probe")):
        floor = values[key]["by_split"][split]
        if floor["accuracy"] is not None:
            rows.append({"name": name, **floor})
    majority = next((row["majority"] for row in rows if row.get("majority") is not None), None)
    return [{**row, "majority": majority} for row in rows]


def _confusion(values: dict[str, Any]) -> list[dict[str, Any]]:
    found = values["confusion"]
    rows = []
    for label, counts in zip(found["labels"], found["counts"], strict=True):
        total = max(1, sum(counts))
        cells = [
            {"n": n, "share": n / total, "right": _covers(label, name, found["called"])}
            for n, name in zip(counts, found["called"], strict=True)
        ]
        rows.append({"label": label, "total": sum(counts), "cells": cells})
    return rows


def _covers(label: str, called: str, classes: list[str]) -> bool:
    return label == called or (label not in classes and NOTUMOR not in (label, called))


def _parts(values: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return the tables by part; that of sources only where it says more than that of data sets."""
    chosen = [(key, words) for key, words in PARTS if len(values[key]) > 1]
    return [
        (values[k], words) for k, words in chosen if k != "by_source" or set(values[k]) != set(values["by_dataset"])
    ]


def _patients(values: dict[str, Any]) -> dict[str, Any]:
    """Return the patients, the worst first."""
    ranked = sorted(values["by_patient"], key=lambda row: (row["accuracy"], -row["n"]))
    return {"rows": ranked[:PATIENTS_SHOWN], "n": len(ranked), "all_right": sum(r["accuracy"] == 1 for r in ranked)}


def _picture(picture: Any) -> dict[str, Any]:
    return {
        "path": picture.path,
        "label": picture.label,
        "called": picture.called,
        "probability": picture.probability,
        "plain": data_uri(picture.plain),
        "overlay": None if picture.overlay is None else data_uri(picture.overlay),
    }
