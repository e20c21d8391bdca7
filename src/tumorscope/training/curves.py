"""The curves of a training: losses and accuracy by epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tumorscope.files.atomic import replacing

PANELS = (("loss", (("loss", "training"), ("val_loss", "validation"))), ("accuracy", (("val_accuracy", "validation"),)))


def kept_epoch(rows: pd.DataFrame) -> int:
    """Return which row of ``log.csv`` a training keeps: the lowest validation loss, of equals the last."""
    losses = rows["val_loss"].to_numpy()
    return int(np.flatnonzero(losses == np.nanmin(losses))[-1])


def draw_curves(log: Path, out: Path) -> None:
    """Draw ``log.csv`` as a PNG; the epoch that was kept is marked."""
    from matplotlib.figure import Figure

    rows = pd.read_csv(log)
    best = rows["epoch"].iloc[kept_epoch(rows)]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(1, 2), PANELS, strict=True):
        for column, label in lines:
            if column in rows:
                axes.plot(rows["epoch"], rows[column], marker="o", markersize=3, label=label)
        axes.axvline(best, color="0.6", linestyle=":", label=f"kept: epoch {best:.0f}")
        axes.set(xlabel="epoch", title=title)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
    with replacing(out) as path:
        figure.savefig(path, dpi=110)
