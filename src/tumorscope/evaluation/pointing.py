"""Whether a heatmap points at the tumor: the pointing game (Zhang et al., 2018, arXiv 1608.00507), no tolerance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tumorscope.model_file import NOTUMOR
from tumorscope.preprocess import Placement
from tumorscope.statistics.metrics import Bools, Floats


def points_inside(heatmap: Floats, mask: NDArray[np.generic], placement: Placement) -> bool:
    """Whether the peak of one heatmap, brought back onto the slice, lies inside the mask."""
    row, column = peak(heatmap, placement, (mask.shape[0], mask.shape[1]))
    return bool(np.asarray(mask)[row, column] > 0)


def peak(heatmap: Floats, placement: Placement, shape: tuple[int, int]) -> tuple[int, int]:
    """Return row and column of a heatmap's peak on a slice of `shape`."""
    above_zero = np.asarray(heatmap, np.float32) - np.float32(heatmap.min()) + np.float32(1e-6)
    placed = placement.to_slice(above_zero, shape)  # zero outside the box, so that the peak is inside
    row, column = np.unravel_index(int(placed.argmax()), shape)
    return int(row), int(column)


def tumor_heatmap(heatmaps: Floats, probabilities: Floats, classes: Sequence[str]) -> Floats:
    """Return the map of the likeliest tumor class of one slice, ``(h, w)``.

    Args:
        heatmaps: ``(classes, h, w)``.
        probabilities: ``(classes,)``.
        classes: their names.
    """
    tumors: Bools = np.array([name != NOTUMOR for name in classes])
    chosen: Floats = heatmaps[int(np.where(tumors, probabilities, -1.0).argmax())]
    return chosen
