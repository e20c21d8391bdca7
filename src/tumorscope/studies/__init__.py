"""Many runs compared: protocols with folds and seeds, grids, searches, leaderboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tumorscope.studies.load import load_study, shipped_studies
    from tumorscope.studies.run import StudyRun, run_study
    from tumorscope.studies.study import Study

__all__ = ["Study", "StudyRun", "load_study", "run_study", "shipped_studies"]


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: the command line imports this room at its start."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tumorscope.studies import load, run, study

    room = next(one for one in (run, study, load) if name in vars(one))
    return getattr(room, name)
