"""One slice -> its fingerprint: a hash of its pixels, a thumbnail, and a small picture of the head alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.preprocess import head_box

THUMB_SIDE = 64
DIGEST_BYTES = 16
WINDOW = (1.0, 99.0)
"""Percentiles of the head that become black and white, so that a stretched copy looks like its original."""


@dataclass(frozen=True)
class Fingerprint:
    """The fingerprint of one slice.

    Attributes:
        digest: uint8 ``(16,)``, a hash of size and decoded gray levels: equal for exact twins alone.
        thumb: uint8 ``(64, 64)``, the whole picture.
        head: uint8 ``(64, 64)``, the head alone, filling the square, contrast stretched.
        touching: whether the head reaches the border of the picture, so that some of it may have been cropped.
    """

    digest: NDArray[np.uint8]
    thumb: NDArray[np.uint8]
    head: NDArray[np.uint8]
    touching: bool


def fingerprint(gray: NDArray[np.float32]) -> Fingerprint:
    """Take the fingerprint of a slice; deterministic, safe to call from several threads.

    Args:
        gray: ``(height, width)``, 0 to 255; other scales are brought to it.
    """
    gray = _to_8_bits(np.ascontiguousarray(gray, np.float32))
    levels = np.rint(gray).astype(np.uint8)
    top, left, height, width = head_box(gray)
    head = _shrink(gray[top : top + height, left : left + width])
    touching = top == 0 or left == 0 or top + height == gray.shape[0] or left + width == gray.shape[1]
    return Fingerprint(_digest(levels), np.rint(_shrink(gray)).astype(np.uint8), _stretch(head), touching)


def _to_8_bits(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(gray.min()), float(gray.max())
    if low >= 0 and high <= 255:
        return gray
    if low == high:
        return np.zeros_like(gray)
    return np.asarray((gray - low) * (255.0 / (high - low)), np.float32)


def _digest(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shape = np.array(levels.shape, "<u4").tobytes()
    digest = hashlib.blake2b(shape + levels.tobytes(), digest_size=DIGEST_BYTES).digest()
    return np.frombuffer(digest, np.uint8)


def _shrink(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    small = min(gray.shape) < THUMB_SIDE
    size = (THUMB_SIDE, THUMB_SIDE)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR if small else cv2.INTER_AREA), np.float32)


def _stretch(head: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = np.percentile(head, WINDOW)
    if high <= low:
        return np.zeros(head.shape, np.uint8)
    return np.rint(np.clip((head - low) * (255.0 / (high - low)), 0, 255)).astype(np.uint8)
