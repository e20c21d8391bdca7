"""Draw the example scans: slices of the MNI152 template with and without a painted lesion, and some of the phantom.

usage: python tools/make_examples.py [OUT]      (default: examples/scans)

The template (ICBM 152, 2009a, nonlinear, T1) comes inside the nilearn wheel; its notice lies beside the pictures.
The lesions are painted: they show what a finding looks like and say nothing of how well a model reads patients.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from nilearn.datasets import load_mni152_template
from numpy.typing import NDArray

from tumorscope.catalog.phantom import draw_phantom

OUT = Path(__file__).resolve().parent.parent / "examples" / "scans"
SIDE = 256
Plane = NDArray[np.float32]

TEMPLATE_NOTICE = """\
The pictures named mni152_* are slices of the ICBM 152 template (2009a, nonlinear), resized, with painted
lesions where the name says so.

Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill
University. Permission to use, copy, modify, and distribute this software and its documentation for any purpose and
without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors and McGill
University make no representations about the suitability of this software for any purpose. It is provided "as is"
without express or implied warranty. The authors are not responsible for any data loss, equipment damage, property loss,
or injury to subjects or patients resulting from the use or misuse of this software package.

The pictures named phantom_* are drawn by tumorscope itself (Apache-2.0).
"""

SLICES = {"axial_92": (2, 92), "axial_108": (2, 108), "coronal_120": (1, 120), "sagittal_70": (0, 70)}
"""Name, axis and position, in voxels of 1 mm."""
LESIONS = {
    "axial_92_ring": ("axial_92", 0.42, 0.60, 0.075, "ring"),
    "axial_108_mass": ("axial_108", 0.33, 0.41, 0.06, "solid"),
    "coronal_120_mass": ("coronal_120", 0.40, 0.62, 0.065, "solid"),
}
"""Name, slice, row, column and radius (shares of the side), kind."""


def main() -> None:
    """Write every picture."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.mkdir(parents=True, exist_ok=True)
    template = np.asarray(load_mni152_template(resolution=1).get_fdata(), np.float32)
    planes = {name: cut(template, axis, position) for name, (axis, position) in SLICES.items()}
    for name, plane in planes.items():
        write(out / f"mni152_{name}.png", plane)
    for name, (base, row, column, radius, kind) in LESIONS.items():
        write(out / f"mni152_{name}_painted.png", paint(planes[base], (row, column), radius, kind))
    for drawn in list(draw_phantom(12, seed=11, side=SIDE))[::3]:
        write(out / f"phantom_{drawn.label}.png", drawn.image.astype(np.float32))
    (out / "LICENSE.txt").write_text(TEMPLATE_NOTICE, encoding="utf-8")


def cut(volume: Plane, axis: int, position: int) -> Plane:
    """Cut one slice, nose or crown up, letterboxed to 256 pixels, 0 to 255."""
    plane = np.rot90(np.take(volume, position, axis=axis))
    plane = np.clip(plane / np.percentile(plane, 99.7), 0, 1) * 165
    scale = 0.86 * SIDE / max(plane.shape)
    size = (round(plane.shape[1] * scale), round(plane.shape[0] * scale))
    small = cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_CUBIC)
    out = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = np.clip(small, 0, 255)
    return out


def paint(plane: Plane, center: tuple[float, float], radius: float, kind: str) -> Plane:
    """Paint a lesion: a bright rim around a dark core with a swelling, or an even bright mass."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j].astype(np.float32)
    angle = np.arctan2(y - center[0], x - center[1])
    wobble = sum(np.sin(k * angle + rng.uniform(0, 6)) / k for k in (2, 3, 5)) * 0.09 * radius
    away = np.hypot(y - center[0], x - center[1]) + wobble
    texture = np.asarray(
        cv2.GaussianBlur(rng.normal(0, 1, plane.shape).astype(np.float32), (0, 0), 2.0) * 16, np.float32
    )
    out = plane.copy()
    brain = soft(plane, 12, 30)
    if kind == "ring":
        out = mix(out, 0.6 * plane + 8, brain * (1 - soft(away, 1.25 * radius, 1.7 * radius)))
        out = mix(out, 222 + texture, brain * (1 - soft(away, 0.92 * radius, 1.05 * radius)))
        out = mix(out, 48 + texture, 1 - soft(away, 0.58 * radius, 0.74 * radius))
    else:
        out = mix(out, 0.75 * plane, brain * (1 - soft(away, 1.1 * radius, 1.45 * radius)))
        out = mix(out, 220 + texture, brain * (1 - soft(away, 0.92 * radius, 1.08 * radius)))
    return np.clip(out, 0, 255)


def soft(values: Plane, low: float, high: float) -> Plane:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def mix(below: Plane, above: Plane | float, share: Plane) -> Plane:
    """Lay one picture over another."""
    return np.asarray(below * (1 - share) + above * share, np.float32)


def write(path: Path, plane: Plane) -> None:
    """Write a gray PNG."""
    path.write_bytes(cv2.imencode(".png", np.rint(plane).astype(np.uint8))[1].tobytes())


if __name__ == "__main__":
    main()
