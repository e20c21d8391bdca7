"""Slice -> model input. The only code that does so: training, serving and tests all call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

Plane = NDArray[np.float32]
Window = tuple[float, float] | Literal["minmax", "none"]
FOREGROUND_SHARE = 0.12
"""A pixel belongs to the head above this share of the slice's bright level (see below)."""
MOST_COUNTED = 2**24
"""Pixels that OpenCV's histogram, whose counts are float32, counts right."""
BACKGROUND_AND_BRIGHT = (1, 98)
"""Percentiles of a slice that are its darkest and its bright level."""
CROP_MARGIN = 0.02


class Spec(BaseModel):
    """How a slice becomes a model's input; stands in the card, so that a model always gets what it was trained on.

    Attributes:
        side: height and width of the input, in pixels.
        crop: cut away the empty border around the head.
        fit: 'letterbox' keeps the aspect and pads with black; 'stretch' does not.
        window: the two percentiles (of the pixels inside the crop) that become black and white; 'minmax' is the
            darkest and the brightest pixel; 'none' takes 8-bit values as they are (a slice with values that 8 bits
            cannot hold gets 'minmax').
        channels: 'gray' for one plane, 'lgg' for pre-contrast T1, FLAIR and post-contrast T1 together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int = Field(160, ge=32, le=1024)
    crop: bool = True
    fit: Literal["letterbox", "stretch"] = "letterbox"
    window: Window = (0.5, 99.5)
    channels: Literal["gray", "lgg"] = "gray"

    @field_validator("window", mode="before")
    @classmethod
    def _is_window(cls, value: Any) -> Any:
        if value in ("minmax", "none"):
            return value
        try:
            low, high = (float(edge) for edge in value)
        except (TypeError, ValueError):
            low, high = 0.0, 0.0
        if not 0 <= low < high <= 100:
            raise ValueError(f"window is two rising percentiles such as [0.5, 99.5], minmax or none, not {value!r}")
        return low, high

    @property
    def depth(self) -> int:
        """Number of channels of the input."""
        return 3 if self.channels == "lgg" else 1


@dataclass(frozen=True)
class Placement:
    """Where a slice lies in the input: `box` of the slice (top, left, height, width) fills `frame` of the input."""

    box: tuple[int, int, int, int]
    frame: tuple[int, int, int, int]
    side: int

    @property
    def pixels(self) -> int:
        """The smaller side of the box, in pixels of the slice."""
        return min(self.box[2:])

    def to_slice(self, values: Plane, shape: tuple[int, int]) -> Plane:
        """Map a picture of the input, at any resolution, back onto a slice of `shape`; zero outside the box."""
        square = cv2.resize(values, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        top, left, height, width = self.frame
        framed = square[top : top + height, left : left + width]
        out = np.zeros(shape, np.float32)
        top, left, height, width = self.box
        out[top : top + height, left : left + width] = cv2.resize(
            framed, (width, height), interpolation=cv2.INTER_LINEAR
        )
        return out

    def to_input(self, plane: Plane) -> Plane:
        """Cut the box out of a picture of the slice and place it in the square input, black outside the frame."""
        top, left, height, width = self.box
        cut = plane[top : top + height, left : left + width]
        top, left, height, width = self.frame
        shrinks = cut.shape[0] > height or cut.shape[1] > width
        resized = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        out = np.zeros((self.side, self.side, *resized.shape[2:]), np.float32)
        out[top : top + height, left : left + width] = resized
        return out


def preprocess(pixels: Plane, spec: Spec, placed: Placement | None = None) -> NDArray[np.uint8]:
    """Turn one slice into a model's input.

    Args:
        pixels: ``(height, width)``, or ``(height, width, 3)`` for a spec of 'lgg' channels; any scale.
        spec: what the model asks for.
        placed: what `place` says of this slice and spec, if it was asked before: finding the head takes half the time.

    Returns:
        uint8 ``(side, side, channels)``.

    Raises:
        ValueError: the slice has other channels than the spec asks for.
    """
    if pixels.ndim - 2 != (spec.channels == "lgg"):
        raise ValueError(f"a slice of shape {pixels.shape} does not fit a spec of {spec.channels} channels")
    pixels = np.asarray(pixels, np.float32)
    placed = placed or place(pixels, spec)
    top, left, height, width = placed.box
    inside = pixels[top : top + height, left : left + width].reshape(height, width, -1)
    windowed = np.dstack([_window(inside[..., i], spec.window) for i in range(spec.depth)])
    frame_only = Placement((0, 0, height, width), placed.frame, placed.side)
    out = frame_only.to_input(windowed).reshape(spec.side, spec.side, spec.depth)
    return np.rint(out).astype(np.uint8)


def preprocess_mask(mask: NDArray[np.generic], placement: Placement) -> NDArray[np.uint8]:
    """Bring the mask of a slice to the model's input: uint8 ``(side, side)`` of 0 and 255."""
    return (placement.to_input((np.asarray(mask) > 0).astype(np.float32)) >= 0.5).astype(np.uint8) * 255


