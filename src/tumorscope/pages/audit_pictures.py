"""The pictures of an audit's page: twins, contradictions, slices of other sets and of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.leaks import conflicting
from tumorscope.catalog.table import slice_names
from tumorscope.errors import ScanError
from tumorscope.pages.frame import data_uri
from tumorscope.scans import read_slice

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.audits.audit import Audited
    from tumorscope.catalog.table import Catalog

PICTURE_SIDE = 176
JPEG_QUALITY = 82
TWINS_SHOWN = 12
CONFLICTS_SHOWN = 8
SHARED_SHOWN = 6
SAMPLES_SHOWN = 16
TRANSFORMS = {
    "none": "", "mirror": "mirrored", "mirror+turn180": "flipped upside down", "crop": "cropped",
    "turn90": "turned 90°", "turn180": "turned 180°", "turn270": "turned 270°",
}  # fmt: skip


def twins(audit: Audited) -> list[dict[str, Any]]:
    """Show pairs of all classes, kinds and transforms; those that leak first."""
    pairs = audit.catalog.pairs
    assert pairs is not None
    first = pairs["a"].to_numpy(int)
    leaking = audit.leaked.near[first] | audit.leaked.near[pairs["b"].to_numpy(int)]
    labels = audit.catalog.table["label"].to_numpy(str)[first]
    traits = list(zip(labels, pairs["kind"], pairs["transform"], strict=True))
    chosen = varied(traits, TWINS_SHOWN, later=~leaking)
    return [_pair(audit.catalog, audit.catalog, pairs.iloc[i]) for i in chosen]


def conflicts(audit: Audited) -> list[dict[str, Any]]:
    """Show pairs of twins whose labels contradict each other."""
    assert audit.catalog.pairs is not None
    pairs = conflicting(audit.catalog.table, audit.catalog.pairs)
    chosen = varied([(kind,) for kind in pairs["kind"]], CONFLICTS_SHOWN)
    return [_pair(audit.catalog, audit.catalog, pairs.iloc[i]) for i in chosen]


def shared(audit: Audited) -> dict[str, list[dict[str, Any]]]:
    """Show, for each other set, pairs of it and the audited data."""
    found = {}
    for name, (other, pairs) in audit.against.items():
        labels = other.table["label"].to_numpy(str)[pairs["b"].to_numpy(int)]
        chosen = varied(list(zip(labels, pairs["kind"], strict=True)), SHARED_SHOWN)
        found[name] = [_pair(audit.catalog, other, pairs.iloc[i]) for i in chosen]
    return found


def samples(audit: Audited) -> dict[str, list[dict[str, Any]]]:
    """Show slices of each class, drawn at random."""
    table = audit.catalog.table
    rng = np.random.default_rng(audit.summary["seed"])
    sheets = {}
    for label in audit.summary["classes"]:
        rows = np.flatnonzero(table["label"] == label)
        chosen = np.sort(rng.permutation(rows)[:SAMPLES_SHOWN])
        sheets[label] = [_slice(audit.catalog, int(row)) for row in chosen]
    return sheets


def varied(traits: Sequence[tuple[Hashable, ...]], count: int, *, later: NDArray[np.bool_] | None = None) -> list[int]:
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
    return data_uri(cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
