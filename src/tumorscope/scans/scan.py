"""What one file or one series holds, once read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Channels = Literal["one", "all"]
"""Of a picture that holds three sequences: take FLAIR alone, or each."""
CHANNELS: tuple[Channels, ...] = ("one", "all")

MAX_PIXELS = 64_000_000
"""Of one slice; a file with more is not decoded."""

LGG_SEQUENCES = ("T1", "FLAIR", "T1ce")
"""What the three planes of a picture of the LGG set hold: pre-contrast, FLAIR, post-contrast."""
LGG_DEFAULT_CHANNEL = LGG_SEQUENCES.index("FLAIR")


@dataclass(frozen=True)
class Scan:
    """One file or series as pixels.

    Attributes:
        pixels: float32 ``(slices, height, width)``, or ``(slices, height, width, 3)`` where the three planes hold
            three sequences (see `LGG_SEQUENCES`); in scanner units, or 0 to 255 for pictures.
        spacing_mm: distance between slices, rows and columns, or None where the file does not tell.
        plane: 'axial', 'coronal', 'sagittal' or None.
        kind: 'image', 'volume' or 'series'.
        source: the path that was read.
        meta: facts about the file (for pictures ``format`` and ``mode``), never a patient's identity.
    """

    pixels: Pixels
    kind: Literal["image", "volume", "series"]
    source: Path
    spacing_mm: tuple[float, float, float] | None = None
    plane: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def has_sequences(self) -> bool:
        """Whether the last axis holds three sequences rather than one gray picture."""
        return self.pixels.ndim == 4

    def gray(self, index: int = 0, channel: int | None = None) -> Pixels:
        """Return slice `index` as ``(height, width)``; of three sequences the one asked for, else FLAIR."""
        plane = self.pixels[index]
        if plane.ndim == 2:
            return plane
        return plane[..., LGG_DEFAULT_CHANNEL if channel is None else channel]
