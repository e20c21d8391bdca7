"""Pictures about images and networks: the phantom, the matrix, the window, sequences, convolution, a small network."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from primer import facts
from primer.canvas import (
    ACCENT,
    BAD,
    CARD,
    DIM,
    INK,
    LINE,
    NOTE,
    SMALL,
    SOFT,
    TEXT,
    Gray,
    arrow,
    chart,
    enlarged,
    new_figure,
    panel,
    sheet,
    show,
    trimmed,
)
from primer.inside import MAP_SIDE
from primer.sets import followed_slice
from tumorscope.catalog.phantom import CLASSES, SEQUENCES

CELL = 0.29


def phantom(_: dict[str, Any]) -> Figure:
    """Draw one slice of each class, its lesion outlined."""
    figure = new_figure(2.15)
    for number, label in enumerate(CLASSES):
        drawn = facts.slice_of(label, "T1ce")
        picture = cv2.cvtColor(enlarged(drawn.image, 384), cv2.COLOR_GRAY2RGB)
        mask = cv2.resize(drawn.mask.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        outlines, _hierarchy = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, (243, 189, 102), 3, cv2.LINE_AA)
        show(panel(figure, (0.15 + 1.7 * number, 0.15, 1.6, 1.6)), picture, label)
    return figure


def matrix(_: dict[str, Any]) -> Figure:
    """Draw a slice, a small square of it, and the same square as numbers."""
    figure = new_figure(2.9)
    image, patch = facts.slice_of("glioma", SEQUENCES[0]).image, facts.patch()
    left = panel(figure, (0.15, 0.42, 2.3, 2.3))
    left.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    row, column = facts.PATCH_AT
    edge: dict[str, Any] = {"fill": False, "edgecolor": BAD, "linewidth": 2}
    left.add_patch(Rectangle((column - 0.5, row - 0.5), facts.PATCH, facts.PATCH, **edge))
    middle = panel(figure, (2.83, 0.82, 1.5, 1.5))
    middle.imshow(patch, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    middle.add_patch(Rectangle((-0.5, -0.5), facts.PATCH, facts.PATCH, **edge))
    axes = sheet(figure)
    arrow(axes, (2.5, 1.57), (2.78, 1.57))
    arrow(axes, (4.38, 1.57), (4.66, 1.57))
    _cells(axes, patch, (4.72, 2.625), 0.301)
    words = {1.3: f"{facts.SIDE} rows of {facts.SIDE} pixels", 3.58: "the red square", 5.77: "what the computer gets"}
    for place, text in words.items():
        axes.text(place, 0.3, text, ha="center", va="top", **SMALL)
    return figure


def window(numbers: dict[str, Any]) -> Figure:
    """Draw a slice without and with a window, and the histogram that tells why."""
    figure, found = new_figure(2.6), numbers["facts"]["window"]
    made, plane = facts.windowed(), facts.twelve_bits()
    show(panel(figure, (0.15, 0.42, 1.8, 1.8)), made["minmax"], "darkest to brightest", "the head gets few grays")
    axes = chart(figure, (2.3, 0.62, 2.5, 1.6))
    counts, edges = np.histogram(plane[plane > 20], bins=np.linspace(0, facts.BRIGHT, 70))
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=NOTE)
    axes.axvspan(found["low"], found["high"], color=ACCENT, alpha=0.13, linewidth=0)
    axes.set(yscale="log", xlabel="value in the file", xlim=(0, facts.BRIGHT * 1.03), ylim=(0.7, None), yticks=[])
    axes.minorticks_off()
    axes.set_xticks([0, 1000, 2000, 3000, 4000])
    axes.text(found["high"] + 70, 450, "the window", color=ACCENT, fontsize=9.5)
    axes.annotate(
        "a few bright\npixels", (facts.BRIGHT, 9), (2900, 45), ha="center", fontsize=9, color=DIM,
        arrowprops={"arrowstyle": "-|>", "color": DIM},
    )  # fmt: skip
    show(panel(figure, (5.05, 0.42, 1.8, 1.8)), made["window"], "window 0.5 to 99.5%", "the head gets most grays")
    return figure


def sequences(_: dict[str, Any]) -> Figure:
    """Draw one patient in three sequences, and a template head in three planes."""
    figure = new_figure(1.85)
    for number, name in enumerate(SEQUENCES):
        show(panel(figure, (0.12 + 1.1 * number, 0.18, 1.04, 1.04)), facts.slice_of("glioma", name).image, name)
    for number, (name, file) in enumerate(
        (("axial", "axial_108"), ("coronal", "coronal_120"), ("sagittal", "sagittal_70"))
    ):
        image = cv2.imread(str(facts.SCANS / f"mni152_{file}.png"), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        show(panel(figure, (3.62 + 1.1 * number, 0.18, 1.04, 1.04)), trimmed(np.asarray(image, np.uint8)), name)
    axes = sheet(figure)
    axes.text(1.74, 1.68, "one patient (phantom), three sequences", ha="center", va="center", fontweight="bold", **TEXT)
    axes.text(5.24, 1.68, "one head (template), three planes", ha="center", va="center", fontweight="bold", **TEXT)
    return figure


def convolution(numbers: dict[str, Any]) -> Figure:
    """Draw one step of a convolution in numbers, and what the filter makes of the whole slice."""
    figure, found = new_figure(2.6), numbers["facts"]["convolution"]
    axes = sheet(figure)
    row, column = facts.CONV_AT
    _cells(axes, facts.patch(), (0.15, 2.4), CELL, (row, column))
    axes.text(0.15 + 3.5 * CELL, 0.29, "pixels", ha="center", va="top", **SMALL)
    axes.text(2.36, 1.385, "×", ha="center", va="center", fontsize=15, color=DIM)
    _cells(axes, np.array(found["kernel"]), (2.53, 1.82), CELL, plain=True)
    axes.text(2.53 + 1.5 * CELL, 0.86, "the filter", ha="center", va="top", **SMALL)
    axes.text(3.53, 1.385, "→", ha="center", va="center", fontsize=15, color=DIM)
    axes.text(3.89, 1.385, str(found["sum"]), ha="center", va="center", fontsize=13, fontweight="bold", color=ACCENT)
    axes.text(3.89, 1.16, "one pixel\nof the map", ha="center", va="top", linespacing=1.3, **SMALL)
    image = facts.slice_of("glioma", "T1ce").image
    edges = np.asarray(cv2.filter2D(image.astype(np.float32), -1, facts.KERNEL), np.float32)
    soft = cv2.GaussianBlur(image, (0, 0), 3)
    show(panel(figure, (4.35, 0.8, 1.22, 1.22)), _gray(edges), "upright edges", "this filter,\nover the slice")
    show(panel(figure, (5.66, 0.8, 1.22, 1.22)), soft, "a blur", "another filter:\nan average")
    return figure


def network(numbers: dict[str, Any]) -> Figure:
    """Draw a small trained network with maps that it really computes for one slice."""
    figure, found = new_figure(2.3), numbers["many"]
    axes = sheet(figure)
    shown = followed_slice()
    show(panel(figure, (0.12, 0.75, 1.1, 1.1)), shown.image, "a slice")
    axes.text(0.67, 0.65, f"{len(shown.image)} × {len(shown.image)}", ha="center", va="top", **SMALL)
    for stage, (maps, side, count) in enumerate(
        zip(found["maps"], found["map_sides"], found["map_counts"], strict=True)
    ):
        left = 1.5 + 1.32 * stage
        arrow(axes, (left - 0.23, 1.3), (left - 0.04, 1.3))
        for number, values in enumerate(maps):
            place = (left + 0.54 * (number % 2), 1.32 - 0.54 * (number // 2), 0.51, 0.51)
            cell = panel(figure, place)
            cell.imshow(_map(values), cmap="magma", interpolation="nearest")
        axes.text(left + 0.53, 1.95, f"convolution {stage + 1}", ha="center", va="center", fontsize=9.5, color=INK)
        axes.text(
            left + 0.53, 0.65, f"{count} maps\nof {side} × {side}", ha="center", va="top", linespacing=1.3, **SMALL
        )
    arrow(axes, (5.25, 1.3), (5.45, 1.3))
    bars = panel(figure, (5.55, 0.72, 1.3, 1.12))
    names = list(found["answer"])
    for number, name in enumerate(names):
        share = found["answer"][name]
        bars.barh(-number, 1, color=SOFT, height=0.34)
        bars.barh(-number, share, color=ACCENT, height=0.34)
        bars.text(0, -number + 0.25, name, fontsize=8.5, color=DIM, va="bottom")
        bars.text(1, -number + 0.25, f"{share:.0%}", fontsize=8.5, color=INK, va="bottom", ha="right")
    bars.set(xlim=(0, 1), ylim=(-3.25, 0.75))
    axes.text(6.2, 1.95, "its answer", ha="center", va="center", fontsize=9.5, color=INK)
    axes.text(6.2, 0.65, f"{found['weights']:,} weights\nin all", ha="center", va="top", linespacing=1.3, **SMALL)
    return figure


def _cells(
    axes: Any,
    values: NDArray[Any],
    corner: tuple[float, float],
    size: float,
    marked: tuple[int, int] | None = None,
    *,
    plain: bool = False,
) -> None:
    """Draw a table of numbers on the shades they stand for; a window of nine around `marked` is framed."""
    left, top = corner
    for (row, column), value in np.ndenumerate(values):
        shade = CARD if plain else f"#{int(value):02x}{int(value):02x}{int(value):02x}"
        place = (left + column * size, top - (row + 1) * size)
        axes.add_patch(Rectangle(place, size, size, facecolor=shade, edgecolor=LINE, linewidth=0.6))
        ink = INK if plain or value > 120 else "#ffffff"
        words: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.8, "color": ink}
        axes.text(place[0] + size / 2, place[1] + size / 2, f"{int(value)}", **words)
    if marked:
        corner = (left + (marked[1] - 1) * size, top - (marked[0] + 2) * size)
        axes.add_patch(Rectangle(corner, 3 * size, 3 * size, fill=False, edgecolor=BAD, linewidth=2))


def _gray(values: NDArray[np.float32]) -> Gray:
    return np.clip(128 + values * 0.35, 0, 255).astype(np.uint8)


def _map(values: str) -> Gray:
    return np.frombuffer(bytes.fromhex(values), np.uint8).reshape(MAP_SIDE, MAP_SIDE)
