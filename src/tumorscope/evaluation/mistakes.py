"""The worst mistakes, and some right calls, as pictures: what the model saw, and where it looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog import Catalog
from tumorscope.evaluation.pointing import peak, tumor_heatmap
from tumorscope.evaluation.reading import Subject, read_one
from tumorscope.model_file import NOTUMOR
from tumorscope.preprocess import Plane, place

if TYPE_CHECKING:
    import pandas as pd

MOST = 12
EXAMPLES = 2
SIDE = 240
QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """One slice of the report.

    Attributes:
        path: its file, relative to its data set.
        dataset: the data set's name.
        label: what it is.
        called: what the model called it.
        probability: of what it was called; of any tumor where the label names no kind.
        plain: the slice as JPEG.
        overlay: the slice with the tumor heatmap over it, as JPEG; the mask's outline is drawn where it is known. None
            of a model without heatmaps.
    """

    path: str
    dataset: str
    label: str
    called: str
    probability: float
    plain: bytes
    overlay: bytes | None


def worst_mistakes(model: Subject, catalog: Catalog, findings: pd.DataFrame, most: int = MOST) -> list[Picture]:
    """Picture the mistakes that the model was surest of, one of each cluster as long as there are enough.

    Args:
        model: a loaded one.
        catalog: tells where files and masks are.
        findings: one row a slice, with the catalog's columns and `right`, `called`, `certainty`.
        most: how many.
    """
    wrong = findings[~findings["right"].astype(bool)].sort_values("certainty", ascending=False, kind="stable")
    first = wrong[~wrong.duplicated("cluster")]
    chosen = first if len(first) >= most else wrong
    return [_picture(model, catalog, row) for row in chosen.head(most).itertuples(index=False)]


def right_examples(model: Subject, catalog: Catalog, findings: pd.DataFrame, seed: int) -> list[Picture]:
    """Picture right calls of each tumor class, drawn at random, those with an outlined tumor first.

    Args:
        model: a loaded one.
        catalog: tells where files and masks are.
        findings: as for `worst_mistakes`.
        seed: of the drawing.
    """
    right = findings[findings["right"].astype(bool) & (findings["called"] != NOTUMOR)]
    drawn = right.sample(frac=1, random_state=seed)
    drawn = drawn.assign(bare=drawn["mask"] == "").sort_values("bare", kind="stable").drop_duplicates("cluster")
    chosen = drawn.groupby("called", sort=True).head(EXAMPLES).sort_values("called", kind="stable")
    return [_picture(model, catalog, row) for row in chosen.itertuples(index=False)]


def _picture(model: Subject, catalog: Catalog, row: Any) -> Picture:
    pixels, mask = read_one(catalog, row, model.card.spec.channels)
    out = model.predict_slices([pixels])
    gray = pixels if pixels.ndim == 2 else pixels[..., 1]
    plain, facts = _levels(gray), (row.path, row.dataset, row.label, row.called, float(row.certainty))
    if out.heatmap is None:
        return Picture(*facts, _jpeg(plain), None)
    heatmap = tumor_heatmap(out.heatmap[0], out.probabilities[0], model.card.classes)
    overlay = _overlaid(plain, np.asarray(heatmap, np.float32), place(pixels, model.card.spec), mask)
    return Picture(*facts, _jpeg(plain), _jpeg(overlay))


def _levels(gray: Plane) -> NDArray[np.uint8]:
    low, high = np.percentile(gray, (0.5, 99.7))
    scaled = np.clip((gray - low) / max(float(high - low), 1e-6), 0, 1) * 255
    return np.repeat(np.asarray(scaled, np.uint8)[..., None], 3, axis=2)


def _overlaid(
    plain: NDArray[np.uint8], heatmap: Plane, placement: Any, mask: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    shape = (plain.shape[0], plain.shape[1])
    positive = np.maximum(heatmap, 0)
    strength = placement.to_slice(positive / max(float(positive.max()), 1e-6), shape)
    colors = cv2.applyColorMap((strength * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    weight = (0.65 * np.clip(strength, 0, 1))[..., None]
    out = np.asarray(plain * (1 - weight) + colors * weight, np.uint8)
    if mask is not None and mask.any():
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, outlines, -1, (120, 230, 120), max(1, min(shape) // 200))
    row, column = peak(heatmap, placement, shape)
    size = max(6, min(shape) // 24)
    cv2.drawMarker(out, (column, row), (255, 255, 255), cv2.MARKER_CROSS, size, max(1, min(shape) // 200))
    return out


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = resized
    return bytes(cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
