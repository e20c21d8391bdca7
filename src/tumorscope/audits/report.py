"""An audit as one self-contained page: figures, sentences and pictures, with nothing to be loaded from anywhere."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.leaks import conflicting
from tumorscope.audits.verdict import percent
from tumorscope.catalog.table import slice_names
from tumorscope.errors import ScanError
from tumorscope.scans import read_slice

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.audits.audit import Audit
    from tumorscope.catalog.table import Catalog

TEMPLATE = "audit.html.j2"
PICTURE_SIDE = 176
JPEG_QUALITY = 82
TWINS_SHOWN = 12
CONFLICTS_SHOWN = 8
SHARED_SHOWN = 6
SAMPLES_SHOWN = 16
LISTED = 200
"""Rows of a list of files that the page shows; audit.json has them all."""
TRANSFORMS = {
    "none": "", "mirror": "mirrored", "mirror+turn180": "flipped upside down", "crop": "cropped",
    "turn90": "turned 90°", "turn180": "turned 180°", "turn270": "turned 270°",
}  # fmt: skip
FLOORS = (
    ("copy_baseline", "Copy baseline", "the label of the most similar training image"),
    ("copy_baseline_twin_free", "Copy baseline, twins removed", "the same, on images that have no twin"),
    ("source_probe", "Source probe", "size, mode, border and histogram of the file, no anatomy"),
)


def audit_page(audit: Audit) -> str:
    """Return the page of an audit as HTML text.

    Args:
        audit: its pictures are read from the files of its catalog.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tumorscope.audits", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    summary = audit.summary
    return environment.get_template(TEMPLATE).render(
        s=summary,
        title=" + ".join(summary["datasets"]),
        tiles=_tiles(summary),
        floors=_floors(summary),
        classes=_classes(summary),
        twins=_twins(audit),
        conflicts=_conflicts(audit),
        samples=_samples(audit),
        shared=_shared(audit),
        listed=LISTED,
    )


def in_frame(page: str, height: int = 860) -> str:
    """Return a page wrapped for a notebook, so that its styles and the notebook's stay apart."""
    style = f"width:100%;height:{height}px;border:1px solid #8884;border-radius:8px"
    return f'<iframe srcdoc="{html.escape(page)}" style="{style}" title="tumorscope audit"></iframe>'


