"""tumorscope reads brain MRI and says whether there is a tumor, which kind, where, and how far it can be trusted.

Three calls do what the command line does:

>>> import tumorscope
>>> audit = tumorscope.audit("phantom:48")
>>> audit.summary["images"]
48
>>> findings = tumorscope.load().predict("examples/scans")  # doctest: +SKIP
>>> run = tumorscope.train("phantom", recipe="smoke", out="runs/smoke")  # doctest: +SKIP

Research use only, not a medical device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tumorscope.version import __version__

if TYPE_CHECKING:
    from tumorscope.catalog.audit import run_audit as audit
    from tumorscope.evaluation import evaluate_data as evaluate
    from tumorscope.inference import load
    from tumorscope.training.run import train

__all__ = ["__version__", "audit", "evaluate", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import a job when it is first asked for: `import tumorscope` itself stays light."""
    if name == "audit":
        from tumorscope.catalog.audit import run_audit

        return run_audit
    if name == "evaluate":
        from tumorscope.evaluation import evaluate_data

        return evaluate_data
    if name == "load":
        from tumorscope.inference import load

        return load
    if name == "train":
        from tumorscope.training import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what can be imported."""
    return sorted(__all__)
