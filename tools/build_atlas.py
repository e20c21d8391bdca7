"""Build ``src/tumorscope/twins/atlas.npz`` from the truth table of the Cheng set and the pictures it names.

    python tools/build_atlas.py ../shared/data

Of each slice one file is fingerprinted, a gray one where there is one (it was converted once, the RGB files twice).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tumorscope.files.atomic import replacing
from tumorscope.scans import read_slice
from tumorscope.twins.atlas import LABELS, order_levels
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.structure import spectra

TARGET = Path(__file__).parents[1] / "src/tumorscope/twins/atlas.npz"
STEPS = 127


def build(data: Path) -> dict[str, np.ndarray]:
    """Return the atlas's arrays; `data` holds ``cheng_3064/index.csv`` and the sets that it names."""
    truth = pd.read_csv(data / "cheng_3064/index.csv")
    truth["file"] = [data / name / path for name, path in zip(truth["set"], truth["path"], strict=True)]
    truth = truth[[file.is_file() for file in truth["file"]]].sort_values(["cheng_index", "mirrored", "set", "path"])
    chosen = truth.drop_duplicates("cheng_index")
    heads = np.array([fingerprint(read_slice(file)).head for file in chosen["file"]])
    levels = spectra(heads) * order_levels()
    levels *= STEPS / np.abs(levels).max(axis=(1, 2), keepdims=True)
    return {
        "index": chosen["cheng_index"].to_numpy(np.int16),
        "fold": chosen["fold"].to_numpy(np.int8),
        "label": np.array([LABELS.index(label) for label in chosen["cheng_label"]], np.int8),
        "heads": np.rint(levels).astype(np.int8),
    }


if __name__ == "__main__":
    arrays = build(Path(sys.argv[1]))
    with replacing(TARGET) as path:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    print(f"{len(arrays['index'])} slices, {TARGET.stat().st_size / 1e6:.2f} MB")
