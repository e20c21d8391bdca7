"""Random changes of a training slice, as MRI scanners, protocols and exports make them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.training.recipe import AugmentRecipe

Image = NDArray[np.float32]
BIAS_GRID = 3
"""A coil's field is smooth: so many control points a side describe it."""
JPEG_QUALITY = (30, 95)
"""From the lowest that web pages use to what scanners' exports use."""


def augment(
    image: NDArray[np.uint8], mask: NDArray[np.uint8] | None, recipe: AugmentRecipe, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Change a model input at random, and its mask with it.

    Args:
        image: uint8 ``(side, side, channels)``.
        mask: uint8 ``(side, side)`` or None.
        recipe: how much of what.
        rng: decides; the same state gives the same picture.

    Returns:
        The same shapes and types.
    """
    matrix = _affine(image.shape[0], recipe, rng)
    moved = _warp(image, matrix)
    moved_mask = None if mask is None else _warp(mask, matrix).reshape(mask.shape)
    planes = [_intensity(moved[..., i], recipe, rng) for i in range(moved.shape[-1])]
    return np.dstack(planes), moved_mask


def _affine(side: int, recipe: AugmentRecipe, rng: np.random.Generator) -> Image:
    angle = rng.uniform(-recipe.degrees, recipe.degrees)
    zoom = np.exp(rng.uniform(-1, 1) * np.log1p(recipe.scale))
    center = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((center, center), angle, zoom)
    matrix[0, 2] += rng.uniform(-recipe.translate, recipe.translate) * side
    matrix[1, 2] += rng.uniform(-recipe.translate, recipe.translate) * side
    if rng.random() < recipe.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    if rng.random() < recipe.upside_down:
        matrix[1] = -matrix[1]
        matrix[1, 2] += side - 1
    return np.asarray(matrix, np.float32)


def _warp(image: NDArray[np.uint8], matrix: Image) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    warped = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return warped.reshape(image.shape).astype(np.uint8, copy=False)


def _intensity(plane: NDArray[np.uint8], recipe: AugmentRecipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    values = plane.astype(np.float32) / 255.0
    if recipe.blur and rng.random() < 0.3:
        values = _lose_resolution(values, 1 + rng.uniform(0, recipe.blur))
    values = values ** np.float32(np.exp(rng.uniform(-recipe.gamma, recipe.gamma)))
    mean = values.mean()
    values = (values - mean) * np.float32(1 + rng.uniform(-recipe.contrast, recipe.contrast)) + mean
    # A shift of the background would never be seen in MRI: brightness scales what is there.
    values *= np.float32(1 + rng.uniform(-recipe.brightness, recipe.brightness))
    if recipe.bias_field and rng.random() < 0.5:
        values *= _bias_field(plane.shape, recipe.bias_field, rng)
    if recipe.noise:
        deviation = rng.uniform(0, recipe.noise)
        values += np.float32(deviation) * rng.standard_normal(plane.shape, dtype=np.float32)
    whole = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return _recompress(whole, rng) if rng.random() < recipe.jpeg else whole


def _recompress(plane: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Leave the traces of JPEG, which some sources have and others lack: they must not tell a network the source."""
    _, data = cv2.imencode(".jpg", plane, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*JPEG_QUALITY))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _lose_resolution(values: Image, factor: float) -> Image:
    height, width = values.shape
    small = cv2.resize(
        values, (max(8, round(width / factor)), max(8, round(height / factor))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _bias_field(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> Image:
    points = rng.uniform(-strength, strength, (BIAS_GRID, BIAS_GRID)).astype(np.float32)
    return np.exp(np.asarray(cv2.resize(points, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32))
