"""The look of the primer's pictures: palette, type, panels, and PNG files that know which numbers they show."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tumorscope.files.atomic import replacing
from tumorscope.preprocess import head_box

PAPER, CARD, INK, DIM, LINE, SOFT = "#f6f7f9", "#ffffff", "#16202c", "#5b6878", "#dfe4ea", "#eef1f5"
ACCENT, BAD, WARN, GOOD, NOTE = "#0b6e7d", "#b3261e", "#c77b1f", "#1b7045", "#3f5f8a"
"""The light colors of the reports; an opaque card is legible on a light and on a dark page."""
WIDTH = 7.0
"""Inches; a page shows a picture about 700 pixels wide."""
DPI = 160
GRAYS, COLORS = 26, 70
"""Levels of gray and other colors that a picture keeps; noise takes room and shows nothing."""
CHROMA = 14
STAMP = "primer"
TEXT: dict[str, Any] = {"fontsize": 10, "color": INK}
SMALL: dict[str, Any] = {"fontsize": 9, "color": DIM}
Gray = NDArray[np.uint8]


def new_figure(height: float) -> Figure:
    """Return an empty card, `height` inches high."""
    import matplotlib

    matplotlib.rcParams.update(
        {
            "font.family": "DejaVu Sans", "font.size": 10, "axes.edgecolor": LINE, "axes.labelcolor": DIM,
            "axes.titlesize": 10.5, "axes.titlecolor": INK, "axes.titleweight": "bold", "axes.titlelocation": "left",
            "xtick.color": DIM, "ytick.color": DIM, "xtick.labelsize": 9, "ytick.labelsize": 9, "axes.labelsize": 9.5,
            "legend.fontsize": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": CARD,
        }
    )  # fmt: skip
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)


def panel(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Add an empty panel; `box` is left, bottom, width and height in inches."""
    left, bottom, width, height = box
    full = figure.get_figheight()
    axes = figure.add_axes((left / WIDTH, bottom / full, width / WIDTH, height / full))
    axes.set_axis_off()
    return axes


def chart(figure: Figure, box: tuple[float, float, float, float], title: str = "") -> Axes:
    """Add a panel with axes and a light grid."""
    axes = panel(figure, box)
    axes.set_axis_on()
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=4)
    axes.set_title(title, pad=8)
    return axes


def show(axes: Axes, image: NDArray[Any], title: str = "", note: str = "") -> None:
    """Show a gray or RGB picture in a panel, with a line over it and one under it."""
    axes.imshow(enlarged(image), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    if title:
        axes.set_title(title, pad=6, loc="center", fontsize=10, fontweight="normal")
    if note:
        axes.text(0.5, -0.05, note, transform=axes.transAxes, ha="center", va="top", linespacing=1.35, **SMALL)


def trimmed(image: NDArray[Any]) -> NDArray[Any]:
    """Cut away the empty border around a head, in a square."""
    top, left, height, width = head_box(np.asarray(image if image.ndim == 2 else image.max(axis=2), np.float32))
    half = min(int(max(height, width) * 0.54), min(image.shape[:2]) // 2)
    row = min(max(top + height // 2, half), image.shape[0] - half)
    column = min(max(left + width // 2, half), image.shape[1] - half)
    return image[row - half : row + half, column - half : column + half]


def enlarged(image: NDArray[Any], least: int = 256) -> NDArray[Any]:
    """Enlarge a small picture smoothly; pixels of one's own eye need no staircase."""
    factor = max(1, round(least / max(image.shape[:2])))
    if factor == 1:
        return image
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def box(axes: Axes, corner: tuple[float, float], size: tuple[float, float]) -> None:
    """Draw a card with round corners in the panel's own units."""
    axes.add_patch(
        FancyBboxPatch(
            corner, *size, boxstyle="round,pad=0,rounding_size=0.06", facecolor=CARD, edgecolor=LINE, linewidth=1
        )
    )


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow in the panel's own units."""
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=DIM, linewidth=1.3, shrinkA=0, shrinkB=0)
    )


def sheet(figure: Figure) -> Axes:
    """Return one panel over the whole card whose units are inches, for boxes, arrows and words."""
    axes = panel(figure, (0, 0, WIDTH, figure.get_figheight()))
    axes.set(xlim=(0, WIDTH), ylim=(0, figure.get_figheight()))
    return axes


def save(figure: Figure, path: Path, numbers: Any) -> None:
    """Write the card as a PNG of few colors, stamped with the digest of the numbers that it shows."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER)
    picture = few_colors(Image.open(buffer).convert("RGB"))
    info = PngInfo()
    info.add_text(STAMP, digest(numbers))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        picture.save(draft, format="PNG", optimize=True, pnginfo=info)


def few_colors(whole: Image.Image) -> Image.Image:
    """Reduce a picture to an even ramp of grays, the colors of the card, and those that it uses most."""
    pixels = np.asarray(whole).reshape(-1, 3)
    colored = pixels[np.ptp(pixels.astype(int), axis=1) > CHROMA]
    palette = [int(level) for level in np.linspace(0, 255, GRAYS).round() for _ in range(3)]
    for color in (PAPER, CARD, INK, DIM, LINE, SOFT):
        palette += [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    if len(colored):
        strip = Image.fromarray(colored[None]).quantize(COLORS, method=Image.Quantize.MEDIANCUT)
        palette += (strip.getpalette() or [])[: 3 * COLORS]
    reference = Image.new("P", (1, 1))
    reference.putpalette(palette)
    return whole.quantize(palette=reference, dither=Image.Dither.NONE)


def stamp_of(path: Path) -> str:
    """Return the digest that a picture was stamped with, '' where there is none."""
    with Image.open(path) as picture:
        return str(picture.info.get(STAMP, ""))


def digest(numbers: Any) -> str:
    """Return a short digest of plain data."""
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]
