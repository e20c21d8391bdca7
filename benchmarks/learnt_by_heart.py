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

from record import write_record
from tumorscope.files.names import FINDINGS
from tumorscope.studies.answers import Answers, read_answers

PUBLISHED, DIGITS = 0.9997, 4
SET = {"Training folder": 2870, "Testing folder": 394, "both": 3264}
RUN = "runs/lite0-by-heart/random-seed0/train"


def main() -> None:
    """Write down which counts give the figure, and every mistake on what was learnt."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    answers = read_answers([(0, Path(sys.argv[1]) / RUN / FINDINGS)], "full")
    wrong = [row for row in range(answers.n) if not answers.right[row, 0]]
    write_record(
        "learnt_by_heart",
        {
            "published": PUBLISHED,
            "wrong_that_give_it": {name: _wrong_that_give(PUBLISHED, n) for name, n in SET.items()},
            "fewest_pictures_that_give_it": next(n for n in range(1, SET["both"]) if _wrong_that_give(PUBLISHED, n)),
            "run": RUN,
            "n": answers.n,
            "wrong": len(wrong),
            "accuracy": round(1 - len(wrong) / answers.n, 6),
            "mistakes": [_mistake(row, answers) for row in wrong],
        },
        ("numpy", "pandas"),
    )


def _wrong_that_give(share: float, n: int) -> list[int]:
    """Return how many of n pictures may be wrong so that the share of right ones rounds to `share`."""
    return [wrong for wrong in range(n + 1) if round(1 - wrong / n, DIGITS) == share]


def _mistake(row: int, answers: Answers) -> dict[str, Any]:
    called = answers.called[row, 0]
    copies = answers.keys[(answers.clusters == answers.clusters[row]) & (answers.labels == called)]
    return {
        "path": _path(answers.keys[row]),
        "label": str(answers.labels[row]),
        "called": str(called),
        "learnt_copies_labeled_as_called": [_path(key) for key in copies],
    }


def _path(key: str) -> str:
    """Return the path of a slice of this one set, which has no channels, from ``set/path#channel``."""
    return str(key).partition("/")[2].removesuffix("#")


if __name__ == "__main__":
    main()
