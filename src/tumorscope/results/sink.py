"""What a sink of findings is: it is given the slices that were answered, and writes or draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tumorscope.findings import SliceFinding
from tumorscope.preprocess import Placement, Plane


@dataclass(frozen=True)
class Drawable:
    """One answered slice, with what a picture of it is drawn from.

    Attributes:
        finding: what the model says of it.
        plane: the slice as read, float32 ``(height, width)`` or ``(height, width, 3)``.
        placement: where the slice lies in the model's input.
        heatmap: ``(h, w)`` of the class that is shown: that of the label; for `notumor` the likeliest tumor.
    """

    finding: SliceFinding
    plane: Plane
    placement: Placement
    heatmap: NDArray[np.float32]


class Sink(Protocol):
    """Takes answered slices as they come, in the order of the scans; it must not keep them."""

    def add(self, drawable: Drawable) -> SliceFinding:
        """Write or draw a slice; return its finding, with the paths of what was written."""
        ...

    def close(self) -> None:
        """Write what could not be written before everything was there."""
        ...
