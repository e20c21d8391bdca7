"""The jobs of one process: taken in, worked on side by side, told of, and removed when their time is over."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import CancelScope, to_thread

from tumorscope.errors import OutputError
from tumorscope.jobs.draft import Draft
from tumorscope.jobs.executor import JobExecutor
from tumorscope.jobs.expiry import Expiry
from tumorscope.jobs.folders import JobFolders
from tumorscope.jobs.kinds import Kind
from tumorscope.jobs.record import OPEN, Job, JobGoneError, NamedFile, TooManyJobsError
from tumorscope.jobs.store import JobStore
from tumorscope.jobs.subscriptions import Subscription, Subscriptions

FOLDER = "jobs"
log = logging.getLogger(__name__)


class JobService:
    """The durable jobs of one process; `start` it, and `close` it at the end.

    Args:
        folder: where they lie; this process alone works there (see `holding`).
        kinds: that it works on.
        most_open: how many jobs of every kind may be open at one time.
        lifetime: seconds from a job's end to its removal; None where it is kept until it is removed.
        tell_failure: logs an error that is none of a `TumorscopeError`, and returns what may be told of it.

    Raises:
        OutputError: the folder cannot be written, or the record in it is none of ours.
    """

    def __init__(
        self,
        folder: Path,
        kinds: Iterable[Kind],
        *,
        most_open: int,
        lifetime: float | None,
        tell_failure: Callable[[Exception], str],
    ) -> None:
        self.lifetime = lifetime
        self._most_open = most_open
        self._folders = JobFolders(folder / FOLDER)
        self._store = JobStore(folder)
        self._subscriptions = Subscriptions()
        self._expiry = Expiry(self._store, self._folders, lifetime)
        self._executor = JobExecutor(
            kinds,
            self._store,
            self._folders,
            publish=self._subscriptions.publish,
            keeps_files=lifetime is None,
            tell_failure=tell_failure,
        )
        self._drafts = 0
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """How many jobs are queued, running or being received."""
        return self._executor.open + self._drafts

    @property
    def listeners(self) -> int:
        """How many listen to the events of any job."""
        return self._subscriptions.listeners

    @asynccontextmanager
    async def accepting(self, kind: str, *, size: int = 0) -> AsyncIterator[Draft]:
        """Take a job in: a private folder for its files, which goes unless the job is submitted.

        Args:
            kind: the name of one of the kinds.
            size: bytes that are announced; refused at once where the disk has no room for them.

        Raises:
            TooManyJobsError: as many are open as are taken.
            OutputError: the disk is full.
        """
        if self.open >= self._most_open:
            raise TooManyJobsError(self._most_open)

        async def accept(job_id: str, files: Sequence[NamedFile], options: dict[str, Any], total: int) -> Job:
            job = Job(job_id, kind, "queued", "", total, 0, 0, time.time(), options=options)
            with CancelScope(shield=True):  # a client that leaves now has left its job here
                await to_thread.run_sync(self._write_down, job, files)
                self._executor.begin(job, was_interrupted=False)
            return job

        job_id = secrets.token_urlsafe(24)
        self._drafts += 1
        try:
            await to_thread.run_sync(self._folders.make, job_id, size)
            yield Draft(job_id, self._folders.files(job_id), accept)
        finally:
            self._drafts -= 1
            with CancelScope(shield=True):
                await to_thread.run_sync(self._clear_unless_known, job_id)

    async def get(self, job_id: str) -> Job:
        """Return a job as it stands.

        Raises:
            JobGoneError: there is none of that id.
        """
        return await to_thread.run_sync(self._store.get, job_id)

    async def entries(self, job_id: str, since: int = 0, limit: int = -1) -> list[str]:
        """Return what was recorded from `since` on, as JSON texts; at most `limit`, if that is not negative."""
        return await to_thread.run_sync(self._store.entries, job_id, since, limit)

    def results(self, job_id: str) -> Path:
        """Return the folder of what a job has made; `job_id` is one that `get` has found."""
        return self._folders.results(job_id)

    def listening(self, job_id: str) -> AbstractContextManager[Subscription]:
        """Listen to a job within a block."""
        return self._subscriptions.listening(job_id)

    def close_subscriptions(self) -> None:
        """Let every listener go, and tell nobody any more; the jobs themselves go on."""
        self._subscriptions.close()

    async def remove(self, job_id: str) -> None:
        """Cancel a job if it is open, and remove it with its files.

        Raises:
            JobGoneError: there is none of that id.
        """
        await self.get(job_id)
        await self._executor.stop(job_id)
        job = await self.get(job_id)  # it may have ended meanwhile
        self._subscriptions.publish(
            await to_thread.run_sync(self._store.end, job_id, "cancelled") if job.is_open else job
        )
        await to_thread.run_sync(self._expiry.forget, job_id)

    async def start(self) -> None:
        """Go on with the jobs that an earlier process left, and remove those whose time is over."""
        await to_thread.run_sync(self._expiry.tidy)
        for job in await to_thread.run_sync(self._store.with_status, OPEN):
            self._executor.begin(job, was_interrupted=job.status == "running")
        self._sweeping = asyncio.create_task(self._expiry.keep_sweeping())

    async def close(self) -> None:
        """Stop working; open jobs stay recorded, and the next process goes on with them."""
        self._subscriptions.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self._executor.stop_all()
        try:
            await to_thread.run_sync(self._store.lay_down)
        except OutputError as error:
            log.warning("the next server will take this stop for a death: the folder of the jobs %s", error.what)
        await to_thread.run_sync(self._store.close)

    def _write_down(self, job: Job, files: Sequence[NamedFile]) -> None:
        self._folders.flush(job.id, files)
        self._store.add(job, [(file.name, file.path.name) for file in files])

    def _clear_unless_known(self, job_id: str) -> None:
        try:
            self._store.get(job_id)
        except JobGoneError:
            self._folders.remove(job_id)
