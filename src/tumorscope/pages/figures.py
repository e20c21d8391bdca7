"""Figures, intervals and differences as tables and pages show them."""

from __future__ import annotations

from collections.abc import Sequence

from tumorscope.pages.frame import NOTHING
from tumorscope.statistics import TOO_FEW


def is_share(metric: str) -> bool:
    """Whether a metric is told in percent, and its differences in points; else both in its own units."""
    return metric != "auc"


def figure_text(value: float | None, *, share: bool) -> str:
    """Return a figure as tables show it.

    >>> figure_text(0.9446, share=True), figure_text(0.9446, share=False)
    ('94.5%', '0.945')
    """
    if value is None:
        return NOTHING
    return f"{100 * value:.1f}%" if share else f"{value:.3f}"


def bounds_text(interval: Sequence[float] | None, *, share: bool) -> str:
    """Return an interval as tables show it.

    >>> bounds_text((0.927, 0.961), share=True)
    '92.7 to 96.1%'
    """
    if interval is None:
        return TOO_FEW
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f}%" if share else f"{low:.3f} to {high:.3f}"


def points_text(value: float | None, *, share: bool) -> str:
    """Return a difference as tables show it: of shares in percentage points.

    >>> points_text(-0.0221, share=True), points_text(-0.00001, share=True)
    ('-2.2', '0.0')
    """
    if value is None:
        return NOTHING
    digits = 1 if share else 3
    points = round(100 * value if share else value, digits)
    return f"{points:+.{digits}f}" if points else f"{0:.{digits}f}"


def point_bounds_text(interval: Sequence[float] | None, *, share: bool) -> str:
    """Return the interval of a difference as tables show it: a bound near 0 with the digits that tell it from 0.

    >>> point_bounds_text((-0.0201, -0.00026), share=True), point_bounds_text((-0.0201, 0.00026), share=True)
    ('-2.0 to -0.03', '-2.0 to 0.0')
    """
    if interval is None:
        return TOO_FEW
    low, high = interval
    if low <= 0 <= high:
        return " to ".join(points_text(bound, share=share) for bound in interval)
    return " to ".join(_unlike_zero(bound, share=share) for bound in interval)


def _unlike_zero(bound: float, *, share: bool) -> str:
    points = 100 * bound if share else bound
    digits = next(digits for digits in range(1 if share else 3, 12) if round(points, digits) or digits == 11)
    return f"{points:+.{digits}f}"
