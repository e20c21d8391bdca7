"""The fingerprints of many slices, as arrays; and their compact form, which travels in a model file."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.catalog.features import BAND, band_of, feature_maps, maps_of_band
from tumorscope.catalog.fingerprints import DIGEST_BYTES, THUMB_SIDE, Print

COMPACT_FORMAT = 1
COMPACT_THUMB_SIDE = 8
COMPACT_DIGEST_BYTES = 8
LEVELS = 15
"""Coefficients of the compact form are kept in half a byte."""
CLIP = 3.0
"""Standard deviations of a slice's coefficients at which the half byte is full."""


@dataclass(frozen=True)
class Prints:
    """Fingerprints of n slices.

    Attributes:
        digests: uint8 ``(n, 16)``, equal rows for exact twins.
        thumbs: uint8 ``(n, 64, 64)``, the whole pictures, gray, resized without regard to aspect.
        heads: uint8 ``(n, 64, 64)``, the heads alone, contrast stretched.
    """

    digests: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]
    heads: NDArray[np.uint8]

    @classmethod
    def of(cls, prints: Sequence[Print]) -> Prints:
        """Gather single fingerprints."""
        side = THUMB_SIDE
        return cls(
            np.array([p.digest for p in prints], np.uint8).reshape(-1, DIGEST_BYTES),
            np.array([p.thumb for p in prints], np.uint8).reshape(-1, side, side),
            np.array([p.head for p in prints], np.uint8).reshape(-1, side, side),
        )

    @classmethod
    def concat(cls, parts: Iterable[Prints]) -> Prints:
        """Put several together, in order."""
        gathered = [cls.of([]), *parts]
        return cls(*(np.concatenate([getattr(part, f.name) for part in gathered]) for f in fields(cls)))

    def take(self, indices: ArrayLike) -> Prints:
        """Return the slices at `indices` (numbers, or a mask), in that order."""
        chosen = np.asarray(indices)
        chosen = chosen if chosen.dtype == bool else chosen.astype(np.int64)
        return Prints(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def __len__(self) -> int:
        return len(self.digests)


@dataclass(frozen=True)
class CompactPrints:
    """Fingerprints of n slices in some 230 bytes each.

    Attributes:
        digests: uint8 ``(n, 8)``, the first bytes of the digests.
        thumbs: uint8 ``(n, 8, 8)``.
        band: float32 ``(n, BAND)``, the low frequencies of the feature maps, unit norm, coarsely quantized.
    """

    digests: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]
    band: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.digests)

    def maps(self) -> NDArray[np.float32]:
        """Return the feature maps as far as the kept frequencies carry, float32 ``(n, MAP_SIDE, MAP_SIDE)``."""
        return maps_of_band(self.band)


def pack_prints(prints: Prints, labels: Sequence[str]) -> str:
    """Write fingerprints and labels as ASCII text, under 300 bytes a slice.

    Args:
        prints: of n slices.
        labels: n class names.
    """
    if len(prints) != len(labels):
        raise ValueError(f"{len(prints)} fingerprints and {len(labels)} labels")
    names = sorted(set(labels))
    columns = (
        prints.digests[:, :COMPACT_DIGEST_BYTES],
        small_thumbs(prints.thumbs).reshape(len(prints), -1),
        _quantize(band_of(feature_maps(prints.heads))),
        np.array([names.index(label) for label in labels], np.uint8).reshape(-1, 1),
    )
    content = zlib.compress(b"".join(np.ascontiguousarray(column).tobytes() for column in columns), 9)
    head = {"format": COMPACT_FORMAT, "n": len(prints), "labels": names}
    return json.dumps(head) + "\n" + base64.b85encode(content).decode("ascii")


def unpack_prints(text: str) -> tuple[CompactPrints, list[str]]:
    """Read what `pack_prints` wrote.

    Raises:
        ValueError: the text is damaged or of another format.
    """
    head_line, _, body = text.partition("\n")
    head = json.loads(head_line)
    if head.get("format") != COMPACT_FORMAT:
        raise ValueError(f"fingerprints of format {head.get('format')}, this tumorscope reads {COMPACT_FORMAT}")
    n, widths = head["n"], (COMPACT_DIGEST_BYTES, COMPACT_THUMB_SIDE**2, BAND // 2, 1)
    values = np.frombuffer(zlib.decompress(base64.b85decode(body)), np.uint8)
    if len(values) != n * sum(widths):
        raise ValueError("the fingerprints are damaged")
    parts = np.split(values, np.cumsum([n * width for width in widths])[:-1])
    digests, thumbs, band, rows = (part.reshape(n, -1) for part in parts)
    compact = CompactPrints(digests, thumbs.reshape(-1, COMPACT_THUMB_SIDE, COMPACT_THUMB_SIDE), _dequantize(band))
    return compact, [head["labels"][row] for row in rows[:, 0]]


def small_thumbs(thumbs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink thumbnails to the 8x8 of the compact form."""
    side, step = COMPACT_THUMB_SIDE, THUMB_SIDE // COMPACT_THUMB_SIDE
    blocks = thumbs.reshape(-1, side, step, side, step).astype(np.float32)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)


def _quantize(band: NDArray[np.float32]) -> NDArray[np.uint8]:
    scaled = band * (np.sqrt(BAND) / CLIP)  # a band of unit norm has a standard deviation of 1 / sqrt(BAND)
    levels = np.rint((np.clip(scaled, -1, 1) + 1) * (LEVELS - 1) / 2).astype(np.uint8)
    return levels[:, ::2] << 4 | levels[:, 1::2]


def _dequantize(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    levels = np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), -1)
    band = levels.astype(np.float32) - (LEVELS - 1) / 2
    return band / np.maximum(np.linalg.norm(band, axis=1, keepdims=True), 1e-6)
