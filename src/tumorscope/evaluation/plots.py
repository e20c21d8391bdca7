"""Line charts as inline SVG. Colors are the page's CSS variables, so that a chart follows light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 330
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 46
MANY_TICKS = 6


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        x: its points.
        y: its points.
        name: for the legend; '' leaves it out of there.
        color: CSS.
        dashed: drawn so.
        sizes: radius of a dot at each point, in pixels; None draws none.
        line: whether the points are joined.
    """

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    color: str = "var(--accent)"
    dashed: bool = False
    sizes: Sequence[float] | None = None
    line: bool = True


@dataclass(frozen=True)
class Chart:
    """Lines over shares, both axes in percent.

    Attributes:
        title: read by screen readers.
        x_label: under the axis.
        y_label: beside the axis.
        lines: the later over the earlier.
        y_from: where the upright axis starts.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    y_from: float = 0.0

    def svg(self) -> str:
        """Return the chart as one SVG element."""
        parts = [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">',
            *self._grid(),
            *(mark for line in self.lines for mark in self._marks(line)),
            "</svg>",
        ]
        return "".join(parts)

    @property
    def legend(self) -> list[Line]:
        """The lines that have a name."""
        return [line for line in self.lines if line.name]

    def _x(self, value: float) -> float:
        return LEFT + value * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self.y_from) / (1 - self.y_from)
        return HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)

    def _grid(self) -> list[str]:
        out = []
        for tick in ticks(0.0):
            x = self._x(tick)
            out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{100 * tick:g}</text>')
        for tick in ticks(self.y_from):
            y = self._y(tick)
            out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * tick:g}</text>')
        middle = (TOP + HEIGHT - BOTTOM) / 2
        center = (LEFT + WIDTH - RIGHT) / 2
        out.append(f'<text x="{center}" y="{HEIGHT - 8}" text-anchor="middle">{escape(self.x_label)}</text>')
        turned = f'transform="rotate(-90 14 {middle})"'
        out.append(f'<text x="14" y="{middle}" text-anchor="middle" {turned}>{escape(self.y_label)}</text>')
        return out

    def _marks(self, line: Line) -> list[str]:
        points = [(self._x(x), self._y(y)) for x, y in zip(line.x, line.y, strict=True)]
        out = []
        if line.line and len(points) > 1:
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            dashes = ' stroke-dasharray="5 5"' if line.dashed else ""
            out.append(f'<path d="{path}" fill="none" style="stroke:{line.color}" stroke-width="2.2"{dashes}/>')
        for (x, y), size in zip(points, line.sizes or [], strict=False):
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" class="dot" style="fill:{line.color}"/>')
        return out


def ticks(start: float) -> list[float]:
    """Return five or six round shares from `start` to 1."""
    for step in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2):
        count = round((1 - start) / step)
        if count < MANY_TICKS:
            return [round(1 - k * step, 4) for k in range(count, -1, -1)]
    return [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def nice_start(lowest: float) -> float:
    """Return a round share under `lowest` at which an axis up to 1 can start."""
    for start in (0.98, 0.95, 0.9, 0.8, 0.6, 0.5):
        if lowest >= start + 0.1 * (1 - start):
            return start
    return 0.0
