"""Slices as a model that is not ours takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.evaluation.foreign.description import InputDescription
from tumorscope.preprocess import Plane, preprocess

WHITE = 255.0


def make_batch(planes: Sequence[Plane], wanted: InputDescription) -> NDArray[Any]:
    """Bring slices to a model's input: ``(n, *wanted.shape)`` of `wanted.dtype`.

    Args:
        planes: ``(height, width)`` each, or with three channels where `wanted.color` is 'sequences'; values that 8 bits
            cannot hold are brought to 0 to 255.
        wanted: what the model takes.
    """
    if not planes:
        return np.zeros((0, *wanted.shape), wanted.dtype)
    images = np.stack([preprocess(plane, wanted.spec) for plane in planes]).astype(np.float32)
    batch = _scaled(np.repeat(images, wanted.depth // wanted.spec.depth, axis=3), wanted)
    ordered = batch.transpose(0, 3, 1, 2) if wanted.layout == "NCHW" else batch
    return np.ascontiguousarray(ordered, np.dtype(wanted.dtype))


def _scaled(images: NDArray[np.float32], wanted: InputDescription) -> NDArray[np.float32]:
    if wanted.scale == "0-255":
        return images
    unit = images / WHITE
    if wanted.scale == "0-1":
        return unit
    return np.asarray((unit - np.array(wanted.mean, np.float32)) / np.array(wanted.std, np.float32), np.float32)
