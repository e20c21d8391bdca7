"""Looks at what 99.97% can be a share of, and at what a network that learnt a set by heart still gets wrong.

    python benchmarks/learnt_by_heart.py STUDY_FOLDER

The folder is the ``--out`` of ``tumorscope study run sartaj-baseline``. A share of n pictures is counted in steps of
1/n, so that most numbers of pictures cannot give a published figure at all. What the run without augmentation calls
otherwise than its label is set beside the training pictures of the same cluster of copies, and their labels.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from record import write_record
from tumorscope.folders import FINDINGS
from tumorscope.studies.compare import PROBABILITY

PUBLISHED, DIGITS = 0.9997, 4
SET = {"Training folder": 2870, "Testing folder": 394, "both": 3264}
RUN = "runs/lite0-by-heart/random-seed0/train"


def main() -> None:
    """Write down which counts give the figure, and every mistake on what was learnt."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    findings = pd.read_csv(Path(sys.argv[1]) / RUN / FINDINGS, keep_default_na=False)
    answers = _likeliest(findings[findings["counted"]])
    wrong = answers[answers["called"] != answers["label"]]
    write_record(
        "learnt_by_heart",
        {
            "published": PUBLISHED,
            "wrong_that_give_it": {name: _wrong_that_give(PUBLISHED, n) for name, n in SET.items()},
            "fewest_pictures_that_give_it": next(n for n in range(1, SET["both"]) if _wrong_that_give(PUBLISHED, n)),
            "run": RUN,
            "n": len(answers),
            "wrong": len(wrong),
            "accuracy": round(1 - len(wrong) / len(answers), 6),
            "mistakes": [_mistake(row, answers) for _, row in wrong.iterrows()],
        },
        ("numpy", "pandas"),
    )


def _wrong_that_give(share: float, n: int) -> list[int]:
    """Return how many of n pictures may be wrong so that the share of right ones rounds to `share`."""
    return [wrong for wrong in range(n + 1) if round(1 - wrong / n, DIGITS) == share]


def _likeliest(findings: pd.DataFrame) -> pd.DataFrame:
    probabilities = findings.filter(regex=f"^{PROBABILITY}")
    names = np.array([column.removeprefix(PROBABILITY) for column in probabilities.columns])
    return findings.assign(called=names[probabilities.to_numpy().argmax(axis=1)])


def _mistake(row: pd.Series, answers: pd.DataFrame) -> dict[str, Any]:
    copies = answers[(answers["cluster"] == row["cluster"]) & (answers["label"] == row["called"])]
    return {
        "path": row["path"],
        "label": row["label"],
        "called": row["called"],
        "learnt_copies_labeled_as_called": list(copies["path"]),
    }


if __name__ == "__main__":
    main()
