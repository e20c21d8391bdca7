"""What a file gives away besides its anatomy, slice by slice for the source probe and class by class for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

HISTOGRAM_BINS = 16
CHUNK = 256
"""Thumbnails described at once; a bound on memory."""
DARK = 16
"""Levels below this count as background."""

Thumbs = NDArray[np.uint8]


def file_properties(table: pd.DataFrame, thumbs: Thumbs) -> pd.DataFrame:
    """Collect what a file gives away without its anatomy: one numeric row a slice.

    Mode, format, size, aspect, bytes a pixel, how bright and how wide its border is, and the histogram of its levels.

    Args:
        table: a catalog's rows; `mode`, `width`, `height`, and `file` (whose size on disk is asked for).
        thumbs: uint8 ``(n, 64, 64)`` gray.
    """
    import pandas as pd

    width, height = table["width"].to_numpy(np.float32), table["height"].to_numpy(np.float32)
    facts = {
        "width": width,
        "height": height,
        "aspect": width / np.maximum(height, 1),
        "bytes_per_pixel": _file_bytes(table) / np.maximum(width * height, 1),
        "mode": pd.factorize(table["mode"].astype(str), sort=True)[0].astype(np.float32),
        "suffix": pd.factorize(table["path"].str.rsplit(".", n=1).str[-1], sort=True)[0].astype(np.float32),
    }
    frame = pd.DataFrame({**facts, **_border_facts(thumbs)}, index=table.index)
    histogram = pd.DataFrame(_histograms(thumbs), index=table.index).add_prefix("level_")
    return pd.concat([frame, histogram], axis=1)


def properties_by_class(table: pd.DataFrame, thumbs: Thumbs) -> list[dict[str, Any]]:
    """Describe each class: how many slices, of which size, modes, sequences, brightness and contrast.

    Brightness and contrast are the mean over the slices of the mean and of the standard deviation of the levels (0 to
    255) of what is brighter than the background.

    Args:
        table: a catalog's rows.
        thumbs: uint8 ``(n, 64, 64)`` gray.
    """
    brightness, contrast = _foreground_levels(thumbs)
    rows = []
    for label in sorted(set(table["label"])):
        chosen = (table["label"] == label).to_numpy()
        part = table[chosen]
        rows.append(
            {
                "label": label,
                "n": len(part),
                "median_width": int(part["width"].median()),
                "median_height": int(part["height"].median()),
                "sizes": int(part[["width", "height"]].drop_duplicates().shape[0]),
                "modes": _shares(part["mode"]),
                "sequences": _shares(part["sequence"].replace("", "unknown")),
                "brightness": round(float(brightness[chosen].mean()), 1),
                "contrast": round(float(contrast[chosen].mean()), 1),
            }
        )
    return rows


def _shares(values: pd.Series[str]) -> dict[str, float]:
    return {str(name): round(float(share), 4) for name, share in values.value_counts(normalize=True).items()}


def _foreground_levels(thumbs: Thumbs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, spread = (np.empty(len(thumbs)) for _ in range(2))
    for start in range(0, len(thumbs), CHUNK):
        part = slice(start, start + CHUNK)
        mean[part], spread[part] = _levels_of(thumbs[part].reshape(len(thumbs[part]), -1).astype(np.float32))
    return mean, spread


def _levels_of(flat: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    head = flat >= DARK
    count = np.maximum(head.sum(axis=1), 1)
    mean = (flat * head).sum(axis=1) / count
    variance = ((flat - mean[:, None]) ** 2 * head).sum(axis=1) / count
    return mean, np.sqrt(variance.astype(np.float64))


def _file_bytes(table: pd.DataFrame) -> NDArray[np.float32]:
    from pathlib import Path

    sizes = {file: Path(file).stat().st_size for file in set(table["file"])}
    return np.array([sizes[file] for file in table["file"]], np.float32)


def _border_facts(thumbs: Thumbs) -> dict[str, NDArray[np.float32]]:
    """How bright the outermost rows and columns are, and how much of each side stays dark."""
    edge = np.concatenate([thumbs[:, 0], thumbs[:, -1], thumbs[:, :, 0], thumbs[:, :, -1]], axis=1)
    dark: NDArray[np.bool_] = thumbs < DARK
    columns: NDArray[np.bool_] = np.asarray(dark.all(axis=1))
    rows: NDArray[np.bool_] = np.asarray(dark.all(axis=2))
    return {
        "edge_mean": edge.mean(axis=1, dtype=np.float32),
        "edge_spread": edge.std(axis=1, dtype=np.float32),
        "black_share": (thumbs == 0).mean(axis=(1, 2), dtype=np.float32),
        "margin_left": _leading(columns),
        "margin_right": _leading(columns[:, ::-1]),
        "margin_top": _leading(rows),
        "margin_bottom": _leading(rows[:, ::-1]),
    }


def _leading(lines: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(np.cumprod(lines, axis=1).sum(axis=1), np.float32)


def _histograms(thumbs: Thumbs) -> NDArray[np.float32]:
    counts = [np.bincount(levels, minlength=HISTOGRAM_BINS) for levels in _coarse(thumbs)]
    pixels = max(1, thumbs[0].size if len(thumbs) else 1)
    return (np.array(counts, np.int64).reshape(len(thumbs), HISTOGRAM_BINS) / pixels).astype(np.float32)


def _coarse(thumbs: Thumbs) -> Iterator[NDArray[np.uint8]]:
    """Give the levels of one thumbnail after the other: those of all, as `bincount` wants them, fill the memory."""
    return (thumb.ravel() // (256 // HISTOGRAM_BINS) for thumb in thumbs)
