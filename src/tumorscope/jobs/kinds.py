"""The kinds of jobs. Who opens a `JobService` names the kinds that it works on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tumorscope.jobs.work import Work

Runner = Callable[[Work], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: the word in the store and in documents.
        run: works on one job of this kind to its end.
        at_once: how many jobs of this kind run side by side; the others wait as 'queued'.
    """

    name: str
    run: Runner
    at_once: int = 1
