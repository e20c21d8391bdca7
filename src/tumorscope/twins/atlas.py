"""The atlas: which slices of the Cheng set stand in a catalog, and in which patient-disjoint fold each belongs.

It ships fingerprints and facts of the 3,064 slices, no images; ``tools/build_atlas.py`` makes it.
Cheng et al., PLoS ONE 10(10): e0140381, 2015; figshare 1512427.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.twins.fingerprints import Fingerprints
from tumorscope.twins.search import nearest_known
from tumorscope.twins.structure import ORDERS, unit

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("glioma", "meningioma", "pituitary")


@dataclass(frozen=True)
class Atlas:
    """What is known of n slices.

    Attributes:
        index: int64 ``(n,)``, number of the slice in the Cheng set.
        fold: int64 ``(n,)``, 1 to 5; no patient is in two folds.
        label: int64 ``(n,)``, the tumor, into `LABELS`.
        heads: float32 ``(n, 24, 24)``, spectra of the heads.
    """

    index: NDArray[np.int64]
    fold: NDArray[np.int64]
    label: NDArray[np.int64]
    heads: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.index)

    def recognize(self, prints: Fingerprints) -> pd.DataFrame:
        """Look slices up.

        Returns:
            One row a slice: `index` and `fold` (Int64, null where unknown) and `label` ('' where unknown).
        """
        import pandas as pd

        row = nearest_known(prints, self.heads)
        known = row >= 0

        def column(values: NDArray[np.int64]) -> pd.Series[int]:
            return pd.Series(values[row], dtype="Int64").where(pd.Series(known))

        names = np.array(LABELS, object)[self.label[row]]
        return pd.DataFrame(
            {"index": column(self.index), "fold": column(self.fold), "label": np.where(known, names, "")}
        )


@cache
def load_atlas() -> Atlas:
    """Load the shipped atlas."""
    with (files("tumorscope.twins") / "atlas.npz").open("rb") as stream, np.load(stream) as stored:
        heads = stored["heads"].astype(np.float32) / order_levels()
        return Atlas(
            stored["index"].astype(np.int64),
            stored["fold"].astype(np.int64),
            stored["label"].astype(np.int64),
            unit(heads),
        )


@cache
def order_levels() -> NDArray[np.float32]:
    """Return the factors that bring orders to one level before each is stored in a byte, ``(24, 24)``."""
    return np.asarray(1 + np.hypot(*np.mgrid[:ORDERS, :ORDERS]), np.float32)
