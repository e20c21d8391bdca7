"""Removing jobs whose time is over, and what a process that died has left."""

from __future__ import annotations

import asyncio
import logging
import time

from anyio import to_thread

from tumorscope.errors import OutputError
from tumorscope.jobs.folders import JobFolders
from tumorscope.jobs.record import ENDED, OPEN
from tumorscope.jobs.store import JobStore

SWEEP_S = 30.0
CLOCK_S = 60.0
"""A clock may be set back by so much without a job passing for one of another time."""
log = logging.getLogger(__name__)


class Expiry:
    """Forgets jobs once their time is over.

    Args:
        store: the record of the jobs.
        folders: of the jobs.
        lifetime: seconds from a job's end to its removal; None where it is kept.
    """

    def __init__(self, store: JobStore, folders: JobFolders, lifetime: float | None) -> None:
        self._store, self._folders, self._lifetime = store, folders, lifetime

    def forget(self, job_id: str) -> None:
        """Remove a job and all that it has."""
        self._store.remove(job_id)
        self._folders.remove(job_id)

    def sweep(self) -> None:
        """Remove the jobs whose time is over."""
        if self._lifetime is None:
            return
        now = time.time()
        for job in self._store.with_status(ENDED):
            if job.ended is None or not -CLOCK_S <= now - job.ended < self._lifetime:
                self.forget(job.id)

    def tidy(self) -> None:
        """Sweep, and remove what belongs to no job, or to none that still needs it."""
        self.sweep()
        ended = [job.id for job in self._store.with_status(ENDED)]
        self._folders.remove_others({*ended, *(job.id for job in self._store.with_status(OPEN))})
        if self._lifetime is not None:  # the process may have died between a job's end and this
            for job_id in ended:
                self._folders.remove_files(job_id)

    async def keep_sweeping(self) -> None:
        """Sweep every half a minute until the task is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await to_thread.run_sync(self.sweep)
            except OutputError as error:
                log.warning("jobs whose time is over cannot be removed: the folder %s", error.what)
