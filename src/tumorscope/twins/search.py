"""Twins: copies of one slice, exact or near (resized, recompressed, stretched, mirrored, turned, cropped)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.progress import Progress
from tumorscope.twins.candidates import Candidates, Described, find_candidates
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, CompactPrints, Fingerprints, kept_weights, small_thumbs
from tumorscope.twins.identical import number_pictures, spread, tabulate_slices
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
    prints: Fingerprints,
    others: Fingerprints | None = None,
    progress: Progress | None = None,
    scan: NDArray[np.integer] | None = None,
) -> pd.DataFrame:
    """Find every pair of twins; empty slices have none.

    Of more than `MOST_LISTED` identical slices the first stands for the others: each has its pair with the first, and
    near twins are paired with the first alone (across two sets, with each of them).

    Args:
        prints: the slices.
        others: where their twins are sought; None for among themselves.
        progress: told how many comparisons are done.
        scan: int ``(n,)``, the scan that each of `prints` is of, where they are searched among themselves: slices of
            one scan are never compared. None where each is a scan of its own.

    Returns:
        Columns `a` (row in `prints`), `b` (row in `others`, or in `prints` with ``a < b``), `kind` ('exact': same
        decoded gray levels and size; 'near'), `similarity` (1 for exact) and `transform`, which makes `b` from `a`:
        one of `TRANSFORMS`, or with a crop, of either, 'crop' or 'mirror+crop' and the like.
    """
    import pandas as pd

    a, b = _slices(prints, others, scan)
    near = _near(a, b, prints, others, progress)
    both = np.intersect1d(a["picture"], b["picture"])
    same = pd.DataFrame({"picture_a": both, "picture_b": both})
    exact = spread(same, a, b, reach_all=True).assign(kind="exact", similarity=1.0, transform="none")
    spread_near = spread(near, a, b, reach_all=others is not None).assign(kind="near")
    frame = pd.concat([exact, spread_near], ignore_index=True)[["a", "b", "kind", "similarity", "transform"]]
    if others is None:
        turned = frame["a"] > frame["b"]
        frame.loc[turned, "transform"] = [_undone(name) for name in frame.loc[turned, "transform"]]
        frame.loc[turned, ["a", "b"]] = frame.loc[turned, ["b", "a"]].to_numpy()
    frame = frame.drop_duplicates(["a", "b"])  # exact twins stand first, and are found as near ones too
    return frame.sort_values(["a", "b"]).reset_index(drop=True)


def find_compact_twins(prints: Fingerprints, compact: CompactPrints) -> NDArray[np.bool_]:
    """Say which of `prints` have a twin, exact or near, among `compact`: bool ``(n,)``; an empty slice has none."""
    known = {digest.tobytes() for digest in compact.digests}
    exact = np.array([digest[:COMPACT_DIGEST_BYTES].tobytes() in known for digest in prints.digests], bool)
    return (exact & ~prints.empty) | (nearest_known(prints, compact.heads, COMPACT_LAYERS) >= 0)


def nearest_known(prints: Fingerprints, heads: NDArray[np.float32], layers: Layers = KNOWN_LAYERS) -> Rows:
    """Return for each of `prints` the row of its most similar twin among stored spectra of heads, -1 for none."""
    known = np.full(len(prints), -1, np.int64)
    shown = np.flatnonzero(~prints.empty)
    _, first, picture = np.unique(number_pictures(prints.digests[shown]), return_index=True, return_inverse=True)
    known[shown] = _nearest(prints.take(shown[first]), heads, layers)[picture]
    return known


def _nearest(prints: Fingerprints, heads: NDArray[np.float32], layers: Layers) -> Rows:
    """Return the same for different pictures."""
    own = Described(spectra(prints.heads), None, prints.touching)
    stored = Described(heads, None, np.zeros(len(heads), bool))
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


def _slices(
    prints: Fingerprints, others: Fingerprints | None, scan: NDArray[np.integer] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tabulate the slices of both sides that show something, their pictures numbered together."""
    second = prints if others is None else others
    picture = number_pictures(np.concatenate([prints.digests, second.digests]))
    own_scan = np.arange(len(prints)) if scan is None else scan.astype(np.int64)
    a = _shown(prints, picture[: len(prints)], own_scan)
    return a, a if others is None else _shown(others, picture[len(prints) :], -1 - np.arange(len(others)))


def _shown(prints: Fingerprints, picture: Rows, scan: Rows) -> pd.DataFrame:
    rows = np.flatnonzero(~prints.empty)
    return tabulate_slices(picture[rows], rows, scan[rows])


def _near(
    slices_a: pd.DataFrame,
    slices_b: pd.DataFrame,
    prints: Fingerprints,
    others: Fingerprints | None,
    progress: Progress | None,
) -> pd.DataFrame:
    """Find near twins among different pictures, named by their numbers."""
    import pandas as pd

    first_a, first_b = (slices.drop_duplicates("picture").sort_values("picture") for slices in (slices_a, slices_b))
    prints_a = prints.take(first_a["row"])
    a = replace(describe(prints_a), scan=_scans(slices_a, first_a))
    prints_b, b = (prints_a, a) if others is None else _described(others.take(first_b["row"]))
    sides = (a, b), (prints_a, prints_b)
    found = _verified(find_candidates(a, None if others is None else b, progress), *sides, progress)
    if others is None:
        found = pd.concat([found, _verified(_twins_of_twins(found, a), *sides, progress)], ignore_index=True)
    picture_a, picture_b = first_a["picture"].to_numpy(), first_b["picture"].to_numpy()
    return found.assign(picture_a=picture_a[found["a"]], picture_b=picture_b[found["b"]]).drop(columns=["a", "b"])


def _described(prints: Fingerprints) -> tuple[Fingerprints, Described]:
    return prints, describe(prints)


def _scans(slices: pd.DataFrame, first: pd.DataFrame) -> Rows:
    """Return the scan of each picture; one that several scans show gets a number of its own."""
    several = slices.groupby("picture")["scan"].nunique().reindex(first["picture"]).to_numpy() > 1
    return np.where(several, -1 - np.arange(len(first)), first["scan"].to_numpy(np.int64))


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


def _twins_of_twins(found: pd.DataFrame, described: Described) -> Candidates:
    """Return pairs not yet found that share a twin: in a large group not every pair is among a slice's best."""
    import pandas as pd

    plain = found["transform"].str.removesuffix("+crop").replace("crop", "none")
    there = pd.DataFrame({"middle": found["a"], "end": found["b"], "step": plain})
    back = pd.DataFrame({"middle": found["b"], "end": found["a"], "step": plain.map(inverse)})
    arms = pd.concat([there, back], ignore_index=True)
    arms = arms[arms.groupby("middle")["end"].transform("size") <= MOST_TWINS]
    both = arms.merge(arms, on="middle", suffixes=("_a", "_b"))
    both = both[both["end_a"] < both["end_b"]].drop_duplicates(["end_a", "end_b"])
    count, scan = len(described), described.scan
    if scan is not None:
        both = both[scan[both["end_a"].to_numpy(np.int64)] != scan[both["end_b"].to_numpy(np.int64)]]
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


def _name(pairs: Candidates, row: int, cropped: bool) -> str:
    name = TRANSFORMS[pairs.transform[row]]
    name = inverse(name) if pairs.flipped[row] else name
    return name if not cropped else "crop" if name == "none" else f"{name}+crop"


def _undone(transform: str) -> str:
    plain = transform.removesuffix("+crop")
    return inverse(plain) + transform[len(plain) :]
