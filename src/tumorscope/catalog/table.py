"""The catalog: one row a slice, which every later stage reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.errors import CatalogError
from tumorscope.files.atomic import write_text
from tumorscope.twins.fingerprints import Fingerprints
from tumorscope.words import LESION, TUMOR

COLUMNS = (
    "path", "series", "slice", "channel", "dataset", "label", "kind", "patient", "sequence", "plane", "source", "group",
    "cluster", "fold", "split", "mask", "width", "height", "mode", "sha256", "twin_of",
)  # fmt: skip
OF_SCANS = ("series", "slice")
"""Columns that a catalog of pictures alone may lack, as those of earlier versions do."""
NUMBERS = ("slice", "channel", "fold", "width", "height")


@dataclass(frozen=True)
class Catalog:
    """The slices of one or several data sets.

    Attributes:
        table: one row a slice, `COLUMNS` and two more: ``official``, the split that the set itself publishes, and
            ``file``, the full path. ``series`` names the scan of several slices that a row is one of, and ``slice``
            which: '' and null of a picture. Text is '' where unknown, ``channel`` and ``fold`` are null.
        roots: for each data set, the folder that its paths are relative to.
        layouts: for each data set, the layout that was recognized.
        unreadable: files that could not be read, as {"path", "problem"}.
        misnamed: files whose suffix names another format, as {"path", "named", "is"}.
        prints: fingerprints, one a row; None in a catalog that was read from disk.
        pairs: twins among the rows, as `find_twins` returns them; None before `add_groups`.
    """

    table: pd.DataFrame
    roots: dict[str, Path]
    layouts: dict[str, str] = field(default_factory=dict)
    unreadable: list[dict[str, str]] = field(default_factory=list)
    misnamed: list[dict[str, str]] = field(default_factory=list)
    prints: Fingerprints | None = None
    pairs: pd.DataFrame | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The fine classes found, in alphabetical order."""
        return tuple(sorted(set(self.table["label"]) - {TUMOR, LESION, ""}))

    def with_table(self, table: pd.DataFrame) -> Catalog:
        """Return the same catalog with other columns; the rows must be the same."""
        return replace(self, table=table)

    @classmethod
    def read(cls, path: Path, data: Sequence[str | Path]) -> Catalog:
        """Read a catalog that `write_catalog` wrote.

        Args:
            path: the ``catalog.csv``.
            data: the DATA that it was made from, in the same order.

        Raises:
            CatalogError: the file is not a catalog, or is of other data.
        """
        from tumorscope.catalog.layouts import data_roots

        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise CatalogError("is not a readable catalog", file=path, remedy="make it anew") from error
        table = table.assign(**{name: "" for name in OF_SCANS if name not in table.columns})
        if missing := set(COLUMNS) - set(table.columns):
            raise CatalogError(f"lacks the columns {', '.join(sorted(missing))}", file=path, remedy="make it anew")
        roots = data_roots(data)
        if unknown := set(table["dataset"]) - set(roots):
            raise CatalogError(f"is of {', '.join(sorted(unknown))}", file=path, remedy="give the same DATA")
        return cls(_typed(table, roots), roots)


def slice_names(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return how messages and lists name the rows, ``(n,)``: the path, and the slice of a scan of several."""
    paths, series, slices = table["path"].to_numpy(str), table["series"].to_numpy(str), table["slice"]
    if not series.any():
        return paths
    named = zip(paths, series, slices, strict=True)
    return np.array([f"{path} [{number}]" if of else path for path, of, number in named], str)


def write_catalog(catalog: Catalog, path: Path) -> None:
    """Write ``catalog.csv``: the table's `COLUMNS`."""
    write_text(path, catalog.table[list(COLUMNS)].to_csv(index=False, lineterminator="\n"))


def _typed(table: pd.DataFrame, roots: dict[str, Path]) -> pd.DataFrame:
    for name in NUMBERS:
        table[name] = pd.to_numeric(table[name].replace("", None)).astype("Int64")
    files = [str(roots[name] / path) for name, path in zip(table["dataset"], table["path"], strict=True)]
    return table.assign(official="", file=files)
