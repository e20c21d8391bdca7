"""Twins: copies of one slice, exact or near (resized, recompressed, stretched, mirrored, turned, cropped)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.twins.candidates import Candidates, Described, find_candidates, other_scans
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
MOST_LISTED = 20
"""Of more identical slices than this the star is given, not every pair."""
Rows = NDArray[np.int64]


def find_twins(
    prints: Fingerprints,
    others: Fingerprints | None = None,
    progress: Progress | None = None,
    *,
    scan: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Find the twins among slices; blank slices have none.

    Of up to `MOST_LISTED` identical slices every pair is given, of more the star: the first with each other. A near
    twin of so many is paired with the first of them, and they with it, so that the pairs grow in line with the slices.

    Args:
        prints: the slices.
        others: where their twins are sought; None for among themselves.
        progress: told how many comparisons are done.
        scan: integers ``(n,)``, the scan of each of `prints`; slices of one scan are never twins. Only for a search
            among themselves.

    Returns:
        Columns `a` (row in `prints`), `b` (row in `others`, or in `prints` with ``a < b``), `kind` ('exact': same
        decoded gray levels and size; 'near'), `similarity` (1 for exact) and `transform`, which makes `b` from `a`:
        one of `TRANSFORMS`, or with a crop, of either, 'crop' or 'mirror+crop' and the like.
    """
    import pandas as pd

    second = prints if others is None else others
    firsts_a, group_a, firsts_b, group_b = _groups(prints, second)
    near = _near(
        prints.take(firsts_a),
        None if others is None else second.take(firsts_b),
        progress,
        None if scan is None else _scan_of_all(np.asarray(scan), group_a),
    )
    exact = _exact(group_a, group_b) if others is not None else _exact_among(group_a)
    frame = pd.concat([exact, _spread(near, group_a, group_b)], ignore_index=True)
    frame = frame[~(prints.blank[frame["a"]] | second.blank[frame["b"]])]
    if others is None:
        if scan is not None:
            frame = frame[np.asarray(scan)[frame["a"]] != np.asarray(scan)[frame["b"]]]
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
    """Return for each of `prints` the row of its most similar twin among stored spectra of heads, -1 for none.

    Of more than `MOST_LISTED` slices that show the same picture the first is looked up.
    """
    rows, stands_for = _without_masses(prints)
    return _nearest(prints.take(rows), heads, layers)[stands_for]


def _nearest(prints: Fingerprints, heads: NDArray[np.float32], layers: Layers) -> Rows:
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


def _without_masses(prints: Fingerprints) -> tuple[Rows, Rows]:
    """Return the rows but the repetitions of mass copies, and for each row the place there of what stands for it."""
    _, group, _, _ = _groups(prints, prints.take([]))
    _, firsts, picture, sizes = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    own = np.arange(len(prints))
    kept = np.where(sizes[picture] > MOST_LISTED, firsts[picture], own)
    rows, stands_for = np.unique(kept, return_inverse=True)
    return rows, stands_for


def _exact(group_a: Rows, group_b: Rows) -> pd.DataFrame:
    """Pair the slices of two sides that show the same picture."""
    groups = np.intersect1d(group_a, group_b)
    return _pair_classes(groups, groups, group_a, group_b).assign(kind="exact", similarity=1.0, transform="none")


def _exact_among(group: Rows) -> pd.DataFrame:
    """Pair the slices of one side that show the same picture, each pair once, the earlier first."""
    import pandas as pd

    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    firsts: list[Rows] = [np.zeros(0, np.int64)]
    seconds: list[Rows] = [np.zeros(0, np.int64)]
    for rows in np.split(order, starts[1:]):
        if len(rows) > 1:
            first, second = np.triu_indices(1 if len(rows) > MOST_LISTED else len(rows), 1, len(rows))
            firsts.append(rows[first])
            seconds.append(rows[second])
    pairs = pd.DataFrame({"a": np.concatenate(firsts), "b": np.concatenate(seconds)})
    return pairs.assign(kind="exact", similarity=1.0, transform="none")


def _pair_classes(first: Rows, second: Rows, group_a: Rows, group_b: Rows) -> pd.DataFrame:
    """Pair the slices of two pictures, given by number: all with all, or with the first alone where they are many.

    Returns:
        Columns `a`, `b`, and `pair`, the place in `first` and `second`.
    """
    import pandas as pd

    members_a, members_b = _members(group_a), _members(group_b)
    parts = [np.zeros((0, 3), np.int64)]
    for pair, (left, right) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        a, b = members_a[left], members_b[right]
        if len(a) + len(b) <= MOST_LISTED:
            rows = np.stack([np.repeat(a, len(b)), np.tile(b, len(a))], axis=1)
        else:
            whole = [np.stack([np.full(len(b), a[0]), b], axis=1), np.stack([a[1:], np.full(len(a) - 1, b[0])], axis=1)]
            rows = np.concatenate(whole)
        parts.append(np.column_stack([rows, np.full(len(rows), pair)]))
    a_rows, b_rows, pairs = np.concatenate(parts).T
    return pd.DataFrame({"a": a_rows, "b": b_rows, "pair": pairs})


def _members(group: Rows) -> dict[int, Rows]:
    """Return the rows of each picture, in order."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return {int(group[rows[0]]): rows for rows in np.split(order, starts[1:]) if len(rows)}


def _scan_of_all(scan: Rows, group: Rows) -> Rows:
    """Return the scan of each different picture; -1, which is no scan's, where several scans show it."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    if not len(starts):
        return np.zeros(0, np.int64)
    low, high = np.minimum.reduceat(scan[order], starts), np.maximum.reduceat(scan[order], starts)
    return np.where(low == high, low, -1)


def _near(
    prints: Fingerprints, others: Fingerprints | None, progress: Progress | None, scan: Rows | None
) -> pd.DataFrame:
    """Find near twins among different pictures."""
    import pandas as pd

    a = describe(prints)
    b = a if others is None else describe(others)
    sides = (a, b), (prints, prints if others is None else others)
    candidates = find_candidates(a, None if others is None else b, progress, scan=scan)
    found = _verified(candidates, *sides, progress)
    if others is None:
        further = other_scans(_twins_of_twins(found, len(a)), scan)
        found = pd.concat([found, _verified(further, *sides, progress)], ignore_index=True)
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
    """Turn pairs of pictures, numbered among the different ones, into pairs of the slices that show them."""
    first, second = np.unique(group_a)[near["a"]], np.unique(group_b)[near["b"]]
    spread = _pair_classes(first, second, group_a, group_b)
    facts = near[["similarity", "transform"]].iloc[spread["pair"]].reset_index(drop=True)
    return spread[["a", "b"]].assign(kind="near").join(facts)


def _name(pairs: Candidates, row: int, cropped: bool) -> str:
    name = TRANSFORMS[pairs.transform[row]]
    name = inverse(name) if pairs.flipped[row] else name
    return name if not cropped else "crop" if name == "none" else f"{name}+crop"


def _undone(transform: str) -> str:
    plain = transform.removesuffix("+crop")
    return inverse(plain) + transform[len(plain) :]
