"""The runs below a folder: trainings, evaluations and studies, each with its headline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from tumorscope.files.names import LEADERBOARD, LOG, METRICS, RECIPE, STUDY_DB, STUDY_PAGE
from tumorscope.serve.reports.files import FileBrokenError, read_json, read_yaml
from tumorscope.serve.roots import NotThereError, check_name, inside, may_be_named

DEPTH = 5
MOST_FOLDERS = 5_000
MOST_RUNS = 500
NEVER = ("cache", "tensorboard", "logs", "audit", "recipes")
"""Folders in runs and studies that hold no run."""

Kind = Literal["run", "evaluation", "study"]


@dataclass(frozen=True)
class Found:
    """A folder with results.

    Attributes:
        name: its path below the folder of runs, with forward slashes; that folder itself goes by its own name.
        kind: 'run' of a training, 'evaluation' of a model, or 'study'.
        path: the folder.
        study: the name of the study that it is a part of, or None.
    """

    name: str
    kind: Kind
    path: Path
    study: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether its results are written."""
        return (self.path / (STUDY_PAGE if self.kind == "study" else METRICS)).is_file()


def find_runs(runs: Path) -> list[Found]:
    """Return the folders with results below a folder, the newest first; links that lead out are not followed.

    Args:
        runs: the folder, links resolved.
    """
    found = list(islice(_walk(runs, runs, None, 0, [MOST_FOLDERS]), MOST_RUNS))
    return sorted(found, key=lambda run: -_changed_at(run.path))


def find_run(runs: Path, name: str) -> Found:
    """Return one of them by its name.

    Raises:
        PathRefusedError: the name is no relative path.
        NotThereError: there is none, or a link leads out.
    """
    check_name(name)
    folder = runs if name == runs.name and _kind(runs) else inside(runs, name)
    kind = None if folder is None or not folder.is_dir() else _kind(folder)
    if folder is None or kind is None:
        raise NotThereError("there is no such run", remedy="choose one of the list")
    study = next(
        (parent for parent in folder.parents if parent.is_relative_to(runs) and _kind(parent) == "study"), None
    )
    return Found(_name(folder, runs), kind, folder, None if study is None else _name(study, runs))


def file_of(run: Found, runs: Path, name: str) -> Path | None:
    """Return a file of a run; None where it is not there or a link leads out of the folder of runs."""
    path = inside(runs, (run.path / name).relative_to(runs).as_posix())
    return path if path is not None and path.is_file() else None


def summary_of(run: Found, runs: Path) -> dict[str, Any]:
    """Return a run as the list shows it: what it is, how far, and its headline beside the two floors."""
    base = {
        "name": run.name, "kind": run.kind, "is_done": run.is_done, "changed": _changed_at(run.path), "problem": None,
        "study": run.study, "title": _title(run, runs), "headline": None,
    }  # fmt: skip
    path = file_of(run, runs, METRICS)
    if run.kind == "study" or path is None:
        return base
    try:
        return base | {"headline": _headline(path, path.stat().st_mtime_ns)}
    except (FileBrokenError, OSError) as error:
        return base | {"problem": str(error) if isinstance(error, FileBrokenError) else "metrics.json cannot be read"}


def headline_of(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """Return what leads a ``metrics.json``: split, figures and floors; None where it does not hold them."""
    found, split = metrics.get("headline"), metrics.get("headline_split")
    if not isinstance(found, dict) or not isinstance(split, str) or not _figure(found.get("accuracy")):
        return None
    return {
        "split": split,
        "sentence": metrics.get("headline_sentence"),
        "leaky": bool(metrics.get("leaky")),
        "figures": {name: _figure(found.get(name)) for name in ("accuracy", "auc", "sensitivity", "specificity")},
        "copy_baseline": _floor(metrics.get("copy_baseline"), split),
        "source_probe": _floor(metrics.get("source_probe"), split),
    }


def _walk(folder: Path, runs: Path, study: str | None, depth: int, left: list[int]) -> Iterator[Found]:
    """Yield the runs in a folder of a study or of none; `left` counts the folders that may still be opened."""
    left[0] -= 1
    if left[0] < 0:
        return
    kind = _kind(folder)
    if kind is not None:
        yield Found(_name(folder, runs), kind, folder, study)
    if kind in ("run", "evaluation") or depth == DEPTH:
        return
    study = _name(folder, runs) if kind == "study" else study
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        relative = entry.relative_to(runs).as_posix()
        is_ours = entry.name not in NEVER and may_be_named(relative)
        if is_ours and entry.is_dir() and inside(runs, relative) == entry:
            yield from _walk(entry, runs, study, depth + 1, left)


def _name(folder: Path, runs: Path) -> str:
    return runs.name if folder == runs else folder.relative_to(runs).as_posix()


def _kind(folder: Path) -> Kind | None:
    if (folder / STUDY_DB).is_file() or (folder / STUDY_PAGE).is_file() or (folder / LEADERBOARD).is_file():
        return "study"
    if (folder / RECIPE).is_file() and ((folder / LOG).is_file() or (folder / METRICS).is_file()):
        return "run"
    return "evaluation" if (folder / METRICS).is_file() else None


def _title(run: Found, runs: Path) -> str | None:
    """Return what a run says of itself: the names of its recipe and its data sets."""
    path = file_of(run, runs, RECIPE)
    if path is None:
        return None
    try:
        return _title_of(path, path.stat().st_mtime_ns)
    except (FileBrokenError, OSError):
        return None


@lru_cache(maxsize=1024)
def _title_of(path: Path, _changed: int) -> str | None:
    made = read_yaml(path)
    recipe, run_of = (part if isinstance(part, dict) else {} for part in (made.get("recipe"), made.get("run")))
    name, data = recipe.get("name"), run_of.get("data")
    sets = [str(item).rstrip("/").rsplit("/", 1)[-1] for item in data] if isinstance(data, list) else []
    return " on ".join(part for part in (str(name) if name else "", ", ".join(sets)) if part) or None


@lru_cache(maxsize=1024)
def _headline(path: Path, _changed: int) -> dict[str, Any] | None:
    return headline_of(read_json(path))


def _figure(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and isinstance(value.get("value"), int | float) else None


def _floor(value: Any, split: str) -> dict[str, Any] | None:
    found = value.get("by_split", {}) if isinstance(value, dict) else None
    floor = found.get(split) if isinstance(found, dict) else None
    return floor if isinstance(floor, dict) and isinstance(floor.get("accuracy"), int | float) else None


def _changed_at(folder: Path) -> float:
    try:
        return max((folder / name).stat().st_mtime for name in (METRICS, LOG, STUDY_DB) if (folder / name).is_file())
    except (OSError, ValueError):
        return 0.0
