"""What a model's graph says of slices, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SliceOutputs:
    """What the graph says of n slices.

    Attributes:
        probabilities: ``(n, classes)``.
        tumor: ``(n,)``, of a tumor of any kind.
        heatmap: ``(n, classes, h, w)``.
        embedding: ``(n, d)``.
        outlier: ``(n,)``.
    """

    probabilities: NDArray[np.float32]
    tumor: NDArray[np.float32]
    heatmap: NDArray[np.float32]
    embedding: NDArray[np.float32]
    outlier: NDArray[np.float32]


def join_outputs(parts: Sequence[SliceOutputs]) -> SliceOutputs:
    """Return the outputs of several batches as one."""
    names = [field.name for field in fields(SliceOutputs)]
    return SliceOutputs(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
