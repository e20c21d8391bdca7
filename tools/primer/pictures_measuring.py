"""Pictures about measuring: sensitivity and specificity, intervals, calibration and abstaining, heatmaps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from primer import facts
from primer.canvas import ACCENT, BAD, GOOD, INK, LINE, WARN, chart, new_figure, panel, show, trimmed
from primer.experiments import DRAWS, SIZES

MIN_BIN = 3


def metrics(numbers: dict[str, Any]) -> Figure:
    """Draw the scores of tumors and of tumor-free slices with the threshold, and the ROC curve."""
    figure, found = new_figure(3.0), numbers["many"]
    scores, tumor = np.array(found["scores"]), np.array(found["tumor"], bool)
    axes = chart(figure, (0.4, 0.6, 3.2, 1.95), "what the model says of the test slices")
    edges = np.linspace(0, 100, 21)
    for rows, color, words in ((~tumor, GOOD, "no tumor"), (tumor, WARN, "tumor")):
        counts, _ = np.histogram(100 * scores[rows], edges)
        axes.bar(edges[:-1], counts / rows.sum(), width=5, align="edge", color=color, alpha=0.6, label=words)
    top = 1.22 * axes.get_ylim()[1]
    axes.axvline(100 * found["threshold"], color=INK, linewidth=1.4)
    words = f"threshold {100 * found['threshold']:.0f}%"
    axes.text(100 * found["threshold"] - 1.5, 0.96 * top, words, ha="right", va="top", fontsize=9, color=INK)
    axes.set(xlabel="stated probability of a tumor, %", yticks=[], xlim=(0, 100), ylim=(0, top))
    axes.legend(frameon=False, loc="center left")
    right = chart(figure, (4.5, 0.6, 2.25, 1.95), "every threshold at once")
    false_alarms, hits = roc(scores, tumor)
    right.plot([0, 100], [0, 100], color=LINE, linewidth=1.4)
    right.fill_between(100 * false_alarms, 100 * hits, color=ACCENT, alpha=0.1, linewidth=0)
    right.plot(100 * false_alarms, 100 * hits, color=ACCENT, linewidth=2)
    point = found["figures"]
    right.plot(
        100 * (1 - point["specificity"]["value"]), 100 * point["sensitivity"]["value"], "o", color=BAD, markersize=7
    )
    right.text(60, 22, f"AUC {point['auc']['value']:.2f}", ha="center", fontsize=10.5, fontweight="bold", color=ACCENT)
    right.set(xlabel="false alarms, %", ylabel="tumors found, %", xlim=(-2, 102), ylim=(-2, 102))
    return figure


def roc(scores: NDArray[np.float64], tumor: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of false alarms and of found tumors at every threshold, from the highest down."""
    cuts = np.concatenate([[np.inf], np.unique(scores)[::-1]])
    called = scores[None] >= cuts[:, None]
    return called[:, ~tumor].mean(axis=1), called[:, tumor].mean(axis=1)


def intervals(numbers: dict[str, Any]) -> Figure:
    """Draw the accuracy of one model on many small test sets and on many larger ones."""
    figure, drawn = new_figure(2.5), numbers["draws"]
    axes = chart(figure, (1.55, 0.6, 5.2, 1.6))
    for number, size in enumerate(SIZES):
        shares = 100 * np.array(drawn[str(size)]["shares"])
        offsets = (np.arange(len(shares)) * 7 % len(shares) / len(shares) - 0.5) * 0.5  # so that no dot hides another
        axes.plot(shares, -number + offsets, "o", color=(WARN, ACCENT)[number], alpha=0.75, markersize=6)
        axes.text(
            -0.02,
            -number,
            f"{DRAWS} test sets\nof {size} slices",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=9.5,
            color=INK,
        )
    axes.axvline(100 * drawn["all"], color=INK, linewidth=1.2)
    axes.text(100 * drawn["all"], 0.52, f"all {drawn['n']} slices", ha="center", va="bottom", fontsize=9, color=INK)
    axes.set(xlabel="right, %: the same model each time", yticks=[], ylim=(-1.45, 0.45))
    return figure


def calibration(numbers: dict[str, Any]) -> Figure:
    """Draw reliability before and after temperature, and accuracy against coverage."""
    figure, found = new_figure(3.0), numbers["calibration"]
    axes = chart(figure, (0.7, 0.6, 2.55, 2.0), "does 80% mean 80%?")
    axes.plot([0, 100], [0, 100], color=LINE, linewidth=1.6)
    for side, color, words in (("before", WARN, "before temperature"), ("after", ACCENT, "after")):
        bins = [cell for cell in found[side]["bins"] if cell["n"] >= MIN_BIN]
        x, y = [100 * cell["confidence"] for cell in bins], [100 * cell["accuracy"] for cell in bins]
        axes.plot(x, y, color=color, linewidth=1.6, linestyle="--" if side == "before" else "-", label=words)
        axes.scatter(x, y, s=[8 + 1.1 * cell["n"] for cell in bins], color=color, zorder=3, linewidths=0)
    axes.set(xlabel="stated confidence, %", ylabel="right, %", xlim=(20, 103), ylim=(20, 105))
    axes.legend(frameon=False, loc="upper left", borderpad=0)
    curve = found["coverage"]
    right = chart(figure, (4.15, 0.6, 2.6, 2.0), "only the surest answers")
    right.plot(100 * np.array(curve["x"]), 100 * np.array(curve["y"]), color=ACCENT, linewidth=2)
    right.plot(50, 100 * found["surest_half"], "o", color=BAD, markersize=7)
    right.annotate(
        "the surer half", (50, 100 * found["surest_half"]), (6, 9), textcoords="offset points", fontsize=9, color=BAD
    )
    right.set(xlabel="slices answered, surest first, %", ylabel="right, %", xlim=(0, 103), ylim=(20, 105))
    return figure


def heatmaps(numbers: dict[str, Any]) -> Figure:
    """Draw example scans with the shipped model's heatmap, as stretched to full strength."""
    from tumorscope.inference import load
    from tumorscope.preprocess import place
    from tumorscope.results.overlays import overlay

    figure, model = new_figure(2.4), load()
    names = ("a ring, painted", "a mass, painted", "no tumor", "phantom glioma")
    for number, (file, words) in enumerate(zip(facts.HEATMAP_SCANS, names, strict=True)):
        image = cv2.imread(str(facts.SCANS / f"{file}.png"), cv2.IMREAD_GRAYSCALE)
        plane = np.asarray(image, np.float32)
        outputs = model.predict_slices([plane])
        tumors = [name != "notumor" for name in model.classes]
        likeliest = int(np.where(tumors, outputs.probabilities[0], -1).argmax())
        picture = overlay(plane, outputs.heatmap[0, likeliest], place(plane, model.card.spec))
        chance = numbers["facts"]["heatmaps"]["tumor"][file]
        said = "tumor: over 99%" if chance > 0.99 else f"tumor: {chance:.0%}"
        show(panel(figure, (0.15 + 1.7 * number, 0.4, 1.6, 1.6)), trimmed(picture[..., ::-1]), words, said)
    return figure
