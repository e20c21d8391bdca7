"""tumorscope reads brain MRI and says whether there is a tumor, which kind, where, and how far it can be trusted.

The jobs of the command line, in a call each; what a job needs is loaded when it is called:

>>> import tumorscope
>>> tumorscope.audit("phantom:48").summary["images"]
48
>>> findings = tumorscope.load().predict("examples/scans")
>>> {finding.status for finding in findings} <= {"ok", "refused"}
True

Research use only, not a medical device.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.version import __version__

if TYPE_CHECKING:
    from tumorscope.client import AsyncClient, Client
    from tumorscope.evaluation.foreign import ForeignModel
    from tumorscope.facade import Audit, Evaluation
    from tumorscope.inference import Model
    from tumorscope.progress import Progress
    from tumorscope.scans import Channels
    from tumorscope.studies.run import StudyRun
    from tumorscope.training.run import Run

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime 1.29 and later else tells Microsoft of every model
__all__ = ["AsyncClient", "Client", "__version__", "audit", "evaluate", "load", "run_study", "train"]


def audit(
    data: str | Path | Sequence[str | Path],
    *,
    against: str | Path | Sequence[str | Path] = (),
    seed: int = 0,
    use_atlas: bool = True,
    channels: Channels = "one",
    progress: Progress | None = None,
) -> Audit:
    """Look for copies, leaks, conflicts and shortcuts in a data set (see `tumorscope.audits.audit.run_audit`).

    >>> import tumorscope
    >>> audit = tumorscope.audit("phantom:48")
    >>> audit.summary["classes"]
    {'glioma': 12, 'meningioma': 12, 'notumor': 12, 'pituitary': 12}
    >>> list(audit.pairs.columns)
    ['a', 'b', 'kind', 'similarity', 'transform']

    ``audit.report()`` prints it, ``audit.report("audit/")`` also writes it, and in a notebook it shows itself.
    """
    from tumorscope.audits.audit import run_audit
    from tumorscope.facade import Audit

    return Audit.of(
        run_audit(data, against=against, seed=seed, use_atlas=use_atlas, channels=channels, progress=progress)
    )


def train(
    data: str | Path | Sequence[str | Path],
    *,
    recipe: str | Path = "quick",
    out: str | Path | None = None,
    split: str = "grouped",
    fold: int | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Run:
    """Train a model and evaluate it on the test part of the split (see `tumorscope.training.run.train`).

    Without `out` the run folder is ``runs/`` and the recipe's name. Needs ``pip install 'tumorscope[train]'``.

    >>> import tempfile
    >>> import tumorscope
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = tumorscope.train("phantom:48", recipe="smoke", out=folder, overrides={"schedule.epochs": 1})
    ...     tumorscope.load(run.model).classes
    ('glioma', 'meningioma', 'notumor', 'pituitary')
    """
    from tumorscope.training import train as train_model

    return train_model(
        data,
        recipe=recipe,
        out=Path("runs", Path(recipe).stem) if out is None else out,
        split=split,
        fold=fold,
        overrides=overrides,
        resume=resume,
        say=say,
        progress=progress,
    )


def load(path: str | Path | None = None, *, threads: int = 0) -> Model:
    """Load a model file, or without a path the shipped model (see `tumorscope.inference.load`).

    >>> import tumorscope
    >>> model = tumorscope.load()
    >>> model.classes
    ('glioma', 'meningioma', 'notumor', 'pituitary')
    >>> finding = model.predict("examples/scans/phantom_notumor.png")[0]
    >>> round(sum(finding.probabilities.values()), 3)
    1.0

    ``model.predict(paths).to_frame()`` is a table; in a notebook findings show themselves.
    """
    from tumorscope.inference import load as load_model

    return load_model(path, threads=threads)


def evaluate(
    model: Model | ForeignModel | str | Path,
    data: str | Path | Sequence[str | Path],
    *,
    split: str = "test",
    channels: Channels = "one",
    seed: int = 0,
    prevalence: float = 0.05,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a model on data sets, with what it has seen taken out (see `tumorscope.evaluation.evaluate_data`).

    A path is that of a model file, or of the YAML that describes a model that is not ours.
    ``evaluation.report("eval/")`` writes the page and ``metrics.json``; in a notebook it shows itself.
    """
    from tumorscope.evaluation import evaluate_data, open_model
    from tumorscope.facade import Evaluation

    loaded = open_model(model) if isinstance(model, str | Path) else model
    return Evaluation.of(
        evaluate_data(loaded, data, split=split, channels=channels, seed=seed, prevalence=prevalence, progress=progress)
    )


def run_study(
    study: str | Path,
    *,
    out: str | Path,
    data_root: str | Path | None = None,
    cpu_hours: float | None = None,
    jobs: int = 1,
    overrides: dict[str, Any] | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> StudyRun:
    """Run a study, or go on with an interrupted one (see `tumorscope.studies.run.run_study`).

    `study` is a YAML file or the name of a shipped one. ``run_study(...).leaderboard`` is the table.
    """
    from tumorscope.studies import run_study as run

    return run(
        study,
        out=out,
        data_root=data_root,
        cpu_hours=cpu_hours,
        jobs=jobs,
        overrides=overrides,
        say=say,
        progress=progress,
    )


def __getattr__(name: str) -> Any:
    """Load the clients of a server when they are asked for."""
    if name in ("AsyncClient", "Client"):
        from tumorscope import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
