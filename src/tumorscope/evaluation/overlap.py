"""Which slices of an evaluated set a model has seen: themselves, as a twin, or by another slice of their group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog import Catalog
from tumorscope.catalog.groups import twin_roots
from tumorscope.catalog.slices import slice_keys
from tumorscope.errors import ModelFileError

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.twins.fingerprints import CompactPrints, Fingerprints

FITTED_ON = ("train", "val")
"""Parts of a split that a model was fitted to: weights on training, thresholds and temperature on validation."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """What is known about each row of a catalog, ``(n,)``.

    Attributes:
        seen: the slice itself was trained or validated on.
        twin: it, or a twin of it, was.
        group: any slice of its group was (the same patient, fold or series), twins included.
        groups_known: whether the groups of the training slices are known; else a patient whose slices have no twin in
            training may still be one that the model was trained on.
        is_traceable: whether anything tells what the model has seen; if not, the marks above mean nothing.
    """

    seen: Rows
    twin: Rows
    group: Rows
    groups_known: bool
    is_traceable: bool = True

    def take(self, rows: Rows | NDArray[np.int64]) -> Overlap:
        """Return the rows at a mask or at positions."""
        return Overlap(self.seen[rows], self.twin[rows], self.group[rows], self.groups_known, self.is_traceable)


def find_overlap(catalog: Catalog, prints_of_training: str = "", trained_on: pd.DataFrame | None = None) -> Overlap:
    """Compare a catalog with what a model was trained on.

    Args:
        catalog: with groups; with fingerprints where `prints_of_training` is to be used.
        prints_of_training: as packed in the model file, '' if it has none.
        trained_on: the catalog of the model's run, with `split` and `group`; slices are recognized by their hash.
    """
    table = catalog.table
    keys = slice_keys(table)
    if trained_on is None:
        seen, known, run_groups = np.zeros(len(table), bool), np.zeros(len(table), bool), np.zeros(len(table), bool)
    else:
        fitted = trained_on["split"].isin(FITTED_ON).to_numpy()
        run_keys, groups = slice_keys(trained_on), trained_on["group"].to_numpy(str)
        seen, known = np.isin(keys, run_keys[fitted]), np.isin(keys, run_keys)
        run_groups = np.isin(keys, run_keys[np.isin(groups, groups[fitted])])
    roots = twin_roots(table)
    twin = seen | _share_value(roots, seen)
    packed = None if known.all() else read_prints(prints_of_training)
    if packed is not None and catalog.prints is not None:
        twin |= ~known & _in_prints(catalog.prints, packed[0])
        twin |= _share_value(roots, twin)
    group = twin | run_groups | _share_value(table["group"].to_numpy(str), twin)
    return Overlap(seen, twin, group, bool(known.all()), bool(known.all()) or packed is not None)


def read_prints(packed: str) -> tuple[CompactPrints, list[str]] | None:
    """Read the fingerprints in a model file, with their labels; None where there are none of a format known here."""
    from tumorscope.twins.fingerprints import unpack_prints

    try:
        return unpack_prints(packed)
    except (ModelFileError, ValueError):
        return None


def _in_prints(prints: Fingerprints, compact: CompactPrints) -> Rows:
    from tumorscope.twins.search import find_compact_twins

    return np.asarray(find_compact_twins(prints, compact), bool)


def _share_value(values: NDArray[np.str_], marked: Rows) -> Rows:
    """Mark the rows whose value (not '') a marked row has."""
    return np.asarray(np.isin(values, np.unique(values[marked & (values != "")])))
