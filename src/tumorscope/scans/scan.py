"""What one file or one series holds, slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ScanError

Pixels = NDArray[np.float32]
Affine = NDArray[np.float64]
Channels = Literal["one", "all"]
"""Of a picture that holds three sequences: take FLAIR alone, or each."""
CHANNELS: tuple[Channels, ...] = ("one", "all")

MAX_PIXELS = 64_000_000
"""Of one slice; one with more is not decoded."""
MAX_SLICES = 4096
"""Of one file; one with more is no scan."""

LGG_SEQUENCES = ("T1", "FLAIR", "T1ce")
"""What the three channels of a picture of the LGG set hold: pre-contrast, FLAIR, post-contrast."""
DEFAULT_SEQUENCE = "FLAIR"


@dataclass(frozen=True)
class Geometry:
    """Where the slices of a scan lie in the patient.

    Attributes:
        affine: float64 ``(4, 4)``: index (slice, row, column) to mm, LPS (PS3.3 C.7.6.2).
        shape: slices, height, width.
        is_regular: evenly spaced and orthogonal; else no volume in cm3 can be told.
        sides_known: whether left and right are told.
    """

    affine: Affine
    shape: tuple[int, int, int]
    is_regular: bool
    sides_known: bool


@dataclass(frozen=True)
class Header:
    """What a scan is, told without decoding more than its first slice; never a patient's identity.

    Attributes:
        format: of the file, as 'PNG'.
        mode: how the file stores a pixel, in the format's own word ('L', 'RGB', 'I;16').
        slices: how many there are.
        height: of the first slice, in pixels.
        width: of the first slice, in pixels.
        bits: a sample.
        sequences: what the channels of each slice hold, in order; () where a slice is one gray picture.
        geometry: None where the file does not tell.
        sha256: of the file's bytes.
    """

    format: str
    mode: str
    slices: int
    height: int
    width: int
    bits: int
    sha256: str
    sequences: tuple[str, ...] = ()
    geometry: Geometry | None = None

    @property
    def is_deep(self) -> bool:
        """Whether a sample has more than 8 bits."""
        return self.bits > 8

    @property
    def repeats_one_sequence(self) -> bool:
        """Whether this is a color picture whose channels are alike: one sequence, stored as if it were three.

        The LGG set does so for patients of whom only one sequence was taken.
        """
        return self.mode == "RGB" and not self.sequences


class Scan(Protocol):
    """A scan that is open: its slices are decoded when they are read. Closing frees the decoder."""

    @property
    def source(self) -> Path:
        """The path that was opened."""
        ...

    @property
    def header(self) -> Header:
        """What is known of it."""
        ...

    def read(self, index: int, sequence: str | None = None) -> Pixels:
        """Decode one slice as it is shown: float32 ``(height, width)``, in scanner units, or 0 to 255 of a picture.

        Args:
            index: in display order, from 0.
            sequence: one of the header's; without it FLAIR, where the scan has sequences.

        Raises:
            ScanError: the slice is damaged or has too many pixels; the other slices may be read all the same.
        """
        ...

    def __iter__(self) -> Iterator[Pixels]:
        """Decode each slice once, in order."""
        ...

    def close(self) -> None:
        """Free the decoder."""
        ...

    def __enter__(self) -> Self:
        """Return the scan."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...


class DecodedScan:
    """A scan over a decoder that gives one slice after the other; formats derive their scans from this.

    A subclass fills `source` and `header` and decodes a slice in `_decode`. The last slice stays decoded, so that its
    sequences come from one decoding.
    """

    source: Path
    header: Header

    def __init__(self, source: Path, header: Header) -> None:
        self.source, self.header = source, header
        self._last: tuple[int, Pixels] | None = None

    def read(self, index: int, sequence: str | None = None) -> Pixels:
        """Decode one slice: float32 ``(height, width)`` (see `Scan.read`)."""
        pixels = self._slice(index)
        if pixels.ndim == 2:
            return pixels
        return pixels[..., channel_of(self.header, sequence)]

    def __iter__(self) -> Iterator[Pixels]:
        """Decode each slice once, in order."""
        return (self.read(index) for index in range(self.header.slices))

    def close(self) -> None:
        """Free the decoder."""

    def __enter__(self) -> Self:
        """Return the scan."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _slice(self, index: int) -> Pixels:
        if not 0 <= index < self.header.slices:
            raise ScanError(f"has no slice {index}", file=self.source, remedy=f"it holds {self.header.slices}")
        if self._last is None or self._last[0] != index:
            self._last = None  # two large slices need not stand side by side
            self._last = (index, self._decode(index))
        return self._last[1]

    def _decode(self, index: int) -> Pixels:
        """Return a slice: float32 ``(height, width)``, or with a channel for each of the header's sequences."""
        raise NotImplementedError


def usual_sequence(header: Header) -> str:
    """Return the sequence that is taken where none is asked for: FLAIR, or the first; the scan holds several."""
    return DEFAULT_SEQUENCE if DEFAULT_SEQUENCE in header.sequences else header.sequences[0]


def channel_of(header: Header, sequence: str | None) -> int:
    """Return the channel that holds a sequence; without one, that of the usual one."""
    return header.sequences.index(usual_sequence(header) if sequence is None else sequence)


def sequence_of(header: Header, channel: int | None) -> str | None:
    """Return the sequence that a channel holds; None, the usual one, without a number or where there is one alone."""
    return header.sequences[channel] if channel is not None and header.sequences else None


def read_sequences(scan: Scan, index: int) -> Pixels:
    """Decode the three sequences of one slice for a model that takes them together: ``(height, width, 3)``.

    Raises:
        ScanError: it is gray; or it is damaged.
    """
    if scan.header.sequences:
        return np.stack([scan.read(index, sequence) for sequence in scan.header.sequences], axis=-1)
    if scan.header.repeats_one_sequence:
        return np.repeat(scan.read(index)[..., None], len(LGG_SEQUENCES), axis=-1)
    raise ScanError(
        "is gray, and the model needs three sequences in one picture",
        file=scan.source,
        remedy="use a model of gray slices",
    )
