"""Ask how far six doubtful labels of the outside test cap what a model can reach there.

    python benchmarks/outside_labels.py ../shared/data

Six files that navoneel_253 calls tumor-free show a cyst, an enhancing mass or metastases to the eye. They were chosen
after looking at a model's worst mistakes, so the figures without them are a diagnosis and no measurement. All figures
count slices without a twin among the training slices, as the card's do. Writes ``results/outside_labels.json``.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from record import write_record
from tumorscope.catalog import build_catalog
from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.metrics_json import figure_json
from tumorscope.evaluation.outcome import figures
from tumorscope.inference import load
from tumorscope.twins.search import find_twins

DOUBTFUL = ("N11", "N15", "N16", "N17", "N19", "N22")
SHOWN = ("auc", "sensitivity_at_95_specificity", "sensitivity", "specificity")


def main() -> None:
    """Measure with and without the doubtful files, and look for their twins in the training folder of another set."""
    data = Path(sys.argv[1])
    found = evaluate_data(load(), data / "navoneel_253", split="all")
    kept = found.findings[found.findings["counted"]].reset_index(drop=True)
    doubtful = kept["path"].map(lambda path: Path(path).stem).isin(DOUBTFUL).to_numpy()
    clean = found.rows["twin_free"]
    tumor_free = kept[clean & (kept["label"] == "notumor").to_numpy()].sort_values("tumor_probability", ascending=False)
    write_record(
        "outside_labels",
        {
            "doubtful": list(DOUBTFUL),
            "as_labeled": _figures(found, clean),
            "without_the_doubtful": _figures(found, clean & ~doubtful),
            "ceiling": _ceiling(kept[clean], doubtful[clean]),
            "tumor_free_files_ranked_most_like_a_tumor": tumor_free["path"].head(len(DOUBTFUL)).tolist(),
            "tumor_free_files": len(tumor_free),
            "twins_in_masoud_7023": _twins(data),
        },
    )


def _figures(found: Any, rows: Any) -> dict[str, Any]:
    measured = figures(found.outcome.take(rows), seed=0)
    return {name: figure_json(measured[name]) for name in SHOWN}


def _ceiling(slices: pd.DataFrame, doubtful: NDArray[np.bool_]) -> dict[str, float]:
    """Return what a perfect ranking reaches whose doubtful files alone stand where this model puts them.

    Of the tumor-free files 5% may be called a tumor; the doubtful are more than that.
    """
    tumor = (slices["label"] != "notumor").to_numpy()
    probability = slices["tumor_probability"].to_numpy()
    above = np.array([(probability[tumor] > value).mean() for value in np.sort(probability[doubtful])[::-1]])
    tumor_free = int((~tumor).sum())
    allowed = math.floor(0.05 * tumor_free)
    return {
        "auc": round(float((above.sum() + tumor_free - len(above)) / tumor_free), 4),
        "sensitivity_at_95_specificity": round(float(above[allowed]) if allowed < len(above) else 1.0, 4),
        "tumor_free_files_that_may_be_called": allowed,
    }


def _twins(data: Path) -> dict[str, list[str]]:
    """Return for each doubtful file its twins in the training folder of masoud_7023, which calls them tumor-free."""
    own, other = build_catalog([data / "navoneel_253"]), build_catalog([data / "masoud_7023"])
    assert own.prints is not None
    assert other.prints is not None
    pairs = find_twins(own.prints, other.prints)
    named = pd.DataFrame(
        {"a": own.table["path"].to_numpy()[pairs["a"]], "b": other.table["path"].to_numpy()[pairs["b"]]}
    )
    named = named[named["b"].str.startswith("Training/")]
    return {str(path): sorted(rows["b"]) for path, rows in named.groupby("a") if Path(str(path)).stem in DOUBTFUL}


if __name__ == "__main__":
    main()
