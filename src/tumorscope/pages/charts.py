"""Line charts as inline SVG. Colors are the page's CSS variables, so that a chart follows light and dark.

Every chart has a title and a description for those who do not see it, and its text stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

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
        width: of the line, in pixels.
    """

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    color: str = "var(--accent)"
    dashed: bool = False
    sizes: Sequence[float] | None = None
    line: bool = True
    width: float = 2.2


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes:
        start: its lowest value.
        end: its highest.
        ticks: the values that are marked, with their texts; '' marks without a text.
        label: what it measures.
        grid: whether its ticks are drawn across the chart.
    """

    start: float
    end: float
    ticks: Sequence[tuple[float, str]]
    label: str = ""
    grid: bool = True

    def share(self, value: float) -> float:
        """Return where a value lies, from 0 (start) to 1 (end), held to the axis."""
        return min(max((value - self.start) / (self.end - self.start), 0.0), 1.0)


@dataclass(frozen=True)
class Box:
    """The size of a chart and its margins, in pixels; `inset` keeps points off the upright edges."""

    width: int = 420
    height: int = 330
    left: int = 52
    right: int = 14
    top: int = 14
    bottom: int = 46
    inset: int = 0


@dataclass(frozen=True)
class Chart:
    """Lines over two axes.

    Attributes:
        title: what it shows.
        x: the axis below.
        y: the axis beside.
        lines: the later over the earlier.
        box: its size.
    """

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    box: Box = Box()

    def svg(self) -> str:
        """Return the chart as one SVG element."""
        box = self.box
        parts = [
            f'<svg class="chart" viewBox="0 0 {box.width} {box.height}" role="img">',
            f"<title>{escape(self.title)}</title><desc>{escape(self._described())}</desc>",
            *self._axes(),
            *(mark for line in self.lines for mark in self._marks(line)),
            "</svg>",
        ]
        return "".join(parts)

    @property
    def legend(self) -> list[Line]:
        """The lines that have a name."""
        return [line for line in self.lines if line.name]

    def _described(self) -> str:
        axes = [f"{name}: {axis.label}." for name, axis in (("Across", self.x), ("Up", self.y)) if axis.label]
        named = [f"{line.name}: {_told(line, self.x, self.y)}." for line in self.legend if len(line.x)]
        return " ".join([*axes, *named]) or self.title

    def _x(self, value: float) -> float:
        box = self.box
        return box.left + box.inset + self.x.share(value) * (box.width - box.left - box.right - 2 * box.inset)

    def _y(self, value: float) -> float:
        box = self.box
        return box.height - box.bottom - self.y.share(value) * (box.height - box.top - box.bottom)

    def _axes(self) -> list[str]:
        box, out = self.box, []
        floor, right = box.height - box.bottom, box.width - box.right
        for value, text in self.x.ticks:
            x = self._x(value)
            if self.x.grid:
                out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{box.top}" y2="{floor}"/>')
            out.append(_text(x, floor + 17, text, "middle"))
        for value, text in self.y.ticks:
            y = self._y(value)
            out.append(f'<line class="grid" x1="{box.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(_text(box.left - 7, y + 4, text, "end"))
        out.append(_text((box.left + right) / 2, box.height - 8, self.x.label, "middle"))
        middle = (box.top + floor) / 2
        out.append(_text(14, middle, self.y.label, "middle", f' transform="rotate(-90 14 {middle:.1f})"'))
        return out

    def _marks(self, line: Line) -> list[str]:
        points = [(self._x(x), self._y(y)) for x, y in zip(line.x, line.y, strict=True)]
        out = []
        if line.line and len(points) > 1:
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            dashes = ' stroke-dasharray="5 5"' if line.dashed else ""
            style = f'style="stroke:{line.color}" stroke-width="{line.width}"{dashes}'
            out.append(f'<path d="{path}" fill="none" {style}/>')
        for (x, y), size in zip(points, line.sizes or [], strict=False):
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" class="dot" style="fill:{line.color}"/>')
        return out


def share_axis(label: str, start: float = 0.0) -> Axis:
    """Return an axis of shares from `start` to 1, marked in percent."""
    return Axis(start, 1.0, [(tick, f"{100 * tick:g}") for tick in ticks(start)], label)


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


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>' if text else ""


def _told(line: Line, x: Axis, y: Axis) -> str:
    """Tell the ends of a line in the units of the axes."""
    (x0, y0), (x1, y1) = (line.x[0], line.y[0]), (line.x[-1], line.y[-1])
    first = f"{_value(y0, y)} at {_value(x0, x)}"
    return first if len(line.x) == 1 else f"from {first} to {_value(y1, y)} at {_value(x1, x)}"


def _value(value: float, axis: Axis) -> str:
    return f"{100 * value:.1f}" if "%" in axis.label else f"{value:.3g}"
