"""Twins: copies of one slice, exact or near (resized, recompressed, stretched, mirrored, turned, cropped)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.features import TRANSFORMS, Maps, band_of, feature_maps, maps_of_band, transformed
from tumorscope.catalog.prints import COMPACT_DIGEST_BYTES, CompactPrints, Prints, small_thumbs

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1024
TWIN = 0.95
Progress = Callable[[str, int, int], None]


def find_twins(prints: Prints, others: Prints | None = None, progress: Progress | None = None) -> pd.DataFrame:
    """Find every pair of twins.

    Args:
        prints: the slices.
        others: where their twins are sought; None for among themselves.
        progress: told how many slices were compared.

    Returns:
        Columns `a` (row in `prints`), `b` (row in `others`, or in `prints` with ``a < b``), `kind` ('exact': same
        decoded gray levels and size; 'near'), `similarity` (1 for exact) and `transform`, which makes `b` from `a`.
    """
    import pandas as pd

    own = others is None
    second = prints if others is None else others
    band_a = band_of(feature_maps(prints.heads))
    maps_b = feature_maps(second.heads)
    best = _best_pairs(band_a, maps_b, own, progress)
    frame = pd.DataFrame(best, columns=["a", "b", "similarity", "transform"])
    same = (prints.digests[frame["a"].to_numpy(int)] == second.digests[frame["b"].to_numpy(int)]).all(axis=1)
    frame.insert(2, "kind", np.where(same, "exact", "near"))
    frame.loc[same, "similarity"] = 1.0
    frame.loc[same, "transform"] = "none"
    return frame.sort_values(["a", "b"]).reset_index(drop=True)


def find_compact_twins(prints: Prints, compact: CompactPrints) -> NDArray[np.bool_]:
    """Say which of `prints` have a twin, exact or near, among `compact`: bool ``(n,)``."""
    known = {digest.tobytes() for digest in compact.digests}
    found = np.array([d[:COMPACT_DIGEST_BYTES].tobytes() in known for d in prints.digests], bool)
    band = band_of(feature_maps(prints.heads))
    for a, _, _, _ in _best_pairs(band, maps_of_band(compact.band), False, None):
        found[a] = True
    return found


def nearest_twins(prints: Prints, maps: Maps) -> NDArray[np.int64]:
    """Return for each of `prints` the row of its most similar twin among feature maps, -1 where it has none."""
    best: dict[int, tuple[float, int]] = {}
    for a, b, score, _ in _best_pairs(band_of(feature_maps(prints.heads)), maps, False, None):
        best[a] = max(best.get(a, (0.0, -1)), (score, b))
    return np.array([best.get(a, (0.0, -1))[1] for a in range(len(prints))], np.int64)


def compact_baseline_labels(prints: Prints, compact: CompactPrints, labels: list[str]) -> list[str]:
    """Return for each of `prints` the label of the stored slice whose small thumbnail is nearest."""
    stored = compact.thumbs.reshape(len(compact), -1).astype(np.float32)
    own = small_thumbs(prints.thumbs).reshape(len(prints), -1).astype(np.float32)
    squares = (stored * stored).sum(axis=1)
    nearest = [int((squares - 2 * (stored @ row)).argmin()) for row in own]
    return [labels[row] for row in nearest]


def _best_pairs(
    band_a: NDArray[np.float32], maps_b: NDArray[np.float32], own: bool, progress: Progress | None
) -> list[tuple[int, int, float, str]]:
    best: dict[tuple[int, int], tuple[float, str]] = {}
    for t, name in enumerate(TRANSFORMS):
        back = band_of(np.ascontiguousarray(transformed(maps_b, _inverse(name))))
        for start in range(0, len(band_a), BLOCK):
            scores = band_a[start : start + BLOCK] @ back.T
            rows, columns = np.nonzero(scores > TWIN)
            for a, b in zip(rows + start, columns, strict=True):
                score = float(scores[a - start, b])
                if (not own or a < b) and score > best.get((a, b), (0.0, ""))[0]:
                    best[int(a), int(b)] = (score, name)
        if progress:
            progress("comparing", t + 1, len(TRANSFORMS))
    return [(a, b, score, name) for (a, b), (score, name) in best.items()]


def _inverse(transform: str) -> str:
    turns = {"turn90": "turn270", "turn270": "turn90"}
    return transform if "mirror" in transform else turns.get(transform, transform)
