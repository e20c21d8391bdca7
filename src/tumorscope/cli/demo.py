"""The verb ``demo``: parse, call `run_demo`, print."""

from __future__ import annotations

from pathlib import Path

from tumorscope.cli.options import Out
from tumorscope.cli.terminal import Reporter


def demo(out: Out = Path("demo")) -> None:
    """Audit a phantom set with planted leaks, run the shipped model on examples, and write one page of both."""
    from tumorscope.demo import run_demo

    with Reporter() as progress:
        page = run_demo(out, say=progress.say, progress=progress)
    print(page)
