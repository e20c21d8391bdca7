"""The kinds of jobs that the server takes. A kind is one runner and one row of `KINDS`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tumorscope.jobs import Kind, Runner, Work
from tumorscope.serve.audits import runner as audits
from tumorscope.serve.jobs import findings
from tumorscope.serve.service import Service


@dataclass(frozen=True)
class ServedKind:
    """A kind of job that clients may ask for.

    Attributes:
        run: works on one job of this kind to its end, by the model, the engine and the settings of the server.
        route: under which path ``{route}/{id}`` tells how far one is.
        at_once: how many jobs of this kind run side by side; the others wait as 'queued'.
    """

    run: Callable[[Work, Service], Awaitable[None]]
    route: str
    at_once: int = 1


KINDS: dict[str, ServedKind] = {
    "findings": ServedKind(findings.run, "/v1/jobs", at_once=8),
    "audit": ServedKind(audits.run, "/v1/audits"),
}
"""By name: the word in the store and in documents."""


def kinds_of(service: Service) -> list[Kind]:
    """Return the kinds of jobs that a server works on, their runners bound to it."""
    return [Kind(name, _bound(kind, service), kind.at_once) for name, kind in KINDS.items()]


def _bound(kind: ServedKind, service: Service) -> Runner:
    async def run(work: Work) -> None:
        await kind.run(work, service)

    return run
