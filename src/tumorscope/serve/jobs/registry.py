"""The kinds of jobs. A kind is one runner and one row here; the runner is loaded with the first job of its kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tumorscope.serve.jobs.work import Work

Runner = Callable[["Work"], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: the word in the store and in documents.
        load: gives the runner; imports what it needs.
        route: under which path ``{route}/{id}`` tells how far one is.
        at_once: how many jobs of this kind run side by side; the others wait as 'queued'.
    """

    name: str
    load: Callable[[], Runner]
    route: str
    at_once: int = 1


def _findings() -> Runner:
    from tumorscope.serve.jobs.findings import run

    return run


def _audit() -> Runner:
    from tumorscope.serve.audits.runner import run

    return run


_ALL = (Kind("findings", _findings, "/v1/jobs", at_once=8), Kind("audit", _audit, "/v1/audits"))
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
