"""The numbers that need no training: what one slice shows, and what the project has measured and committed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.phantom import SEQUENCES, PhantomSlice, draw_phantom
from tumorscope.preprocess import Spec, preprocess

ROOT = Path(__file__).resolve().parents[2]
RESULTS, SCANS = ROOT / "benchmarks" / "results", ROOT / "examples" / "scans"
SEED, SIDE = 11, 128
PATCH, PATCH_AT = 7, (70, 84)
"""Side and place (row, column) of the patch of pixels that is shown as numbers."""
KERNEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
"""Sobel's filter for upright edges."""
CONV_AT = (3, 2)
"""Row and column, in the patch, of the middle of the window that is worked out."""
BRIGHT = 4095
HEATMAP_SCANS = ("mni152_axial_92_ring_painted", "mni152_coronal_120_mass_painted", "mni152_axial_92", "phantom_glioma")


@cache
def slices() -> tuple[PhantomSlice, ...]:
    """Return the first patients of the phantom: one of each class, three sequences each."""
    return tuple(draw_phantom(12, seed=SEED, side=SIDE))


def slice_of(label: str, sequence: str) -> PhantomSlice:
    """Return the slice of a class in a sequence."""
    return next(drawn for drawn in slices() if (drawn.label, drawn.sequence) == (label, sequence))


def patch() -> NDArray[np.uint8]:
    """Return the patch of pixels that is shown as numbers."""
    row, column = PATCH_AT
    return slice_of("glioma", SEQUENCES[0]).image[row : row + PATCH, column : column + PATCH]


def twelve_bits() -> NDArray[np.float32]:
    """Return a slice in the range of a scanner, with a few far too bright pixels, as vessels and metal make them."""
    plane = slice_of("glioma", "T1ce").image.astype(np.float32) * 4
    plane[70:73, 92:95] = BRIGHT
    return plane


def windowed() -> dict[str, NDArray[np.uint8]]:
    """Return that slice as darkest-to-brightest and as the percentile window makes it, uint8."""
    plane = twelve_bits()
    specs = {"minmax": Spec(side=SIDE, crop=False, window="minmax"), "window": Spec(side=SIDE, crop=False)}
    return {name: preprocess(plane, spec)[..., 0] for name, spec in specs.items()}


def measured() -> dict[str, Any]:
    """Return every number that is worked out in a moment: from the phantom, the examples and committed results."""
    return {
        "matrix": _matrix(),
        "window": _windows(),
        "convolution": _convolution(),
        "project": _project(),
    }


def heatmaps() -> dict[str, Any]:
    """Return what the shipped model says of the example scans that are shown, and which model that is."""
    from tumorscope.inference import load

    findings = load().predict([SCANS / f"{name}.png" for name in HEATMAP_SCANS])
    said = [round(float(finding.tumor_probability or 0), 3) for finding in findings]
    return {"model": findings[0].model.sha256, "tumor": dict(zip(HEATMAP_SCANS, said, strict=True))}


def released_model() -> str:
    """Return the SHA-256 of the model whose figures are committed."""
    return str(_read("shipped_model")["model"]["sha256"])


def _matrix() -> dict[str, Any]:
    image = slice_of("glioma", SEQUENCES[0]).image
    return {"side": SIDE, "pixels": image.size, "darkest": int(image.min()), "brightest": int(image.max())}


def _windows() -> dict[str, Any]:
    plane = twelve_bits()
    low, high = np.percentile(plane, (0.5, 99.5))
    head = plane > 60
    spans = {name: np.percentile(image[head], (5, 95)) for name, image in windowed().items()}
    return {
        "brightest": int(plane.max()),
        "low": round(float(low)),
        "high": round(float(high)),
        "grays_minmax": round(float(np.ptp(spans["minmax"]))),
        "grays_window": round(float(np.ptp(spans["window"]))),
    }


def _convolution() -> dict[str, Any]:
    row, column = CONV_AT
    window = patch()[row - 1 : row + 2, column - 1 : column + 2].astype(int)
    terms = (window * KERNEL.astype(int)).ravel().tolist()
    edges = cv2.filter2D(patch().astype(np.float32), -1, KERNEL)
    return {
        "window": window.tolist(),
        "kernel": KERNEL.astype(int).tolist(),
        "terms": terms,
        "sum": int(edges[row, column]),
    }


def _project() -> dict[str, Any]:
    """Gather what the project measured on public sets."""
    audit, quick, fold, standing = (_read(name) for name in ("audit", "quick", "cheng_fold5", "standing"))
    shipped = _read("shipped_model")["figures"]
    found, outside = audit["found"], shipped["navoneel_253, never shown"]
    chosen = ("auc", "sensitivity", "specificity", "sensitivity_at_95_specificity")
    lgg, brats = shipped["lgg_kaggle_3m, test part, FLAIR"], shipped["brats_slices, test part"]
    return {
        "images": found["images"],
        "leaks": {key: found["leaks"][key] for key in ("test_images", "exact", "near", "group")},
        "published": {
            "copying": _plain(quick["copy_baseline"]),
            "network": _plain(quick["figures"]["full"]["accuracy"]),
            "file": _plain(quick["source_probe"]),
        },
        "apart": {
            "copying": _plain(standing["sets"]["cheng_3064"]["copy_baseline"]),
            "network": _plain(fold["figures"]["accuracy"]),
        },
        "outside": {key: outside[key] for key in chosen},
        "pointing": {"lgg": lgg["pointing"], "brats": brats["pointing"]},
    }


def _plain(figure: dict[str, Any]) -> dict[str, Any]:
    """Return a figure under the keys of every other one; floors name their value `accuracy`."""
    return {"value": figure.get("value", figure.get("accuracy")), "n": figure["n"], "interval": figure["interval"]}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found
