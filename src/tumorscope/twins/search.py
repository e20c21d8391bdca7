"""Twins: copies of one slice, exact or near (resized, recompressed, stretched, mirrored, turned, cropped)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.twins.candidates import Candidates, Described, find_candidates
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, CompactPrints, Fingerprints, kept_weights, small_thumbs
from tumorscope.twins.registration import LAYERS, Layers, lay_by_pixels, lay_by_spectra, spectral_similarity
from tumorscope.twins.structure import TRANSFORMS, compose, inverse, spectra, weights

if TYPE_CHECKING:
    import pandas as pd

TWIN = 0.96
"""Similarity of fine structure from which two slices are twins. Copies lie above, neighbors of a patient below: of the
two hundredths at which 98% of planted copies are found and 99% of the pairs are right (`benchmarks/twins.py`, part 0),
the stricter one."""
KNOWN_LAYERS: Layers = (*LAYERS, (weights(2.0, 20.0), 0.97))
"""What is compared, and how alike it must be, where only a spectrum is stored."""
COMPACT_LAYERS: Layers = (*LAYERS[:2], (kept_weights(1.5), 0.95))
"""The same where that is coarsely quantized."""
CROPPED = 0.03
"""A twin that shows less than all of the other, by more than this share of a side, is named a crop."""
MOST_TWINS = 500
"""Slices with more twins than this bring no further pairs: the work grows with the square."""
Rows = NDArray[np.int64]


def find_twins(
    prints: Fingerprints, others: Fingerprints | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Find every pair of twins.

    Args:
        prints: the slices.
        others: where their twins are sought; None for among themselves.
        progress: told how many comparisons are done.

    Returns:
        Columns `a` (row in `prints`), `b` (row in `others`, or in `prints` with ``a < b``), `kind` ('exact': same
        decoded gray levels and size; 'near'), `similarity` (1 for exact) and `transform`, which makes `b` from `a`:
        one of `TRANSFORMS`, or with a crop, of either, 'crop' or 'mirror+crop' and the like.
    """
    import pandas as pd

    second = prints if others is None else others
    firsts_a, group_a, firsts_b, group_b = _groups(prints, second)
    near = _near(prints.take(firsts_a), None if others is None else second.take(firsts_b), progress)
    frame = pd.concat([_exact(group_a, group_b), _spread(near, group_a, group_b)], ignore_index=True)
    if others is None:
        frame = frame[frame["a"] != frame["b"]]
        turned = frame["a"] > frame["b"]
        frame.loc[turned, "transform"] = [_undone(name) for name in frame.loc[turned, "transform"]]
        frame.loc[turned, ["a", "b"]] = frame.loc[turned, ["b", "a"]].to_numpy()
    frame = frame.drop_duplicates(["a", "b"])  # exact twins stand first, and are found as near ones too
    return frame.sort_values(["a", "b"]).reset_index(drop=True)


def find_compact_twins(prints: Fingerprints, compact: CompactPrints) -> NDArray[np.bool_]:
    """Say which of `prints` have a twin, exact or near, among `compact`: bool ``(n,)``."""
    known = {digest.tobytes() for digest in compact.digests}
    exact = np.array([digest[:COMPACT_DIGEST_BYTES].tobytes() in known for digest in prints.digests], bool)
    return exact | (nearest_known(prints, compact.heads, COMPACT_LAYERS) >= 0)


def nearest_known(prints: Fingerprints, heads: NDArray[np.float32], layers: Layers = KNOWN_LAYERS) -> Rows:
    """Return for each of `prints` the row of its most similar twin among stored spectra of heads, -1 for none."""
    own, stored = describe(prints), Described(heads, None, np.zeros(len(heads), bool))
    pairs = find_candidates(own, stored)
    rows, windows = lay_by_spectra(pairs, own, stored, layers[:-1])
    pairs = pairs.take(rows)
    weight, least = layers[-1]
    similarity = spectral_similarity(pairs, windows, own, stored, weight)
    out = np.full(len(prints), -1, np.int64)
    for row in np.argsort(similarity, kind="stable"):
        if similarity[row] >= least:
            out[pairs.a[row]] = pairs.b[row]
    return out


def compact_baseline_labels(prints: Fingerprints, compact: CompactPrints, labels: list[str]) -> list[str]:
    """Return for each of `prints` the label of the stored slice whose small thumbnail is nearest."""
    stored = compact.thumbs.reshape(len(compact), -1).astype(np.float32)
    own = small_thumbs(prints.thumbs).reshape(len(prints), -1).astype(np.float32)
    squares = (stored * stored).sum(axis=1)
    nearest = [int((squares - 2 * (stored @ row)).argmin()) for row in own]
    return [labels[row] for row in nearest]


def describe(prints: Fingerprints) -> Described:
    """Return what the search needs to know of slices."""
    return Described(spectra(prints.heads), spectra(prints.thumbs), prints.touching)


