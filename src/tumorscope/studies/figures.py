"""The figures of a study, rounded for its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tumorscope.statistics import Figure

DIGITS = 6


def rounded(value: float | None) -> float | None:
    """Return a figure as JSON holds it; None where it is not defined."""
    return None if value is None or not np.isfinite(value) else round(value, DIGITS)


def rounded_interval(interval: Sequence[float] | None) -> list[float | None] | None:
    """Return an interval as JSON holds it."""
    return None if interval is None else [rounded(bound) for bound in interval]


def figure_values(figure: Figure | None) -> dict[str, Any]:
    """Return a figure with its interval and n as JSON holds it; one that is not defined has n 0."""
    if figure is None:
        return {"value": None, "low": None, "high": None, "n": 0, "interval": None}
    interval = rounded_interval(figure.interval)
    low, high = interval or (None, None)
    return {"value": rounded(figure.value), "low": low, "high": high, "n": figure.n, "interval": interval}