def place(pixels: Plane, spec: Spec) -> Placement:
    """Say which part of a slice goes where in the input."""
    gray = pixels if pixels.ndim == 2 else pixels.max(axis=-1)
    box = head_box(gray) if spec.crop else (0, 0, *gray.shape)
    return Placement(box, _frame(box[2], box[3], spec), spec.side)


def is_empty(pixels: Plane) -> bool:
    """Whether a slice has a single gray level, and so shows nothing."""
    return bool(pixels.min() == pixels.max())


def head_box(gray: Plane) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the head: what is brighter than the background, small specks apart.

    A slice with nothing bright in it is kept whole.
    """
    foreground = _foreground(np.ascontiguousarray(gray, np.float32))
    count, components = cv2.connectedComponents(foreground, connectivity=8)
    if count < 2:
        return 0, 0, *gray.shape
    areas = np.bincount(components.ravel(), minlength=count)
    areas[0] = 0  # the background
    large = areas >= max(0.02 * areas.max(), 9)
    if not large.any():
        return 0, 0, *gray.shape
    inside = large[components]  # with OpenCV's own statistics this takes three times as long
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    margin = round(CROP_MARGIN * max(bottom - top, right - left))
    top, left = max(0, int(top) - margin), max(0, int(left) - margin)
    bottom, right = min(gray.shape[0], int(bottom) + margin), min(gray.shape[1], int(right) + margin)
    return top, left, bottom - top, right - left


def _foreground(gray: Plane) -> NDArray[np.uint8]:
    """Return 1 where a slice is brighter than its background, else 0."""
    levels = _levels(gray)
    low, high = np.percentile(gray, BACKGROUND_AND_BRIGHT) if levels is None else level_percentiles(levels)
    high = high if high > low else gray.max()
    limit = low + FOREGROUND_SHARE * (high - low)
    if levels is None:
        return (gray > limit).astype(np.uint8)
    return np.asarray(cv2.threshold(levels, float(np.floor(limit)), 1, cv2.THRESH_BINARY)[1], np.uint8)


def _levels(gray: Plane) -> NDArray[np.uint8] | None:
    """Return a slice in whole levels of 8 bits, as most pictures are, or None where it is not."""
    if gray.size >= MOST_COUNTED:
        return None
    levels = np.asarray(cv2.convertScaleAbs(gray), np.uint8)
    return levels if np.array_equal(levels, gray) else None


def level_percentiles(levels: NDArray[np.uint8]) -> tuple[float, float]:
    """Return what `np.percentile` says of `BACKGROUND_AND_BRIGHT`, from a histogram: a tenth of the time."""
    until = np.cumsum(cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel().astype(np.int64))
    low, high = (_interpolated(until, (levels.size - 1) * (percentile / 100)) for percentile in BACKGROUND_AND_BRIGHT)
    return low, high


def _interpolated(until: NDArray[np.int64], place: float) -> float:
    below = int(place)
    a, b = np.searchsorted(until, (below, min(below + 1, int(until[-1]) - 1)), side="right").tolist()
    part = place - below
    return float(b - (b - a) * (1 - part) if part >= 0.5 else a + (b - a) * part)


def _window(plane: Plane, window: Window) -> Plane:
    if window == "none" and plane.min() >= 0 and plane.max() <= 255:
        return plane
    low, high = np.percentile(plane, (0, 100) if isinstance(window, str) else window)
    if high <= low:
        low, high = float(plane.min()), float(plane.max())
    if high <= low:
        return np.zeros_like(plane)
    return np.clip((plane - low) * (255.0 / (high - low)), 0, 255)


def _frame(height: int, width: int, spec: Spec) -> tuple[int, int, int, int]:
    side = spec.side
    if spec.fit == "stretch":
        return 0, 0, side, side
    scale = side / max(height, width)
    inner_height, inner_width = max(1, round(height * scale)), max(1, round(width * scale))
    return (side - inner_height) // 2, (side - inner_width) // 2, inner_height, inner_width
