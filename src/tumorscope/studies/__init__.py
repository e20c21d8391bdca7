"""Many runs compared: protocols with folds and seeds, grids, searches, leaderboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tumorscope.studies.study import Study, load_study, shipped_studies

if TYPE_CHECKING:
    from tumorscope.studies.run import StudyRun, run_study

__all__ = ["Study", "StudyRun", "load_study", "run_study", "shipped_studies"]


def __getattr__(name: str) -> Any:
    """Load what runs a study only when one is run."""
    if name not in ("StudyRun", "run_study"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tumorscope.studies import run

    return getattr(run, name)
