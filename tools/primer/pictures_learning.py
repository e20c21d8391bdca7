"""Pictures about learning: the three parts, overfitting, augmentation, transfer, leakage, the floors."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform, blended_transform_factory

from primer import facts
from primer.canvas import (
    ACCENT,
    BAD,
    CARD,
    DIM,
    INK,
    SMALL,
    WARN,
    WIDTH,
    Gray,
    box,
    chart,
    new_figure,
    panel,
    sheet,
    show,
)
from primer.experiments import MOVING, STILL
from primer.sets import LEAK_SIDE, SEED, SIDE, changed
from tumorscope.catalog.phantom import draw_phantom

PART_WORDS = (
    ("training", 14, 7, "fits the weights", "seen again and again", 2.98),
    ("validation", 3, 3, "picks the epoch, the\ntemperature, thresholds", "seen, not learned from", 1.8),
    ("test", 3, 3, "gives the figures", "seen once, at the end", 1.6),
)
"""Name, heads and heads in a row, what the part is for, how it is seen, width of its card in inches."""


FLOOR_WORDS = {"copying": "copying the nearest slice", "network": "a network", "file": "the file alone"}


def parts(_: dict[str, Any]) -> Figure:
    """Draw the three parts of a data set as heads, whole patients each, and what every part is for."""
    figure = new_figure(2.5)
    axes, tile, left = sheet(figure), 0.4, 0.15
    heads = iter([one.image for one in draw_phantom(60, seed=facts.SEED, side=SIDE) if one.sequence == "T1ce"])
    for name, count, across, job, seen, width in PART_WORDS:
        box(axes, (left, 0.15), (width, 2.2))
        middle, start = left + width / 2, left + (width - across * tile) / 2
        axes.text(middle, 2.16, name, ha="center", va="center", fontsize=10.5, fontweight="bold", color=INK)
        for number in range(count):
            row = number // across + (0.5 if count <= across else 0)
            place = (start + tile * (number % across) + 0.01, 1.58 - tile * row, tile * 0.95, tile * 0.95)
            panel(figure, place).imshow(next(heads), cmap="gray", vmin=0, vmax=255)
        axes.text(middle, 0.84, job, ha="center", va="center", fontsize=9.5, color=ACCENT, linespacing=1.3)
        axes.text(middle, 0.37, seen, ha="center", va="center", **SMALL)
        left += width + 0.16
    return figure


def overfitting(numbers: dict[str, Any]) -> Figure:
    """Draw the losses of one small network, trained on few slices and on more."""
    figure = new_figure(3.0)
    sizes = numbers["slices"]
    top = 1.05 * max(max(numbers[name]["log"]["val_loss"]) for name in ("few", "many"))
    for number, (name, count) in enumerate((("few", sizes["few"]), ("many", sizes["many"]))):
        axes = chart(figure, (0.6 + 3.35 * number, 0.6, 2.85, 1.95), f"{count} training slices")
        _losses(axes, numbers[name]["log"], top)
        if number == 0:
            axes.set_ylabel("loss")
    return figure


def augmentation(numbers: dict[str, Any]) -> Figure:
    """Draw what augmentation makes of one slice, and the validation loss with and without it."""
    from tumorscope.training.augment import augment
    from tumorscope.training.recipe import AugmentRecipe

    figure = new_figure(2.75)
    slice_ = facts.slice_of("meningioma", "T1ce").image
    recipe, rng = AugmentRecipe.model_validate(STILL | MOVING), np.random.default_rng(SEED)
    made = [slice_, *(augment(slice_[..., None], None, recipe, rng)[0][..., 0] for _ in range(5))]
    for number, image in enumerate(made):
        place = (0.15 + 1.06 * (number % 3), 1.28 - 1.14 * (number // 3), 1.0, 1.0)
        show(panel(figure, place), image, "" if number else "the slice itself")
    axes = chart(figure, (4.05, 0.6, 2.75, 1.7), f"{numbers['slices']['few']} training slices")
    for name, color, words in (("few", DIM, "without"), ("augmented", ACCENT, "with augmentation")):
        log = numbers[name]["log"]
        axes.plot(log["epoch"], log["val_loss"], color=color, linewidth=1.8, label=words)
    axes.set(xlabel="epoch", ylabel="validation loss", ylim=(0, None))
    axes.legend(frameon=False, loc="lower left")
    return figure


def transfer(numbers: dict[str, Any]) -> Figure:
    """Draw the validation accuracy of one encoder, from random weights and from those of photographs."""
    figure = new_figure(2.85)
    axes = chart(figure, (0.75, 0.6, 5.95, 1.85), f"EfficientNet-Lite0, {numbers['slices']['few']} training slices")
    starts = (("transfer", ACCENT, "weights learned on photographs"), ("scratch", DIM, "random weights"))
    for name, color, words in starts:
        log = numbers[name]["log"]
        shares = [100 * value for value in log["val_accuracy"]]
        axes.plot(
            log["epoch"], shares, color=color, linewidth=1.8, marker="o", markersize=4, label=f"starts from {words}"
        )
    axes.axhline(25, color=WARN, linewidth=1.2, linestyle=":", label="guessing")
    axes.set(xlabel="epoch", ylabel="validation, % right", ylim=(0, 103))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 1.0))
    return figure


def leakage(numbers: dict[str, Any]) -> Figure:
    """Draw copies and neighbors, and what one recipe scores on two splits of one set and on new patients."""
    figure = new_figure(3.0)
    drawn = list(draw_phantom(3, seed=SEED + 1, side=LEAK_SIDE))
    first = drawn[0].image
    rows: tuple[tuple[str, tuple[Gray, ...]], ...] = (
        ("a slice and two near copies", (first, changed(first, 0), changed(first, 1))),
        ("three slices of one patient", tuple(one.image for one in drawn)),
    )
    axes = sheet(figure)
    for row, (words, images) in enumerate(rows):
        axes.text(0.15, 2.78 - 1.38 * row, words, fontsize=9.5, color=INK, va="center")
        for column, image in enumerate(images):
            show(panel(figure, (0.15 + 1.02 * column, 1.66 - 1.38 * row, 0.98, 0.98)), image)
    _bars(chart(figure, (3.75, 0.55, 3.05, 1.95), "the network is right, %"), numbers)
    return figure


def floors(numbers: dict[str, Any]) -> Figure:
    """Draw floors and networks as the project measured them: on a published split, and with patients apart."""
    project = numbers["facts"]["project"]
    figure = new_figure(3.0)
    axes = chart(figure, (2.75, 0.6, 4.0, 2.25))
    row = 0.0
    for group, title in (("published", "the published test folder"), ("apart", "patients kept apart")):
        words: dict[str, Any] = {"x": 0.15 / WIDTH, "ha": "left", "fontsize": 9.5, "color": INK}
        axes.text(y=row, s=title, transform=_at_left(axes), va="center", fontweight="bold", **words)
        for name, found in project[group].items():
            row -= 0.8
            color = BAD if name == "copying" else WARN if name == "file" else ACCENT
            axes.plot([100 * edge for edge in found["interval"]], [row] * 2, color=color, linewidth=4, alpha=0.4)
            axes.plot(100 * found["value"], row, "o", color=color, markersize=8)
            text = f"{FLOOR_WORDS[name]}: {100 * found['value']:.1f}%"
            axes.text(y=row, s=text, transform=_at_left(axes), va="center", **words)
        row -= 1.0
    axes.set(xlim=(74, 100.5), ylim=(row + 0.45, 0.45), xlabel="right, % (line: 95% interval)")
    axes.set(yticks=[], xticks=range(75, 101, 5))
    return figure


def _at_left(axes: Axes) -> Transform:
    """Return the units of words at the left of the card: across in shares of its width, upright in those of a chart."""
    assert axes.figure is not None
    return blended_transform_factory(axes.figure.transFigure, axes.transData)


def _losses(axes: Axes, log: dict[str, list[float]], top: float) -> None:
    best = int(np.argmin(log["val_loss"]))
    axes.plot(log["epoch"], log["loss"], color=DIM, linewidth=1.8, linestyle="--", label="training")
    axes.plot(log["epoch"], log["val_loss"], color=ACCENT, linewidth=1.8, label="validation")
    axes.plot(log["epoch"][best], log["val_loss"][best], "o", color=ACCENT, markersize=7)
    axes.annotate(
        "kept", (log["epoch"][best], log["val_loss"][best]), (0, 10), textcoords="offset points", ha="center",
        fontsize=9, color=ACCENT,
    )  # fmt: skip
    axes.set(xlabel="epoch", ylim=(0, top))
    axes.legend(frameon=False, loc="lower left")


def _bars(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw, for both splits, what the test part says and what new patients say, with intervals."""
    for number, split in enumerate(("random", "grouped")):
        found = numbers[split]
        bars = ((found["figures"]["accuracy"], BAD if split == "random" else ACCENT), (found["new_patients"], DIM))
        for side, (figure, color) in enumerate(bars):
            value, x = 100 * figure["value"], number + 0.4 * side - 0.2
            axes.bar(x, value, width=0.37, color=color)
            low, high = (100 * edge for edge in figure["interval"])
            axes.plot([x + 0.07] * 2, [low, high], color=INK, linewidth=1.4)
            words = ("its test part", "new patients")[side]
            axes.text(x - 0.07, 3, words, rotation=90, ha="center", va="bottom", fontsize=9, color=CARD)
            axes.text(x + 0.07, high + 2, f"{value:.0f}", ha="center", fontsize=9.5, fontweight="bold", color=INK)
    axes.set(ylim=(0, 110), xlim=(-0.5, 1.5))
    axes.set_xticks([0, 1], ["random split", "grouped split"], fontsize=9.5, color=INK)
    axes.grid(axis="x", visible=False)
