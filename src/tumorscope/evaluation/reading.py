"""The slices of a catalog as pixels, and what a model answers on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog import Catalog
from tumorscope.evaluation.pointing import points_inside, tumor_heatmap
from tumorscope.preprocess import Plane, Spec, is_empty, place
from tumorscope.progress import Progress
from tumorscope.scans import read_scan
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.fingerprints import Fingerprints

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.model_file import Card

T = TypeVar("T")
BATCH = 64
THREADS = 2


class Said(Protocol):
    """Probabilities ``(n, classes)`` of n slices, heatmaps ``(n, classes, h, w)`` and distances ``(n,)``, or None."""

    @property
    def probabilities(self) -> NDArray[Any]: ...  # noqa: D102

    @property
    def heatmap(self) -> NDArray[Any] | None: ...  # noqa: D102

    @property
    def outlier(self) -> NDArray[Any] | None: ...  # noqa: D102


class SubjectFile(Protocol):
    """Where a model lies, its hash, and the packed fingerprints of what it was trained on ('' for none)."""

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def sha256(self) -> str: ...  # noqa: D102

    @property
    def prints(self) -> str: ...  # noqa: D102


class Subject(Protocol):
    """What an evaluation asks of a model, ours or not."""

    @property
    def card(self) -> Card: ...  # noqa: D102

    @property
    def file(self) -> SubjectFile: ...  # noqa: D102

    def predict_slices(self, planes: Sequence[Plane]) -> Said:
        """Answer slices that are in memory."""
        ...


@dataclass(frozen=True)
class Answers:
    """What a model says of n slices.

    Attributes:
        probabilities: ``(n, classes)``.
        outlier: ``(n,)``, NaN of a model that tells no distance.
        pixels: ``(n,)``: the smaller side of the head, in pixels of the slice.
        is_empty: bool ``(n,)``: whether the slice has a single gray level.
        pointing: ``(n,)``: 1 where the heatmap's peak lies in the mask, 0 where not, NaN where no tumor is outlined.
    """

    probabilities: NDArray[np.float64]
    outlier: NDArray[np.float64]
    pixels: NDArray[np.float64]
    is_empty: NDArray[np.bool_]
    pointing: NDArray[np.float64]


def answer(model: Subject, catalog: Catalog, table: pd.DataFrame, progress: Progress | None = None) -> Answers:
    """Run a model over rows of a catalog.

    Args:
        model: a loaded one.
        catalog: tells the folders that mask paths are relative to.
        table: the rows.
        progress: told how far it is.

    Raises:
        ScanError: a file went away or was damaged since the catalog was made.
    """
    probabilities, outlier, sides, empty, hits = [], [], list[int](), list[bool](), list[float]()
    for pixels, rows in _batches(table, lambda row: read_row(row, model.card.spec)):
        out = model.predict_slices(pixels)
        probabilities.append(np.asarray(out.probabilities, np.float64))
        outlier.append(np.full(len(rows), np.nan) if out.outlier is None else np.asarray(out.outlier, np.float64))
        sides += [place(plane, model.card.spec).pixels for plane in pixels]
        empty += [is_empty(plane) for plane in pixels]
        hits += [_hit(model, catalog, row, pixels[i], out, i) for i, row in enumerate(rows)]
        if progress:
            progress("predicting", len(hits), len(table))
    classes = len(model.card.classes)
    return Answers(
        np.concatenate(probabilities) if probabilities else np.zeros((0, classes)),
        np.concatenate(outlier) if outlier else np.zeros(0),
        np.array(sides, np.float64),
        np.array(empty, np.bool_),
        np.array(hits, np.float64),
    )


def with_prints(catalog: Catalog, progress: Progress | None = None) -> Catalog:
    """Return a catalog that was read from disk with the fingerprints of its slices.

    Raises:
        ScanError: a file went away or was damaged since the catalog was made.
    """
    if catalog.prints is not None:
        return catalog
    gray, prints = Spec(channels="gray"), []
    for batch, _ in _batches(catalog.table, lambda row: fingerprint(read_row(row, gray))):
        prints += batch
        if progress:
            progress("fingerprints", len(prints), len(catalog.table))
    return replace(catalog, prints=Fingerprints.of(prints))


def read_row(row: Any, spec: Spec) -> Plane:
    """Read the slice of one catalog row as a model of `spec` takes it: ``(height, width)`` or with three channels."""
    import pandas as pd

    scan = read_scan(row.file)
    if spec.channels == "lgg":
        return scan.pixels[0] if scan.has_sequences else np.repeat(scan.pixels[0][..., None], 3, axis=-1)
    return scan.gray(0, None if pd.isna(row.channel) else int(row.channel))


def read_mask(catalog: Catalog, row: Any, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Read the tumor mask of one row at the size of its slice; None where there is none."""
    if not row.mask:
        return None
    drawn = read_scan(Path(catalog.roots[row.dataset]) / row.mask).gray()
    return np.asarray(cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _batches(table: pd.DataFrame, read: Callable[[Any], T]) -> Iterator[tuple[list[T], list[Any]]]:
    rows = [*table[["file", "channel", "mask", "dataset"]].astype(object).itertuples(index=False)]
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            yield list(pool.map(read, batch)), batch


def _hit(model: Subject, catalog: Catalog, row: Any, pixels: Plane, out: Said, number: int) -> float:
    if out.heatmap is None:
        return float("nan")
    mask = read_mask(catalog, row, (pixels.shape[0], pixels.shape[1]))
    if mask is None or not mask.any():
        return float("nan")
    heatmap = tumor_heatmap(out.heatmap[number], out.probabilities[number], model.card.classes)
    return float(points_inside(heatmap, mask, place(pixels, model.card.spec)))
