"""Where a study's YAML lies, and how it is read."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tumorscope.errors import StudyError, did_you_mean
from tumorscope.studies.study import Study
from tumorscope.yaml_model import first_wrong, read_keys


def shipped_studies() -> dict[str, Path]:
    """Return the shipped studies by name."""
    folder = Path(str(files("tumorscope.studies") / "shipped"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def study_path(name: str | Path) -> Path:
    """Return the file of a study: a path, or the name of a shipped one.

    Raises:
        StudyError: there is no such study.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return path
    shipped = shipped_studies()
    if str(name) not in shipped:
        raise StudyError(f"there is no study '{name}'", remedy=did_you_mean(str(name), shipped))
    return shipped[str(name)]


def load_study(name: str | Path) -> Study:
    """Load a study by path, or a shipped one by name.

    Raises:
        StudyError: it does not exist, is no YAML, or holds an unknown key or a wrong value.
    """
    path = study_path(name)
    return parse_study(read_keys(path, StudyError, remedy="compare it with a shipped study"), path)


def parse_study(values: dict[str, Any], path: Path) -> Study:
    """Check the values of a study.

    Raises:
        StudyError: names the key that is wrong, and the nearest valid one where it is unknown.
    """
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        wrong = first_wrong(error, Study)
        raise StudyError(wrong.line, file=path, remedy=wrong.remedy or "see docs/studies.md for the keys") from error