def _groups(a: Fingerprints, b: Fingerprints) -> tuple[Rows, Rows, Rows, Rows]:
    """Give the first row of each different picture, and each row's picture as a number; for `a` and for `b`."""
    width = a.digests.shape[1]
    joined = np.ascontiguousarray(np.concatenate([a.digests, b.digests])).view(f"V{width}").ravel()
    numbers = np.unique(joined, return_inverse=True)[1].astype(np.int64)
    group_a, group_b = numbers[: len(a)], numbers[len(a) :]
    return np.unique(group_a, return_index=True)[1], group_a, np.unique(group_b, return_index=True)[1], group_b


def _exact(group_a: Rows, group_b: Rows) -> pd.DataFrame:
    import pandas as pd

    a = pd.DataFrame({"group": group_a, "a": np.arange(len(group_a))})
    b = pd.DataFrame({"group": group_b, "b": np.arange(len(group_b))})
    return a.merge(b, on="group")[["a", "b"]].assign(kind="exact", similarity=1.0, transform="none")


def _near(prints: Fingerprints, others: Fingerprints | None, progress: Progress | None) -> pd.DataFrame:
    """Find near twins among different pictures."""
    import pandas as pd

    a = describe(prints)
    b = a if others is None else describe(others)
    sides = (a, b), (prints, prints if others is None else others)
    found = _verified(find_candidates(a, None if others is None else b, progress), *sides, progress)
    if others is None:
        found = pd.concat([found, _verified(_twins_of_twins(found, len(a)), *sides, progress)], ignore_index=True)
    return found


def _verified(
    pairs: Candidates,
    described: tuple[Described, Described],
    prints: tuple[Fingerprints, Fingerprints],
    progress: Progress | None,
) -> pd.DataFrame:
    import pandas as pd

    rows, windows = lay_by_spectra(pairs, *described)
    pairs = pairs.take(rows)
    similarity = np.minimum(lay_by_pixels(pairs, windows, *prints, progress), 1)
    twins = similarity >= TWIN
    pairs, windows, similarity = pairs.take(twins), windows[twins], similarity[twins]
    cropped = np.abs(windows).max(axis=1, initial=0) > CROPPED
    cropped &= described[0].touching[pairs.a] | described[1].touching[pairs.b]
    names = [_name(pairs, row, bool(cropped[row])) for row in range(len(pairs))]
    transforms = pd.Series(names, dtype=object)
    return pd.DataFrame({"a": pairs.a, "b": pairs.b, "similarity": similarity.astype(float), "transform": transforms})


def _twins_of_twins(found: pd.DataFrame, count: int) -> Candidates:
    """Return pairs not yet found that share a twin: in a large group not every pair is among a slice's best."""
    import pandas as pd

    plain = found["transform"].str.removesuffix("+crop").replace("crop", "none")
    there = pd.DataFrame({"middle": found["a"], "end": found["b"], "step": plain})
    back = pd.DataFrame({"middle": found["b"], "end": found["a"], "step": plain.map(inverse)})
    arms = pd.concat([there, back], ignore_index=True)
    arms = arms[arms.groupby("middle")["end"].transform("size") <= MOST_TWINS]
    both = arms.merge(arms, on="middle", suffixes=("_a", "_b"))
    both = both[both["end_a"] < both["end_b"]].drop_duplicates(["end_a", "end_b"])
    known = found["a"].to_numpy(np.int64) * count + found["b"].to_numpy(np.int64)
    both = both[~np.isin(both["end_a"].to_numpy(np.int64) * count + both["end_b"].to_numpy(np.int64), known)]
    steps = [compose(inverse(a), b) for a, b in zip(both["step_a"], both["step_b"], strict=True)]
    return Candidates(
        both["end_a"].to_numpy(np.int32),
        both["end_b"].to_numpy(np.int32),
        np.zeros(len(both), bool),
        np.zeros(len(both), np.int8),
        np.array([TRANSFORMS.index(step) for step in steps], np.int8),
        np.zeros(len(both), np.float32),
    )


def _spread(near: pd.DataFrame, group_a: Rows, group_b: Rows) -> pd.DataFrame:
    """Turn pairs of pictures, numbered among the different ones, into pairs of all slices that show them."""
    import pandas as pd

    a = pd.DataFrame({"group_a": group_a, "a": np.arange(len(group_a))})
    b = pd.DataFrame({"group_b": group_b, "b": np.arange(len(group_b))})
    named = near.assign(group_a=np.unique(group_a)[near["a"]], group_b=np.unique(group_b)[near["b"]])
    spread = named.drop(columns=["a", "b"]).merge(a, on="group_a").merge(b, on="group_b")
    return spread.assign(kind="near")[["a", "b", "kind", "similarity", "transform"]]


def _name(pairs: Candidates, row: int, cropped: bool) -> str:
    name = TRANSFORMS[pairs.transform[row]]
    name = inverse(name) if pairs.flipped[row] else name
    return name if not cropped else "crop" if name == "none" else f"{name}+crop"


def _undone(transform: str) -> str:
    plain = transform.removesuffix("+crop")
    return inverse(plain) + transform[len(plain) :]
