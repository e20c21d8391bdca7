"""The jobs of one server: taken in, worked on side by side, told of, and removed when their time is over."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, to_thread

from tumorscope.errors import OutputError, TumorscopeError
from tumorscope.serve.jobs.document import job_document
from tumorscope.serve.jobs.draft import Draft
from tumorscope.serve.jobs.folders import JobFolders
from tumorscope.serve.jobs.gauges import show_jobs
from tumorscope.serve.jobs.place import Place, holding
from tumorscope.serve.jobs.record import ENDED, OPEN, Job, JobGoneError, JobStopped, TooManyJobsError
from tumorscope.serve.jobs.registry import KINDS
from tumorscope.serve.jobs.store import JobStore
from tumorscope.serve.jobs.subscriptions import Subscription, Subscriptions
from tumorscope.serve.jobs.work import Work
from tumorscope.serve.problems import internal_problem
from tumorscope.serve.uploads import Upload

if TYPE_CHECKING:
    from tumorscope.serve.service import Service

FOLDER = "jobs"
SWEEP_S = 30.0
CLOCK_S = 60.0
"""A clock may be set back by so much without a job passing for one of another time."""
RETRY_AFTER = (5.0, 30.0, 120.0)
"""Seconds after which a job that could not be written is tried again."""
NO_ROOM = "the server's disk is full or cannot be written; submit it again once there is room"
FULL_S = 30
"""Clients that come while too many jobs are open are asked to wait so long."""
log = logging.getLogger("tumorscope.serve")


@dataclass
class _Open:
    """A job that is queued or worked on, the word to its thread that it shall end, and whether all but that is done."""

    task: asyncio.Task[None]
    stopped: threading.Event
    is_ending: bool = False

    def stop(self) -> asyncio.Task[None]:
        self.stopped.set()
        self.task.cancel()
        return self.task


@asynccontextmanager
async def serving_jobs(service: Service) -> AsyncIterator[JobService]:
    """Open the jobs of a server, go on with those that an earlier one left, and close them when the block ends.

    Raises:
        UsageError: another server works in the same folder.
        OutputError: it cannot be written.
    """
    settings = service.settings
    with holding(settings.keep, settings.host, settings.port) as place:
        jobs = JobService(place, service)
        show_jobs(service.telemetry.registry, open_jobs=lambda: jobs.open, listeners=lambda: jobs.listeners)
        try:
            await jobs.start()
            yield jobs
        finally:
            await jobs.close()


class JobService:
    """The durable jobs of one server; get them from `serving_jobs`.

    Args:
        place: the folder that this process holds.
        service: what runners work with.

    Attributes:
        lifetime: seconds from a job's end to its removal; None where it is kept.
    """

    def __init__(self, place: Place, service: Service) -> None:
        limits = service.settings.limits
        self.lifetime = None if place.keeps else limits.job_lifetime_seconds
        self._most_open = limits.jobs
        self._service = service
        self._folders = JobFolders(place.folder / FOLDER)
        self._store = JobStore(place.folder)
        self._subscriptions = Subscriptions()
        self._drafts = 0
        self._open: dict[str, _Open] = {}
        self._tending: list[asyncio.Task[None]] = []
        self._turns = {name: asyncio.Semaphore(kind.at_once) for name, kind in KINDS.items()}

    @property
    def open(self) -> int:
        """How many jobs are queued, running or being received."""
        return sum(not job.is_ending for job in self._open.values()) + self._drafts

    @property
    def listeners(self) -> int:
        """How many listen to the events of any job."""
        return self._subscriptions.listeners

    @asynccontextmanager
    async def accepting(self, kind: str, *, size: int = 0) -> AsyncIterator[Draft]:
        """Take a job in: a private folder for its uploads, which goes unless the job is submitted.

        Args:
            kind: a name of `KINDS`.
            size: bytes that are announced; refused at once where the disk has no room for them.

        Raises:
            TooManyJobsError: as many are open as the server takes.
            OutputError: the disk is full.
        """
        if self.open >= self._most_open:
            raise TooManyJobsError(self._most_open, FULL_S)

        async def accept(job_id: str, uploads: Sequence[Upload], options: dict[str, Any], total: int) -> Job:
            job = Job(job_id, kind, "queued", "", total, 0, 0, time.time(), options=options)
            with CancelScope(shield=True):  # a client that leaves now has left its job here
                await to_thread.run_sync(self._write_down, job, uploads)
                self._begin(job, was_interrupted=False)
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

    def document(self, job: Job) -> dict[str, Any]:
        """Return a job as the API tells of it, as plain data."""
        return job_document(job, self.lifetime).model_dump(by_alias=True)

    def listening(self, job_id: str) -> AbstractContextManager[Subscription]:
        """Listen to a job within a block."""
        return self._subscriptions.listening(job_id)

    async def remove(self, job_id: str) -> None:
        """Cancel a job if it is open, and remove it with its files.

        Raises:
            JobGoneError: there is none of that id.
        """
        await self.get(job_id)
        if job_id in self._open:
            await asyncio.wait([self._open[job_id].stop()])
        job = await self.get(job_id)  # it may have ended meanwhile
        self._subscriptions.publish(
            await to_thread.run_sync(self._store.end, job_id, "cancelled") if job.is_open else job
        )
        await to_thread.run_sync(self._forget, job_id)

    async def start(self) -> None:
        """Go on with the jobs that an earlier server left, and remove those whose time is over."""
        await to_thread.run_sync(self._tidy)
        for job in await to_thread.run_sync(self._store.with_status, OPEN):
            self._begin(job, was_interrupted=job.status == "running")
        self._tending += [asyncio.create_task(task) for task in (self._keep_sweeping(), self._close_in_time())]

    async def close(self) -> None:
        """Stop working; open jobs stay recorded, and the next server goes on with them."""
        self._subscriptions.close()
        for task in self._tending:
            task.cancel()
        stopped = [running.stop() for running in list(self._open.values())]
        await asyncio.gather(*self._tending, *stopped, return_exceptions=True)
        try:
            await to_thread.run_sync(self._store.lay_down)
        except OutputError as error:
            log.warning("the next server will take this stop for a death: the folder of the jobs %s", error.what)
        await to_thread.run_sync(self._store.close)

    def _begin(self, job: Job, *, was_interrupted: bool) -> None:
        stopped = threading.Event()
        task = asyncio.create_task(self._work(job, was_interrupted, stopped))
        self._open[job.id] = _Open(task, stopped)
        task.add_done_callback(lambda _: self._open.pop(job.id, None))

    async def _work(self, job: Job, was_interrupted: bool, stopped: threading.Event) -> None:
        async with self._turns[job.kind]:
            try:
                error = await self._run_with_patience(job, was_interrupted, stopped)
                self._open[job.id].is_ending = True  # before anyone can see it: who does may submit the next
                ended = await to_thread.run_sync(self._store.end, job.id, "failed" if error else "done", error)
                if self.lifetime is not None:
                    await to_thread.run_sync(self._folders.remove_files, job.id)
                self._subscriptions.publish(ended)
            except (JobGoneError, JobStopped):
                return
            except OutputError as fault:  # it stays open, and the next server goes on with it
                log.warning("a job of kind %s stands still: %s", job.kind, fault.what)

    async def _run_with_patience(self, job: Job, was_interrupted: bool, stopped: threading.Event) -> str | None:
        """Run a job to its end, again where the disk was full for a while; return why it failed, None if it did not."""
        for pause in (*RETRY_AFTER, None):
            try:
                return await self._run(job, was_interrupted, stopped)
            except OutputError as fault:
                log.warning("a job of kind %s waits: %s", job.kind, fault.what)
                if pause is not None:
                    await asyncio.sleep(pause)
        return NO_ROOM

    async def _run(self, job: Job, was_interrupted: bool, stopped: threading.Event) -> str | None:
        begun = await to_thread.run_sync(self._store.begin, job.id)
        self._subscriptions.publish(begun)
        files = await to_thread.run_sync(self._uploads, job.id)
        results = self._folders.results(job.id)
        work = Work(
            begun, files, results, self._service, was_interrupted, self._store, self._subscriptions.publish, stopped
        )
        try:
            await KINDS[job.kind].load()(work)
        except (OutputError, JobGoneError):
            raise
        except TumorscopeError as error:
            return error.what if error.remedy is None else f"{error.what}; {error.remedy}"
        except Exception as error:
            return str(internal_problem(error).detail)
        return None

    async def _close_in_time(self) -> None:
        """Let every listener go once the server is asked to stop: it waits for open connections."""
        await self._service.admission.stopping.wait()
        self._subscriptions.close()

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await to_thread.run_sync(self._sweep)
            except OutputError as error:
                log.warning("jobs whose time is over cannot be removed: the folder %s", error.what)

    def _uploads(self, job_id: str) -> list[Upload]:
        folder = self._folders.files(job_id)
        return [Upload(name, folder / stored) for name, stored in self._store.files(job_id)]

    def _write_down(self, job: Job, uploads: Sequence[Upload]) -> None:
        self._folders.flush(job.id, uploads)
        self._store.add(job, [(upload.name, upload.path.name) for upload in uploads])

    def _forget(self, job_id: str) -> None:
        self._store.remove(job_id)
        self._folders.remove(job_id)

    def _clear_unless_known(self, job_id: str) -> None:
        try:
            self._store.get(job_id)
        except JobGoneError:
            self._folders.remove(job_id)

    def _tidy(self) -> None:
        self._sweep()
        ended = [job.id for job in self._store.with_status(ENDED)]
        self._folders.remove_others({*ended, *(job.id for job in self._store.with_status(OPEN))})
        if self.lifetime is not None:  # the server may have died between a job's end and this
            for job_id in ended:
                self._folders.remove_files(job_id)

    def _sweep(self) -> None:
        """Remove the jobs whose time is over."""
        if self.lifetime is None:
            return
        now = time.time()
        for job in self._store.with_status(ENDED):
            if job.ended is None or not -CLOCK_S <= now - job.ended < self.lifetime:
                self._forget(job.id)
