"""The jobs of one server: taken in, worked on side by side, told of, and removed when their time is over."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, to_thread

from tumorscope.errors import OutputError, TumorscopeError
from tumorscope.serve.jobs.bell import Bell, Ear
from tumorscope.serve.jobs.disk import flush
from tumorscope.serve.jobs.document import job_document
from tumorscope.serve.jobs.place import PRIVATE, Place, holding
from tumorscope.serve.jobs.record import ENDED, OPEN, Job, JobGoneError, TooManyJobsError
from tumorscope.serve.jobs.registry import KINDS
from tumorscope.serve.jobs.store import JobStore
from tumorscope.serve.jobs.work import Work
from tumorscope.serve.problems import internal_problem
from tumorscope.serve.uploads import Upload

if TYPE_CHECKING:
    from tumorscope.serve.service import Service

FOLDER, FILES, RESULTS = "jobs", "files", "results"
SWEEP_S = 30.0
RETRIES, RETRY_S = 3, 10.0
FULL_S = 30
"""Clients that come while too many jobs are open are asked to wait so long."""
log = logging.getLogger("tumorscope.serve")


@dataclass(frozen=True)
class Draft:
    """A job that is being taken in.

    Attributes:
        id: the job's, unguessable.
        files: the folder for its uploads, under names that are ours.
    """

    id: str
    files: Path
    _accept: Callable[[str, Sequence[Upload], dict[str, Any], int], Awaitable[Job]] = field(repr=False)

    async def submit(self, uploads: Sequence[Upload], *, options: dict[str, Any], total: int | None = None) -> Job:
        """Record the job and let it begin; whatever happens from here on, it is worked on to its end.

        Args:
            uploads: what lies in `files`, in order.
            options: what was asked, as plain data.
            total: how much there is to do; else the number of uploads.

        Raises:
            OutputError: the disk is full.
        """
        return await self._accept(self.id, uploads, options, len(uploads) if total is None else total)


@asynccontextmanager
async def serving_jobs(service: Service) -> AsyncIterator[Jobs]:
    """Open the jobs of a server, go on with those that an earlier one left, and close them when the block ends.

    Raises:
        UsageError: another server works in the same folder.
        OutputError: it cannot be written.
    """
    settings = service.settings
    with holding(settings.keep, settings.host, settings.port) as place:
        jobs = Jobs(place, service)
        await jobs.start()
        try:
            yield jobs
        finally:
            await jobs.close()


class Jobs:
    """The durable jobs of one server; get them from `serving_jobs`.

    Args:
        place: the folder that this process holds.
        service: what runners work with.
    """

    def __init__(self, place: Place, service: Service) -> None:
        limits = service.settings.limits
        self.lifetime = None if place.keeps else limits.job_lifetime_seconds
        self._most_open = limits.jobs
        self._folder = place.folder / FOLDER
        self._service = service
        self._drafts = 0
        self._store = JobStore(place.folder)
        self._bell = Bell()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = {name: asyncio.Semaphore(kind.at_once) for name, kind in KINDS.items()}

    @property
    def listeners(self) -> int:
        """How many listen to the events of any job."""
        return self._bell.listeners

    @asynccontextmanager
    async def accepting(self, kind: str) -> AsyncIterator[Draft]:
        """Take a job in: a private folder for its uploads, which goes unless the job is submitted.

        Raises:
            TooManyJobsError: as many are open as the server takes.
        """
        if len(self._tasks) + self._drafts >= self._most_open:
            raise TooManyJobsError(self._most_open, FULL_S)
        job_id = secrets.token_urlsafe(24)
        folder = self._folder / job_id

        async def accept(job_id: str, uploads: Sequence[Upload], options: dict[str, Any], total: int) -> Job:
            job = Job(job_id, kind, "queued", "", total, 0, 0, time.time(), options=options)
            with CancelScope(shield=True):  # a client that leaves now has left its job here
                await to_thread.run_sync(self._write_down, job, uploads)
                self._begin(job, was_interrupted=False)
            return job

        self._drafts += 1
        try:
            await to_thread.run_sync(_make_folders, folder)
            yield Draft(job_id, folder / FILES, accept)
        finally:
            self._drafts -= 1
            with CancelScope(shield=True):
                if not await self._is_known(job_id):
                    await to_thread.run_sync(_remove_folder, folder)

    async def get(self, job_id: str) -> Job:
        """Return a job as it stands.

        Raises:
            JobGoneError: there is none of that id.
        """
        return await to_thread.run_sync(self._store.get, job_id)

    async def entries(self, job_id: str, since: int = 0, limit: int = -1) -> list[str]:
        """Return what was recorded from `since` on, as JSON texts; at most `limit`, if that is not negative."""
        return await to_thread.run_sync(self._store.entries, job_id, since, limit)

    async def count_entries(self, job_id: str) -> int:
        """Return how many entries a job has so far."""
        return await to_thread.run_sync(self._store.count_entries, job_id)

    def results(self, job_id: str) -> Path:
        """Return the folder of what a job has made; `job_id` is one that `get` has found."""
        return self._folder / job_id / RESULTS

    def document(self, job: Job) -> dict[str, Any]:
        """Return a job as the API tells of it, as plain data."""
        return job_document(job, self.lifetime).model_dump(by_alias=True)

    def listening(self, job_id: str) -> AbstractContextManager[Ear]:
        """Listen to a job within a block."""
        return self._bell.listening(job_id)

    async def remove(self, job_id: str) -> None:
        """Cancel a job if it is open, and remove it with its files.

        Raises:
            JobGoneError: there is none of that id.
        """
        job = await self.get(job_id)
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if job.is_open:
            self._bell.ring(await to_thread.run_sync(self._store.end, job_id, "cancelled"))
        await to_thread.run_sync(self._forget, job_id)

    async def start(self) -> None:
        """Go on with the jobs that an earlier server left, and remove those whose time is over."""
        await to_thread.run_sync(self._sweep)
        await to_thread.run_sync(self._remove_unaccepted)
        for job in await to_thread.run_sync(self._store.with_status, OPEN):
            self._begin(job, was_interrupted=job.status == "running")
        self._tending = [asyncio.create_task(task) for task in (self._keep_sweeping(), self._hang_up_in_time())]

    async def close(self) -> None:
        """Stop working; open jobs stay recorded, and the next server goes on with them."""
        tasks = [*self._tending, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await to_thread.run_sync(self._store.close)

    def _begin(self, job: Job, *, was_interrupted: bool) -> None:
        task = asyncio.create_task(self._work(job, was_interrupted))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def _work(self, job: Job, was_interrupted: bool) -> None:
        async with self._turns[job.kind]:
            try:
                error = await self._run(job, was_interrupted)
                await self._end(job.id, error)
            except JobGoneError:
                return
            except OutputError as fault:  # it stays open, and the next server goes on with it
                log.warning("a job of kind %s stands still: its folder %s", job.kind, fault.what)

    async def _run(self, job: Job, was_interrupted: bool) -> str | None:
        """Run a job to its end, again where the disk was full; return why it failed, None if it did not."""
        files = await to_thread.run_sync(self._uploads, job)
        for attempt in range(RETRIES + 1):
            begun = await to_thread.run_sync(self._store.begin, job.id)
            self._bell.ring(begun)
            work = Work(
                begun, files, self.results(job.id), self._service, was_interrupted, self._store, self._bell.ring
            )
            try:
                await KINDS[job.kind].load()(work)
            except OutputError:
                if attempt == RETRIES:
                    raise
                await asyncio.sleep(RETRY_S)
            except JobGoneError:
                raise
            except TumorscopeError as error:
                return error.what if error.remedy is None else f"{error.what}; {error.remedy}"
            except Exception as error:
                return str(internal_problem(error).detail)
            else:
                return None
            finally:
                work.stop()
        return None

    async def _end(self, job_id: str, error: str | None) -> None:
        job = await to_thread.run_sync(self._store.end, job_id, "done" if error is None else "failed", error)
        if self.lifetime is not None:
            await to_thread.run_sync(_remove_folder, self._folder / job_id / FILES)
        self._bell.ring(job)

    async def _is_known(self, job_id: str) -> bool:
        try:
            await self.get(job_id)
        except JobGoneError:
            return False
        return True

    def _uploads(self, job: Job) -> list[Upload]:
        folder = self._folder / job.id / FILES
        return [Upload(name, folder / stored) for name, stored in self._store.files(job.id)]

    def _write_down(self, job: Job, uploads: Sequence[Upload]) -> None:
        folder = self._folder / job.id
        try:
            flush([upload.path for upload in uploads], [folder / FILES, folder, self._folder])
        except OSError as error:
            raise OutputError(
                f"a job cannot be kept ({(error.strerror or str(error)).lower()})", remedy="free some space, try again"
            ) from error
        self._store.add(job, [(upload.name, upload.path.name) for upload in uploads])

    def _forget(self, job_id: str) -> None:
        self._store.remove(job_id)
        _remove_folder(self._folder / job_id)

    async def _hang_up_in_time(self) -> None:
        """Let every listener go once the server is asked to stop: it waits for open connections."""
        await self._service.gate.stopping.wait()
        self._bell.hang_up()

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await to_thread.run_sync(self._sweep)
            except OutputError as error:
                log.warning("jobs whose time is over cannot be removed: the folder %s", error.what)

    def _sweep(self) -> None:
        """Remove the jobs whose time is over."""
        if self.lifetime is None:
            return
        now = time.time()
        for job in self._store.with_status(ENDED):
            if job.ended is None or not 0 <= now - job.ended < self.lifetime:
                self._forget(job.id)

    def _remove_unaccepted(self) -> None:
        """Remove the folders of jobs that were still being taken in when the server died."""
        _make_private(self._folder)
        known = {job.id for job in self._store.with_status((*OPEN, *ENDED))}
        for folder in self._folder.iterdir():
            if folder.name not in known:
                _remove_folder(folder)


def _make_folders(folder: Path) -> None:
    for part in (folder, folder / FILES, folder / RESULTS):
        _make_private(part)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
