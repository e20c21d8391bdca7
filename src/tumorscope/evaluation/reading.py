"""The slices of a catalog as pixels, and what a model puts out for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import Catalog
from tumorscope.catalog.slices import SliceRead, SliceRow, map_slices, mask_files, read_rows, slice_rows
from tumorscope.evaluation.pointing import points_inside, tumor_heatmap
from tumorscope.preprocess import Plane, is_empty, place
from tumorscope.progress import Progress
from tumorscope.tasks.threads import chunks_of
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.fingerprints import Fingerprints

if TYPE_CHECKING:
    from tumorscope.model_file import Card

BATCH = 64


class BatchOutputs(Protocol):
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

    def predict_slices(self, planes: Sequence[Plane]) -> BatchOutputs:
        """Answer slices that are in memory."""
        ...


@dataclass(frozen=True)
class ModelOutputs:
    """What a model puts out for n slices.

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


def run_model(model: Subject, catalog: Catalog, table: pd.DataFrame, progress: Progress | None = None) -> ModelOutputs:
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
    rows = slice_rows(table, mask_files(table, catalog.roots))
    slices = map_slices(rows, lambda read: read, channels=model.card.spec.channels, masks=True)
    for batch in chunks_of(slices, BATCH):
        out = model.predict_slices([read.pixels for read in batch])
        probabilities.append(np.asarray(out.probabilities, np.float64))
        outlier.append(np.full(len(batch), np.nan) if out.outlier is None else np.asarray(out.outlier, np.float64))
        sides += [place(read.pixels, model.card.spec).pixels for read in batch]
        empty += [is_empty(read.pixels) for read in batch]
        hits += [_hit(model, read, out, number) for number, read in enumerate(batch)]
        if progress:
            progress("predicting", len(hits), len(table))
    classes = len(model.card.classes)
    return ModelOutputs(
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
    prints = []
    for made in map_slices(slice_rows(catalog.table), lambda read: fingerprint(read.pixels)):
        prints.append(made)
        if progress and (len(prints) % BATCH == 0 or len(prints) == len(catalog.table)):
            progress("fingerprints", len(prints), len(catalog.table))
    return replace(catalog, prints=Fingerprints.of(prints))


def read_one(catalog: Catalog, row: Any, channels: Literal["gray", "lgg"]) -> tuple[Plane, NDArray[np.bool_] | None]:
    """Read the slice of one row of a catalog's table, and its mask where it has one."""
    mask = str(catalog.roots[row.dataset] / row.mask) if row.mask else ""
    index, channel = (None if pd.isna(number) else int(number) for number in (row.slice, row.channel))
    (read,) = read_rows([SliceRow(row.file, index or 0, channel, mask)], channels=channels, masks=True)
    return read.pixels, read.mask


def _hit(model: Subject, read: SliceRead, out: BatchOutputs, number: int) -> float:
    if out.heatmap is None or read.mask is None or not read.mask.any():
        return float("nan")
    heatmap = tumor_heatmap(out.heatmap[number], out.probabilities[number], model.card.classes)
    return float(points_inside(heatmap, read.mask, place(read.pixels, model.card.spec)))