def _tiles(summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return the four figures that lead the page, each with how much it should worry."""
    leaks, copied, probe = summary["leaks"], summary["copy_baseline"], summary["source_probe"]
    share = leaks["near"] / max(1, leaks["test_images"])
    where = "of the published test part" if leaks["split"] == "published" else "of a random split's test part"
    conflicts = len(summary["label_conflicts"])
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
            "value": f"{conflicts:,}",
            "name": f"{'pair' if conflicts == 1 else 'pairs'} of twins with contradicting labels",
            "detail": f"of {summary['twins']['pairs']:,} pairs",
            "level": "warn" if conflicts else "good",
        },
    ]


def _score_tile(score: dict[str, Any], name: str) -> dict[str, str]:
    if score["accuracy"] is None:
        return {"value": "–", "name": name, "detail": score["note"], "level": "note"}
    low, high = score["interval"]
    way = (score["accuracy"] - score["majority"]) / max(1e-9, 1 - score["majority"])
    return {
        "value": percent(score["accuracy"]),
        "name": name,
        "detail": f"95% interval {percent(low)} to {percent(high)}, n\u00a0=\u00a0{score['n']:,}",
        "level": "bad" if way > 0.5 else "warn" if way > 0.2 else "good",
    }


def _floors(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "what": what, **summary[key]}
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


def _twins(audit: Audit) -> list[dict[str, Any]]:
    """Show pairs of all classes, kinds and transforms; those that leak first."""
    pairs = audit.catalog.pairs
    assert pairs is not None
    first = pairs["a"].to_numpy(int)
    leaking = audit.leaked.near[first] | audit.leaked.near[pairs["b"].to_numpy(int)]
    labels = audit.catalog.table["label"].to_numpy(str)[first]
    traits = list(zip(labels, pairs["kind"], pairs["transform"], strict=True))
    chosen = _varied(traits, TWINS_SHOWN, later=~leaking)
    return [_pair(audit.catalog, audit.catalog, pairs.iloc[i]) for i in chosen]


def _conflicts(audit: Audit) -> list[dict[str, Any]]:
    assert audit.catalog.pairs is not None
    pairs = conflicting(audit.catalog.table, audit.catalog.pairs)
    chosen = _varied([(kind,) for kind in pairs["kind"]], CONFLICTS_SHOWN)
    return [_pair(audit.catalog, audit.catalog, pairs.iloc[i]) for i in chosen]


def _shared(audit: Audit) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for name, (other, pairs) in audit.against.items():
        labels = other.table["label"].to_numpy(str)[pairs["b"].to_numpy(int)]
        chosen = _varied(list(zip(labels, pairs["kind"], strict=True)), SHARED_SHOWN)
        found[name] = [_pair(audit.catalog, other, pairs.iloc[i]) for i in chosen]
    return found


def _samples(audit: Audit) -> dict[str, list[dict[str, Any]]]:
    table = audit.catalog.table
    rng = np.random.default_rng(audit.summary["seed"])
    sheets = {}
    for label in audit.summary["classes"]:
        rows = np.flatnonzero(table["label"] == label)
        chosen = np.sort(rng.permutation(rows)[:SAMPLES_SHOWN])
        sheets[label] = [_slice(audit.catalog, int(row)) for row in chosen]
    return sheets


def _varied(traits: Sequence[tuple[Hashable, ...]], count: int, *, later: NDArray[np.bool_] | None = None) -> list[int]:
    """Choose up to `count` of many at random, each time one whose traits were shown least; the first trait weighs most.

    Args:
        traits: of each, such as its class and its kind.
        count: how many to choose.
        later: which are chosen only when the others are used up.
    """
    last = np.zeros(len(traits), bool) if later is None else later
    waiting: dict[tuple[bool, tuple[Hashable, ...]], list[int]] = {}
    for i in np.random.default_rng(0).permutation(len(traits)):
        waiting.setdefault((bool(last[i]), traits[i]), []).append(int(i))
    shown: Counter[tuple[int, Hashable]] = Counter()
    chosen: list[int] = []
    while waiting and len(chosen) < count:
        bucket = min(waiting, key=lambda key: (key[0], *(shown[trait] for trait in enumerate(key[1]))))
        chosen.append(waiting[bucket].pop())
        shown.update(enumerate(bucket[1]))
        if not waiting[bucket]:
            del waiting[bucket]
    return chosen


def _pair(first: Catalog, second: Catalog, pair: pd.Series[Any]) -> dict[str, Any]:
    transform = str(pair["transform"])
    how = TRANSFORMS.get(transform) or " and ".join(TRANSFORMS.get(part, part) for part in transform.split("+"))
    return {
        "a": _slice(first, int(pair["a"])),
        "b": _slice(second, int(pair["b"])),
        "kind": str(pair["kind"]),
        "how": how,
        "similarity": float(pair["similarity"]),
    }


def _slice(catalog: Catalog, row: int) -> dict[str, Any]:
    facts = catalog.table.iloc[row]
    return {
        "picture": _picture(facts),
        "path": slice_names(catalog.table.iloc[[row]])[0],
        "label": facts["label"],
        "part": facts["official"],
        "facts": " · ".join(part for part in (f"{facts['width']} × {facts['height']}", facts["mode"]) if part),
    }


def _picture(facts: pd.Series[Any]) -> str:
    """Return a slice as a data URI, its longer side `PICTURE_SIDE`; empty where the file has gone."""
    import cv2
    import pandas as pd

    try:
        numbers = [None if pd.isna(facts[name]) else int(facts[name]) for name in ("slice", "channel")]
        gray = read_slice(facts["file"], numbers[0] or 0, numbers[1])
    except ScanError:
        return ""
    scale = PICTURE_SIDE / max(gray.shape)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    levels = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
