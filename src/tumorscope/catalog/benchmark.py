"""The benchmark: in which of five leak-free folds each slice of the public sets stands, told by the picture alone.

It ships fingerprints and folds, no images; ``tools/make_benchmark.py`` makes it. The folds of all sets are drawn
together, so that a slice, a patient or a series that stands in several sets is in one fold in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.parts import BENCHMARK, FOLDS, PARTS, parts_of_folds
from tumorscope.catalog.table import Catalog
from tumorscope.errors import UsageError, did_you_mean
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, Fingerprints, restore
from tumorscope.twins.search import COMPACT_LAYERS, nearest_known
from tumorscope.twins.structure import Spectra

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The name of all sets together."""
FILE = "benchmark.npz"
TEST_FOLD = 5

Folds = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Benchmark:
    """What is known of the different pictures of the public sets.

    Attributes:
        names: of the sets.
        digests: uint8 ``(n, 8)``, the first bytes of the hash of decoded gray levels and size.
        folds: int64 ``(n,)``, 1 to 5.
        member: bool ``(n, sets)``, which sets hold the picture.
        heads: float32 ``(m, 24, 24)``, coarse spectra of the heads of those that the atlas does not know.
        head_rows: int64 ``(m,)``, which of the n they are.
        cheng: bool ``(slices of the Cheng set, sets)``, which sets hold a copy of each, in the order of its numbers.
    """

    names: tuple[str, ...]
    digests: NDArray[np.uint8]
    folds: Folds
    member: Rows
    heads: Spectra
    head_rows: NDArray[np.int64]
    cheng: Rows

    def __len__(self) -> int:
        return len(self.digests)

    def recognize(self, prints: Fingerprints, name: str = ALL) -> Recognized:
        """Look slices up: by their exact pixels, else by the Cheng atlas, else as a near twin.

        Args:
            prints: of any slices.
            name: of a set, or 'all'.

        Raises:
            UsageError: there is no such set.
        """
        chosen = self._columns(name)
        folds, exact = self._exact(prints, chosen)
        for search in (self._by_atlas, self._near):
            unknown = np.flatnonzero(folds == 0)
            folds[unknown] = search(prints.take(unknown), chosen)
        return Recognized(folds, exact)

    def _columns(self, name: str) -> Rows:
        if name != ALL and name not in self.names:
            raise UsageError(f"there is no benchmark '{name}'", remedy=did_you_mean(name, [*self.names, ALL]))
        return np.array([name in (ALL, known) for known in self.names], bool)

    def _exact(self, prints: Fingerprints, chosen: Rows) -> tuple[Folds, Rows]:
        rows = np.flatnonzero(self.member[:, chosen].any(axis=1))
        known = {self.digests[row].tobytes(): int(self.folds[row]) for row in rows}
        found = [known.get(digest[:COMPACT_DIGEST_BYTES].tobytes(), 0) for digest in prints.digests]
        folds = np.array(found, np.int64)
        return folds, folds > 0

    def _by_atlas(self, prints: Fingerprints, chosen: Rows) -> Folds:
        said = load_atlas().recognize(prints)
        index = said["index"].fillna(0).to_numpy(np.int64)
        held = (index > 0) & self.cheng[np.maximum(index, 1) - 1][:, chosen].any(axis=1)
        return np.where(held, said["fold"].fillna(0).to_numpy(np.int64), 0)

    def _near(self, prints: Fingerprints, chosen: Rows) -> Folds:
        held = self.member[self.head_rows][:, chosen].any(axis=1)
        if not held.any():
            return np.zeros(len(prints), np.int64)
        rows = nearest_known(prints, self.heads[held], COMPACT_LAYERS)
        return np.where(rows >= 0, self.folds[self.head_rows[held]][rows], 0)


@dataclass(frozen=True)
class Recognized:
    """What the benchmark says of n slices.

    Attributes:
        folds: int64 ``(n,)``, 1 to 5, and 0 for a slice that is unknown.
        exact: bool ``(n,)``, whether the pixels are the very same.
    """

    folds: Folds
    exact: Rows


@cache
def load_benchmark() -> Benchmark:
    """Load the shipped benchmark."""
    with (files("tumorscope.catalog") / FILE).open("rb") as stream, np.load(stream) as stored:
        count = len(stored["names"])
        return Benchmark(
            tuple(stored["names"].tolist()),
            stored["digests"],
            stored["folds"].astype(np.int64),
            _bits(stored["member"], count),
            restore(stored["heads"]),
            stored["head_rows"].astype(np.int64),
            _bits(stored["cheng"], count),
        )


def parse_benchmark(split: str) -> tuple[str, int]:
    """Return the set and the test fold that ``benchmark:NAME`` or ``benchmark:NAME:FOLD`` names.

    Raises:
        UsageError: there is no such set or fold.
    """
    name, _, fold = split.removeprefix(BENCHMARK).partition(":")
    known = [*load_benchmark().names, ALL]
    if name not in known:
        raise UsageError(f"there is no benchmark '{name}'", remedy=did_you_mean(name, known))
    if fold not in ("", *map(str, range(1, FOLDS + 1))):
        raise UsageError(f"'{split}' names no fold", remedy=f"write {BENCHMARK}NAME:FOLD with a FOLD from 1 to {FOLDS}")
    return name, int(fold or TEST_FOLD)


def assign_benchmark(catalog: Catalog, split: str) -> Catalog:
    """Fill the column ``split`` with the benchmark's parts; slices that it does not know get '' and so are left out.

    Slices of a patient whom the data name, and planes of one file, go together: where the benchmark knows others of
    them, in one fold, an unknown one is put there too (nearly black slices at the ends of a scan resemble nothing).

    Args:
        catalog: with fingerprints.
        split: ``benchmark:NAME`` or ``benchmark:NAME:FOLD``. NAME is a public set, or 'all'. The test part is FOLD, 5
            unless it is given; the validation part is the fold before it.

    Raises:
        UsageError: there is no such set or fold.
    """
    name, fold = parse_benchmark(split)
    if catalog.prints is None:
        raise ValueError("a catalog without fingerprints cannot be recognized")
    folds = _same_patient(catalog.table, load_benchmark().recognize(catalog.prints, name).folds)
    parts = np.array(PARTS, object)[parts_of_folds(folds, fold)]
    return catalog.with_table(catalog.table.assign(split=np.where(folds > 0, parts, "")))


def _same_patient(table: pd.DataFrame, folds: Folds) -> Folds:
    """Give unknown slices the one fold of the others of their patient, or of their file where no patient is named."""
    named = table["dataset"] + ":" + table["patient"]
    keys = named.where(table["patient"] != "", table["file"]).tolist()
    found: dict[str, set[int]] = {}
    for key, fold in zip(keys, folds.tolist(), strict=True):
        if fold:
            found.setdefault(key, set()).add(fold)
    only = {key: next(iter(several)) for key, several in found.items() if len(several) == 1}
    return np.array([fold or only.get(key, 0) for key, fold in zip(keys, folds.tolist(), strict=True)], np.int64)


def _bits(values: NDArray[np.uint8], count: int) -> Rows:
    return (values[:, None] >> np.arange(count) & 1).astype(bool)
