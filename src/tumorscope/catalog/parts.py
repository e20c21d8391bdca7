"""The parts of a split, and how five folds become them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PARTS = ("train", "val", "test")
FOLDS = 5
BENCHMARK = "benchmark:"
"""What a split of the benchmark begins with: ``benchmark:NAME`` or ``benchmark:NAME:FOLD``."""


def is_benchmark(split: str) -> bool:
    """Whether a split is one of the benchmark's."""
    return split.startswith(BENCHMARK)


def parts_of_folds(folds: NDArray[np.int64], fold: int) -> NDArray[np.int64]:
    """Return the part of each fold, into `PARTS`, where `fold` is tested on and the one before it validates."""
    before = (fold - 2) % FOLDS + 1
    return np.select([folds == fold, folds == before], [2, 1], 0).astype(np.int64)
