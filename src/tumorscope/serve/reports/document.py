"""One run as the page shows it: what it measured, how it learned, what it got wrong, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tumorscope.files.names import FINDINGS, LEADERBOARD, LOG, METRICS, REPORT, STUDY_PAGE
from tumorscope.serve.reports.files import FileBrokenError, read_json, read_numbers, read_table
from tumorscope.serve.reports.listing import Found, file_of, summary_of
from tumorscope.serve.reports.mistakes import Whereabouts, shown, wrong_answers
from tumorscope.serve.roots import Root

FILES = {
    REPORT: "text/html; charset=utf-8",
    STUDY_PAGE: "text/html; charset=utf-8",
    METRICS: "application/json",
    FINDINGS: "text/csv; charset=utf-8",
    LOG: "text/csv; charset=utf-8",
    LEADERBOARD: "text/csv; charset=utf-8",
}
"""The files of a run that are served, and their types."""
PAGE = 12
MOST = 60
"""Mistakes of one answer."""
Read = TypeVar("Read")


def run_document(run: Found, runs: Path, roots: tuple[Root, ...], link: str) -> dict[str, Any]:
    """Return a run with everything that can be read of it.

    Args:
        run: which.
        runs: the folder of runs.
        roots: the data roots, where pictures of mistakes are looked for.
        link: the address of the run.
    """
    problems: list[str] = []
    metrics = _try(run, runs, METRICS, read_json, problems)
    leaderboard = _try(run, runs, LEADERBOARD, read_table, problems)
    mistakes = None
    if metrics is not None and file_of(run, runs, FINDINGS):
        try:
            mistakes = mistakes_document(run, runs, roots, link, split_of(metrics))
        except FileBrokenError as error:
            problems.append(str(error))
    return {
        **summary_of(run, runs),
        "metrics": metrics,
        "log": _try(run, runs, LOG, read_numbers, problems),
        "leaderboard": None if leaderboard is None else {"columns": leaderboard[0], "rows": leaderboard[1]},
        "mistakes": mistakes,
        "problems": problems,
        "files": {name: f"{link}/{name}" for name in FILES if file_of(run, runs, name)},
    }


def mistakes_document(
    run: Found, runs: Path, roots: tuple[Root, ...], link: str, split: str, *,
    label: str | None = None, called: str | None = None, offset: int = 0, limit: int = PAGE,
) -> dict[str, Any]:  # fmt: skip
    """Return some of a run's wrong answers.

    Raises:
        FileBrokenError: ``findings.csv`` cannot be read.
    """
    path = file_of(run, runs, FINDINGS)
    if path is None:
        return {"count": 0, "offset": offset, "mistakes": []}
    wrong = wrong_answers(path, split, label=label, called=called, offset=offset, limit=limit)
    whereabouts = Whereabouts(roots)
    return {
        "count": wrong.count,
        "offset": offset,
        "mistakes": [shown(each, link, whereabouts) for each in wrong.shown],
    }


def split_of(metrics: dict[str, Any]) -> str:
    """Return the split of the headline."""
    split = metrics.get("headline_split")
    return split if isinstance(split, str) else "full"


def _try(run: Found, runs: Path, name: str, read: Callable[[Path], Read], problems: list[str]) -> Read | None:
    """Read a file of a run; None where it is not there, and where it is broken, which is then said."""
    path = file_of(run, runs, name)
    if path is None:
        return None
    try:
        return read(path)
    except FileBrokenError as error:
        problems.append(str(error))
        return None
