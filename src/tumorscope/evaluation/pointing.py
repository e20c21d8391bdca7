"""Whether a heatmap points at the tumor: the pointing game (Zhang et al., 2018, arXiv 1608.00507), no tolerance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.evaluation.bootstrap import estimate
from tumorscope.evaluation.metrics import Bools, Floats, share
from tumorscope.model_file import NOTUMOR, Figure
from tumorscope.preprocess import Placement


def pointing(
    heatmaps: Sequence[Floats],
    masks: Sequence[NDArray[np.generic]],
    placements: Sequence[Placement],
    clusters: ArrayLike | None = None,
    *,
    seed: int = 0,
) -> Figure | None:
    """Measure how often the peak of a heatmap lies inside the tumor's mask.

    Args:
        heatmaps: ``(h, w)`` each, of the model's input at any resolution.
        masks: ``(height, width)`` each, of the slice; above 0 is tumor. Slices without tumor do not count.
        placements: where each slice lies in its input.
        clusters: what the bootstrap resamples; each slice by itself when None.
        seed: of the bootstrap.

    Returns:
        The share with n and interval, or None without any tumor.
    """
    hits = [
        points_inside(heatmap, mask, place) if (np.asarray(mask) > 0).any() else np.nan
        for heatmap, mask, place in zip(heatmaps, masks, placements, strict=True)
    ]
    values = np.array(hits, np.float64)
    groups = np.arange(len(values)) if clusters is None else clusters
    return estimate([share("pointing", values == 1, ~np.isnan(values))], groups, seed=seed).get("pointing")


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
