"""The audit of a data set: whether it is fit to measure anything with, and what a split has to respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.leaks import (
    Leaks,
    Sides,
    agreed_pairs,
    find_leaks,
    label_conflicts,
    leak_facts,
    overlap_facts,
    pairs_by_path,
    published_sides,
    twin_facts,
    with_twin,
)
from tumorscope.audits.listing import listed_pairs, twin_groups
from tumorscope.audits.probes import Score, copy_baseline, copy_baseline_folds, score_answers, source_probe
from tumorscope.audits.properties import file_properties, properties_by_class
from tumorscope.audits.verdict import sentences
from tumorscope.catalog.build import build_catalog
from tumorscope.catalog.groups import add_groups
from tumorscope.catalog.table import Catalog, slice_names
from tumorscope.progress import Progress
from tumorscope.scans import Channels
from tumorscope.twins.search import find_twins
from tumorscope.version import __version__

if TYPE_CHECKING:
    import pandas as pd

RANDOM_TRAIN, RANDOM_TEST = 0.70, 0.15


@dataclass(frozen=True)
class Audited:
    """What an audit found.

    Attributes:
        summary: ``audit.json`` as plain data; docs/audit.md names its keys.
        catalog: the slices, with their groups, twins and fingerprints.
        pairs: the twins by path, as ``pairs.csv``: every pair of a small set, the star of a large one (`listed_pairs`).
        leaked: which rows of the catalog are test slices that training knows.
        against: for each other set its catalog and the twins it shares, `a` in `catalog` and `b` in the other.
        sides: the split that was looked at, row by row of the catalog.
    """

    summary: dict[str, Any]
    catalog: Catalog
    pairs: pd.DataFrame
    leaked: Leaks
    against: dict[str, tuple[Catalog, pd.DataFrame]] = field(default_factory=dict)
    sides: Sides | None = None


def run_audit(
    data: str | Path | Sequence[str | Path],
    *,
    against: str | Path | Sequence[str | Path] = (),
    seed: int = 0,
    use_atlas: bool = True,
    channels: Channels = "one",
    progress: Progress | None = None,
) -> Audited:
    """Audit one or several data sets, taken together.

    Args:
        data: folders, CSV files, or the word ``phantom``.
        against: other data sets; the audit says how much of each stands in `data`.
        seed: of the random split that is tried where none is published, of folds and of bootstraps.
        use_atlas: recognize slices of the Cheng collection.
        channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' takes each.
        progress: told how far the audit is.

    Returns:
        An audit; ``summary`` is the same for the same files and seed.

    Raises:
        CatalogError: a data set has no known layout, or none of its files can be read.
    """
    catalog = build_catalog(_listed(data), channels=channels, progress=progress)
    catalog = add_groups(catalog, use_atlas=use_atlas, progress=progress)
    assert catalog.pairs is not None
    catalog = replace(catalog, pairs=agreed_pairs(catalog.table, catalog.pairs))
    assert catalog.pairs is not None
    sides = published_sides(catalog.table) or _random_sides(len(catalog.table), seed)
    leaked = find_leaks(catalog.table, catalog.pairs, sides)
    others = _compare(catalog, _listed(against), channels, progress)
    summary = {
        **_facts(catalog, _listed(data)),
        "leaks": leak_facts(catalog.table, sides, leaked),
        **_floors(catalog, sides, leaked, seed, progress),
        "against": {name: overlap_facts(catalog, other, pairs) for name, (other, pairs) in others.items()},
        "seed": seed,
        "version": __version__,
    }
    summary["sentences"] = sentences(summary)
    listed = pairs_by_path(listed_pairs(catalog.table, catalog.pairs), catalog.table)
    return Audited(summary, catalog, listed, leaked, others, sides)


def _listed(data: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [data] if isinstance(data, str | Path) else list(data)


def _facts(catalog: Catalog, data: list[str | Path]) -> dict[str, Any]:
    table = catalog.table
    assert catalog.pairs is not None
    assert catalog.prints is not None
    labels = table["label"].value_counts()
    recognized = table["fold"].notna() & (table["source"] != table["dataset"])
    return {
        "data": [str(item) for item in data],
        "datasets": {str(name): int(n) for name, n in table["dataset"].value_counts(sort=False).items()},
        "layout": ", ".join(dict.fromkeys(catalog.layouts.values())),
        "layouts": catalog.layouts,
        "images": int(table[["dataset", "path"]].drop_duplicates().shape[0]),
        "slices": len(table),
        "classes": {str(name): int(labels[name]) for name in sorted(labels.index)},
        "groups": int(table["group"].nunique()),
        "clusters": int(table["cluster"].nunique()),
        "patients": int(table.loc[table["patient"] != "", ["dataset", "patient"]].drop_duplicates().shape[0]),
        "slices_of_known_patient": int((table["patient"] != "").sum()),
        "twins": twin_facts(table, catalog.pairs),
        "atlas": {str(name): int(n) for name, n in table.loc[recognized, "source"].value_counts().items()},
        "label_conflicts": label_conflicts(table, catalog.pairs),
        "twin_groups": twin_groups(table),
        "empty": list(dict.fromkeys(slice_names(table)[catalog.prints.empty].tolist())),
        "unreadable": catalog.unreadable,
        "misnamed": catalog.misnamed,
        "properties": properties_by_class(table, _thumbs(catalog)),
    }


def _random_sides(count: int, seed: int) -> Sides:
    """Try what most people do: shuffle the slices, train on 70%, test on 15%."""
    place = np.random.default_rng(seed).permutation(count)
    return Sides(place < RANDOM_TRAIN * count, place >= (1 - RANDOM_TEST) * count, "random")


def _floors(
    catalog: Catalog, sides: Sides, leaked: Leaks, seed: int, progress: Progress | None
) -> dict[str, dict[str, Any]]:
    """Measure the copy baseline, with and without twins, and the source probe."""
    table, thumbs = catalog.table, _thumbs(catalog)
    _tell(progress, "copy baseline", 0)
    copied, without = _copies(catalog, sides, leaked, seed)
    _tell(progress, "source probe", 0)
    labels, groups, clusters = (table[name].to_numpy(str) for name in ("label", "group", "cluster"))
    probe = source_probe(file_properties(table, thumbs), list(labels), groups, clusters, seed=seed)
    _tell(progress, "source probe", 1)
    return {
        "copy_baseline": copied.to_json(),
        "copy_baseline_twin_free": without.to_json(),
        "source_probe": probe.to_json(),
    }


def _copies(catalog: Catalog, sides: Sides, leaked: Leaks, seed: int) -> tuple[Score, Score]:
    """Measure the copy baseline on all test slices and on those without a twin in training."""
    table, thumbs = catalog.table, _thumbs(catalog)
    labels, clusters = table["label"].to_numpy(str), table["cluster"].to_numpy(str)
    if sides.split != "published":
        assert catalog.pairs is not None
        whole = copy_baseline_folds(thumbs, list(labels), clusters, seed=seed)
        alone = ~with_twin(catalog.pairs, len(table))
        return whole, score_answers(whole.right, labels, clusters, "slices that have no twin", alone, seed=seed)
    train, test = sides.train, sides.test
    tested, resampled = labels[test], clusters[test]
    note = "published training part to published test part"
    whole = copy_baseline(
        thumbs[train], list(labels[train]), thumbs[test], list(tested), resampled, seed=seed, note=note
    )
    note, alone = "test images without a twin in training", ~leaked.near[test]
    return whole, score_answers(whole.right, tested, resampled, note, alone, seed=seed)


def _compare(
    catalog: Catalog, others: list[str | Path], channels: Channels, progress: Progress | None
) -> dict[str, tuple[Catalog, pd.DataFrame]]:
    assert catalog.prints is not None
    found: dict[str, tuple[Catalog, pd.DataFrame]] = {}
    for item in others:
        other = build_catalog([item], channels=channels, progress=progress)
        name, number = next(iter(other.roots)), 2
        while name in found:
            name, number = f"{next(iter(other.roots))}-{number}", number + 1
        found[name] = other, find_twins(catalog.prints, other.prints, progress=progress)
    return found


def _thumbs(catalog: Catalog) -> NDArray[np.uint8]:
    assert catalog.prints is not None
    return catalog.prints.thumbs


def _tell(progress: Progress | None, what: str, done: int) -> None:
    if progress:
        progress(what, done, 1)
