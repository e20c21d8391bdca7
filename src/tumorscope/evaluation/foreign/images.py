"""Slices as a model that is not ours takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.evaluation.foreign.description import InputDescription
from tumorscope.preprocess import Plane, place, preprocess

WHITE = 255.0


def make_batch(planes: Sequence[Plane], wanted: InputDescription) -> NDArray[Any]:
    """Bring slices to a model's input: ``(n, *wanted.shape)`` of `wanted.dtype`.

    Args:
        planes: ``(height, width)`` each, or with three channels where `wanted.color` is 'sequences'; 0 to 255 as
            pictures are read, other scales are brought to it.
        wanted: what the model takes.
    """
    if not planes:
        return np.zeros((0, *wanted.shape), wanted.dtype)
    batch = np.stack([_image(plane, wanted) for plane in planes])
    batch = _scaled(batch, wanted)
    if wanted.dtype == "uint8":
        batch = np.rint(batch)
    ordered = batch.transpose(0, 3, 1, 2) if wanted.layout == "NCHW" else batch
    return np.ascontiguousarray(ordered, np.dtype(wanted.dtype))


def _image(plane: Plane, wanted: InputDescription) -> NDArray[np.float32]:
    """Return ``(side, side, depth)``, 0 to 255."""
    spec = wanted.spec
    if wanted.window is not None:
        image = preprocess(plane, spec).astype(np.float32)
    else:
        image = place(plane, spec).to_input(_to_8_bits(plane)).reshape(spec.side, spec.side, spec.depth)
    return np.repeat(image, wanted.depth // spec.depth, axis=2)


def _to_8_bits(plane: Plane) -> Plane:
    low, high = float(plane.min()), float(plane.max())
    if low >= 0 and high <= WHITE:
        return np.asarray(plane, np.float32)
    return np.asarray((plane - low) * (WHITE / (high - low)), np.float32)


def _scaled(images: NDArray[np.float32], wanted: InputDescription) -> NDArray[np.float32]:
    if wanted.scale == "0-255":
        return np.clip(images, 0, WHITE)
    unit = np.clip(images / WHITE, 0, 1)
    if wanted.scale == "0-1":
        return unit
    return np.asarray((unit - np.array(wanted.mean, np.float32)) / np.array(wanted.std, np.float32), np.float32)
