"""The fingerprints of many slices, as arrays; and their compact form, which travels in a model file."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.errors import ModelFileError
from tumorscope.twins.fingerprint import DIGEST_BYTES, THUMB_SIDE, Fingerprint
from tumorscope.twins.structure import ORDERS, Spectra, spectra, unit

COMPACT_FORMAT = 2
REMEDY = "train the model again with this tumorscope"
COMPACT_THUMB_SIDE = 8
COMPACT_DIGEST_BYTES = 8
KEPT_ORDERS = 300
"""Of a spectrum, without the mean: the lowest."""
LEVELS = 15
"""Coefficients of the compact form are kept in half a byte."""
BLANK_LEVELS = 2
"""Gray levels by which the thumbnail of a blank slice may vary: the noise of recompression."""
CLIP = 3.0
"""Standard deviations of a slice's coefficients at which the half byte is full."""


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of n slices.

    Attributes:
        digests: uint8 ``(n, 16)``, equal rows for exact twins.
        thumbs: uint8 ``(n, 64, 64)``, the whole pictures, gray, resized without regard to aspect.
        heads: uint8 ``(n, 64, 64)``, the heads alone, contrast stretched.
        touching: bool ``(n,)``, whether the head reaches the border of its picture.
    """

    digests: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]
    heads: NDArray[np.uint8]
    touching: NDArray[np.bool_]

    @classmethod
    def of(cls, prints: Sequence[Fingerprint]) -> Fingerprints:
        """Gather single fingerprints."""
        side = THUMB_SIDE
        return cls(
            np.array([p.digest for p in prints], np.uint8).reshape(-1, DIGEST_BYTES),
            np.array([p.thumb for p in prints], np.uint8).reshape(-1, side, side),
            np.array([p.head for p in prints], np.uint8).reshape(-1, side, side),
            np.array([p.touching for p in prints], bool),
        )

    @classmethod
    def concat(cls, parts: Iterable[Fingerprints]) -> Fingerprints:
        """Put several together, in order."""
        gathered = [cls.of([]), *parts]
        return cls(*(np.concatenate([getattr(part, f.name) for part in gathered]) for f in fields(cls)))

    def take(self, indices: ArrayLike) -> Fingerprints:
        """Return the slices at `indices` (numbers, or a mask), in that order."""
        chosen = np.asarray(indices)
        chosen = chosen if chosen.dtype == bool else chosen.astype(np.int64)
        return Fingerprints(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Which slices show nothing, bool ``(n,)``: their levels hardly differ."""
        darkest, brightest = (edge(self.thumbs, axis=(1, 2)) for edge in (np.min, np.max))
        return np.asarray(brightest - darkest <= BLANK_LEVELS)

    def pictures(self, part: str) -> NDArray[np.uint8]:
        """Return the small pictures of a part: 'head' or 'picture' (the whole)."""
        return self.heads if part == "head" else self.thumbs

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Which slices show nothing, one gray level (or its neighbor) throughout: bool ``(n,)``."""
        levels = self.thumbs.reshape(len(self), THUMB_SIDE**2)
        return np.asarray(levels.max(axis=1, initial=0) - levels.min(axis=1, initial=255) <= 1)

    def __len__(self) -> int:
        return len(self.digests)


@dataclass(frozen=True)
class CompactPrints:
    """Fingerprints of n slices in some 230 bytes each.

    Attributes:
        digests: uint8 ``(n, 8)``, the first bytes of the digests.
        thumbs: uint8 ``(n, 8, 8)``.
        heads: float32 ``(n, 24, 24)``, the spectra of the heads, coarsely quantized, zero where not kept.
    """

    digests: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]
    heads: Spectra

    def __len__(self) -> int:
        return len(self.digests)


def pack_prints(prints: Fingerprints, labels: Sequence[str]) -> str:
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
        quantize(spectra(prints.heads)),
        np.array([names.index(label) for label in labels], np.uint8).reshape(-1, 1),
    )
    content = zlib.compress(b"".join(np.ascontiguousarray(column).tobytes() for column in columns), 9)
    head = {"format": COMPACT_FORMAT, "n": len(prints), "labels": names}
    return json.dumps(head) + "\n" + base64.b85encode(content).decode("ascii")


def unpack_prints(text: str) -> tuple[CompactPrints, list[str]]:
    """Read what `pack_prints` wrote: the fingerprints and their labels.

    Raises:
        ModelFileError: the text is damaged or of another format.
    """
    head_line, _, body = text.partition("\n")
    try:
        head = json.loads(head_line)
        read, n, names = head["format"], int(head["n"]), head["labels"]
        values = np.frombuffer(zlib.decompress(base64.b85decode(body)), np.uint8)
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise ModelFileError("the fingerprints in the model file are damaged", remedy=REMEDY) from error
    widths = (COMPACT_DIGEST_BYTES, COMPACT_THUMB_SIDE**2, KEPT_ORDERS // 2, 1)
    if read != COMPACT_FORMAT or len(values) != n * sum(widths):
        what = f"the fingerprints in the model file are of format {read}, this tumorscope reads {COMPACT_FORMAT}"
        raise ModelFileError(what, remedy=REMEDY)
    parts = np.split(values, np.cumsum([n * width for width in widths])[:-1])
    digests, thumbs, orders, rows = (part.reshape(n, -1) for part in parts)
    compact = CompactPrints(digests, thumbs.reshape(-1, COMPACT_THUMB_SIDE, COMPACT_THUMB_SIDE), restore(orders))
    return compact, [names[row] for row in rows[:, 0]]


def small_thumbs(thumbs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink thumbnails to the 8x8 of the compact form."""
    side, step = COMPACT_THUMB_SIDE, THUMB_SIDE // COMPACT_THUMB_SIDE
    blocks = thumbs.reshape(-1, side, step, side, step).astype(np.float32)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)


def kept_weights(power: float) -> NDArray[np.float32]:
    """Return weights for the orders that the compact form keeps, ``(24, 24)``, rising with `power`."""
    rows, columns = _kept_orders()
    out = np.zeros((ORDERS, ORDERS), np.float32)
    out[rows, columns] = np.hypot(rows, columns) ** power
    return out


def quantize(values: Spectra) -> NDArray[np.uint8]:
    """Keep the lowest orders of spectra in half a byte each, uint8 ``(n, 150)``.

    They are evened out, since structure fades with its order.
    """
    rows, columns = _kept_orders()
    even = unit(values[:, rows, columns] * np.hypot(rows, columns).astype(np.float32))
    scaled = even * (np.sqrt(KEPT_ORDERS) / CLIP)
    levels = np.rint((np.clip(scaled, -1, 1) + 1) * (LEVELS - 1) / 2).astype(np.uint8)
    return levels[:, ::2] << 4 | levels[:, 1::2]


def restore(packed: NDArray[np.uint8]) -> Spectra:
    """Return the spectra of what `quantize` made, ``(n, 24, 24)``, of unit norm, zero where not kept."""
    rows, columns = _kept_orders()
    levels = np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), 2 * packed.shape[1])
    out = np.zeros((len(packed), ORDERS, ORDERS), np.float32)
    out[:, rows, columns] = (levels.astype(np.float32) - (LEVELS - 1) / 2) / np.hypot(rows, columns)
    return unit(out)


@cache
def _kept_orders() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = np.divmod(np.arange(ORDERS**2), ORDERS)
    lowest = np.lexsort((rows, rows**2 + columns**2))[1 : KEPT_ORDERS + 1]
    return rows[lowest], columns[lowest]
