"""What the runs of a study answered: read from their findings, pooled over folds and seeds, and put side by side.

Folds are pooled: each slice is answered by the model that did not see it, and all count together. A call is the
likeliest class, as published figures count; thresholds of model files, which are fitted on the validation part, are not
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import cover_matrix
from tumorscope.errors import StudyError
from tumorscope.model_file import NOTUMOR

TEXTS = ("dataset", "path", "slice", "channel", "label", "cluster")
PROBABILITY = "p_"
BY_SEED = ("answered", "right", "called", "tumor")
MEASURED_AGAIN = "run the study again: it is measured anew"
COUNTED = {
    "full": None,
    "copies": ("twin_seen", True),
    "twin_free": ("twin_seen", False),
    "leak_free": ("group_seen", False),
}
"""The column of findings that says whether a slice is in a set of slices, and what it says of those that are."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What one run answered under one protocol: slices in rows, seeds in columns.

    Attributes:
        keys: what tells the slices apart, str ``(n,)``, sorted.
        labels: str ``(n,)``.
        clusters: what a bootstrap resamples, str ``(n,)``.
        seeds: in order.
        answered: bool ``(n, seeds)``: whether the slice is in the measured part of that seed.
        right: bool ``(n, seeds)``.
        called: the likeliest class, str ``(n, seeds)``; '' where not answered.
        tumor: probability of a tumor, ``(n, seeds)``; 0 where not answered.
        tells_tumors: whether 'no tumor' is among what the run may call; if not, all it calls is a tumor.
    """

    keys: NDArray[np.str_]
    labels: NDArray[np.str_]
    clusters: NDArray[np.str_]
    seeds: tuple[int, ...]
    answered: Bools
    right: Bools
    called: NDArray[np.str_]
    tumor: Floats
    tells_tumors: bool = True

    @property
    def n(self) -> int:
        """How many distinct slices some seed answered."""
        return int(self.answered.any(axis=1).sum())

    @property
    def share_right(self) -> Floats:
        """How often each slice was right, ``(n,)``; NaN where no seed answered it."""
        times = self.answered.sum(axis=1)
        hits = (self.right & self.answered).sum(axis=1).astype(np.float64)
        return np.divide(hits, times, out=np.full(len(times), np.nan), where=times > 0)

    def of_seed(self, seed: int) -> Answers:
        """Return the answers of one seed alone."""
        return self.at(self.keys, (seed,))

    def at(self, keys: NDArray[np.str_], seeds: tuple[int, ...] | None = None) -> Answers:
        """Return the answers to slices that are all among them, of some seeds or of all."""
        rows = np.searchsorted(self.keys, keys)
        names = self.seeds if seeds is None else seeds
        columns = [self.seeds.index(seed) for seed in names]
        parts = {name: getattr(self, name)[rows][:, columns] for name in BY_SEED}
        return replace(self, keys=keys, labels=self.labels[rows], clusters=self.clusters[rows], seeds=names, **parts)

    def where(self, answered: Bools) -> Answers:
        """Return them as if nothing but what is marked, ``(n, seeds)``, had been answered."""
        called, tumor = np.where(answered, self.called, ""), np.where(answered, self.tumor, 0.0)
        return replace(self, answered=answered, right=self.right & answered, called=called, tumor=tumor)


def read_answers(findings: Sequence[tuple[int, Path]], slices: str) -> Answers:
    """Read what a run answered.

    Args:
        findings: (seed, ``findings.csv``) of every fold and seed.
        slices: as for `read_findings`.

    Raises:
        StudyError: a file is no table of findings, or two folds of a seed answer one slice.
    """
    return pool([(seed, read_findings(path, slices)) for seed, path in findings])


def pool(findings: Sequence[tuple[int, pd.DataFrame]]) -> Answers:
    """Put together what a run answered in its folds and seeds.

    Args:
        findings: (seed, as of `read_findings`) of every fold and seed.

    Raises:
        StudyError: two folds of a seed answer one slice.
    """
    table = pd.concat([one.assign(seed=seed) for seed, one in findings], ignore_index=True)
    key = table["dataset"] + "/" + table["path"] + "#" + table["slice"] + "#" + table["channel"]
    if (twice := pd.DataFrame({"key": key, "seed": table["seed"]}).duplicated()).any():
        raise StudyError(f"{key[twice].iloc[0]} was answered twice", remedy="run the study anew in another folder")
    keys, at = np.unique(key.to_numpy(str), return_inverse=True)
    seeds = tuple(sorted({seed for seed, _ in findings}))
    first = np.unique(at, return_index=True)[1]
    place, shape = (at, np.searchsorted(seeds, table["seed"])), (len(keys), len(seeds))
    return Answers(
        keys,
        table["label"].to_numpy(str)[first],
        table["cluster"].to_numpy(str)[first],
        seeds,
        answered=_spread(place, np.ones(len(table), bool), shape),
        right=_spread(place, table["right"].to_numpy(bool), shape),
        called=_spread(place, table["called"].to_numpy(str), shape),
        tumor=_spread(place, table["tumor_probability"].to_numpy(np.float64), shape),
        tells_tumors=all(one.attrs["tells_tumors"] for _, one in findings),
    )


def common(first: Answers, second: Answers) -> tuple[Answers, Answers]:
    """Return both on the slices and seeds that both have, each answered where both answered."""
    keys = np.intersect1d(first.keys, second.keys)
    seeds = tuple(sorted(set(first.seeds) & set(second.seeds)))
    a, b = first.at(keys, seeds), second.at(keys, seeds)
    both = np.asarray(a.answered & b.answered, np.bool_)
    kept = keys[both.any(axis=1)]
    return a.where(both).at(kept), b.where(both).at(kept)


def read_findings(path: Path, slices: str) -> pd.DataFrame:
    """Read what one model answered, a row a slice: what tells slices apart, its label, what was called, what is right.

    Args:
        path: ``findings.csv``.
        slices: 'full', 'copies', 'twin_free' or 'leak_free'.

    Raises:
        StudyError: it is gone, or no table of findings.
    """
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        table = table.assign(slice=table.get("slice", ""))  # findings of earlier versions are of pictures alone
        table = table[table["counted"] == "True"]
        if (counted := COUNTED[slices]) is not None:
            column, said = counted
            table = table[table[column] == str(said)]
        texts, tumor = table[list(TEXTS)], pd.to_numeric(table["tumor_probability"])
        probabilities = table.filter(regex=f"^{PROBABILITY}").astype(np.float64)
        names = [column.removeprefix(PROBABILITY) for column in probabilities.columns]
        likeliest = probabilities.to_numpy().argmax(axis=1)
    except (OSError, ValueError, KeyError) as error:
        raise StudyError("is not a readable table of findings", file=path, remedy=MEASURED_AGAIN) from error
    alone = "row:" + texts["dataset"] + "/" + texts["path"]
    found = texts.assign(
        cluster=texts["cluster"].where(texts["cluster"] != "", alone),
        called=np.array(names)[likeliest],
        right=cover_matrix(texts["label"], names)[np.arange(len(texts)), likeliest],
        tumor_probability=tumor,
    )
    found.attrs["tells_tumors"] = NOTUMOR in names
    return found


def _spread(
    place: tuple[NDArray[np.int64], NDArray[np.int64]], values: NDArray[Any], shape: tuple[int, int]
) -> NDArray[Any]:
    out = np.zeros(shape, values.dtype)
    out[place] = values
    return out
