"""The jobs of a running server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tumorscope.jobs import JobService, holding
from tumorscope.serve.jobs.kinds import kinds_of
from tumorscope.serve.problems import internal_problem
from tumorscope.serve.service import Service


@asynccontextmanager
async def serving_jobs(service: Service) -> AsyncIterator[JobService]:
    """Open the jobs of a server, go on with those that an earlier one left, and close them when the block ends.

    Raises:
        UsageError: another server works in the same folder.
        OutputError: it cannot be written.
    """
    settings, limits = service.settings, service.settings.limits
    with holding(settings.keep, settings.host, settings.port) as place:
        jobs = JobService(
            place.folder,
            kinds_of(service),
            most_open=limits.jobs,
            lifetime=None if place.keeps else limits.job_lifetime_seconds,
            tell_failure=lambda error: str(internal_problem(error).detail),
        )
        service.telemetry.watch_jobs(open_jobs=lambda: jobs.open, listeners=lambda: jobs.listeners)
        watching = asyncio.create_task(_close_subscriptions_in_time(jobs, service.admission.stopping))
        try:
            await jobs.start()
            yield jobs
        finally:
            watching.cancel()
            await jobs.close()


async def _close_subscriptions_in_time(jobs: JobService, stopping: asyncio.Event) -> None:
    """Let every listener go once the server is asked to stop: it waits for open connections."""
    await stopping.wait()
    jobs.close_subscriptions()
