"""The page of an audit, and the files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tumorscope.audits.audit import Audited
from tumorscope.audits.document import AuditDocument
from tumorscope.audits.leaks import pairs_by_path
from tumorscope.audits.verdict import interval_text, percent
from tumorscope.catalog.table import write_catalog
from tumorscope.files.atomic import write_json, write_text
from tumorscope.pages.audit_pictures import conflicts, samples, shared, twins
from tumorscope.pages.frame import render

TEMPLATE = "audit.html.j2"
AUDIT_JSON, AUDIT_HTML, PAIRS_CSV, AGAINST_CSV, CATALOG_CSV = (
    "audit.json", "audit.html", "pairs.csv", "against.csv", "catalog.csv",
)  # fmt: skip
LISTED = 200
"""Rows of a list of files that the page shows; audit.json has them all."""
FLOORS = (
    ("copy_baseline", "Copy baseline", "the label of the most similar training image"),
    ("copy_baseline_twin_free", "Copy baseline, twins removed", "the same, on images that have no twin"),
    ("source_probe", "Source probe", "size, mode, border and histogram of the file, no anatomy"),
)


def write_audit(audit: Audited, out: Path) -> None:
    """Write ``audit.json``, ``audit.html``, ``pairs.csv``, ``catalog.csv`` and, with other sets, ``against.csv``.

    Raises:
        OutputError: the folder cannot be written.
    """
    import pandas as pd

    write_text(out / AUDIT_HTML, audit_page(audit))
    write_text(out / PAIRS_CSV, audit.pairs.to_csv(index=False, lineterminator="\n"))
    write_catalog(audit.catalog, out / CATALOG_CSV)
    if audit.against:
        shared = [pairs_by_path(pairs, audit.catalog.table, other.table) for other, pairs in audit.against.values()]
        write_text(out / AGAINST_CSV, pd.concat(shared).to_csv(index=False, lineterminator="\n"))
    write_json(out / AUDIT_JSON, AuditDocument.checked(audit.summary))


def audit_page(audit: Audited) -> str:
    """Return the page of an audit as HTML text.

    Args:
        audit: its pictures are read from the files of its catalog.
    """
    summary = audit.summary
    return render(
        TEMPLATE,
        s=summary,
        version=summary["version"],
        title=" + ".join(summary["datasets"]),
        tiles=_tiles(summary),
        floors=_floors(summary),
        classes=_classes(summary),
        twins=twins(audit),
        conflicts=conflicts(audit),
        samples=samples(audit),
        shared=shared(audit),
        listed=LISTED,
    )


def _tiles(summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return the four figures that lead the page, each with how much it should worry."""
    leaks, copied, probe = summary["leaks"], summary["copy_baseline"], summary["source_probe"]
    share = leaks["near"] / max(1, leaks["test_images"])
    where = "of the published test part" if leaks["split"] == "published" else "of a random split's test part"
    contradicting = len(summary["label_conflicts"])
    return [
        {
            "value": percent(share, 0 if share >= 0.1 or not share else 1),
            "name": f"{where} has a twin in training",
            "detail": f"{leaks['near']:,} of {leaks['test_images']:,} images, {leaks['exact']:,} exact",
            "level": "bad" if share > 0.02 else "warn" if share else "good",
        },
        _score_tile(copied, "right by copying the nearest training image"),
        _score_tile(probe, "right from the file alone, without anatomy"),
        {
            "value": f"{contradicting:,}",
            "name": f"{'pair' if contradicting == 1 else 'pairs'} of twins with contradicting labels",
            "detail": f"of {summary['twins']['pairs']:,} pairs",
            "level": "warn" if contradicting else "good",
        },
    ]


def _score_tile(score: dict[str, Any], name: str) -> dict[str, str]:
    if score["accuracy"] is None:
        return {"value": "–", "name": name, "detail": score["note"], "level": "note"}
    way = (score["accuracy"] - score["majority"]) / max(1e-9, 1 - score["majority"])
    return {
        "value": percent(score["accuracy"]),
        "name": name,
        "detail": f"95% interval: {interval_text(score['interval'])}, n\u00a0=\u00a0{score['n']:,}",
        "level": "bad" if way > 0.5 else "warn" if way > 0.2 else "good",
    }


def _floors(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "what": what, "bounds": interval_text(summary[key]["interval"]), **summary[key]}
        for key, name, what in FLOORS
        if summary[key]["accuracy"] is not None
    ]


def _classes(summary: dict[str, Any]) -> list[dict[str, Any]]:
    leaks, most = summary["leaks"], max(summary["classes"].values())
    return [
        {
            **described,
            "width": described["n"] / most,
            "share": described["n"] / summary["slices"],
            "tests": leaks["test_by_class"].get(described["label"], 0),
            "exact": leaks["exact_by_class"].get(described["label"], 0),
            "near": leaks["by_class"].get(described["label"], 0),
            "group": leaks["group_by_class"].get(described["label"], 0),
        }
        for described in summary["properties"]
    ]
