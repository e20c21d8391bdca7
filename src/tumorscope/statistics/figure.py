"""A measured number, as cards, reports and JSON hold it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

TOO_FEW = "too few to say"
"""What stands in place of an interval that fewer clusters than `MIN_CLUSTERS` cannot give."""


class Figure(BaseModel):
    """A measured number with its sample size and 95% interval; None where there are too few clusters to say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    n: int
    interval: tuple[float, float] | None = None
