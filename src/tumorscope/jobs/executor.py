"""Working on open jobs: side by side, those of a kind in turn, each to its end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from anyio import to_thread

from tumorscope.errors import OutputError, TumorscopeError
from tumorscope.jobs.folders import JobFolders
from tumorscope.jobs.kinds import Kind
from tumorscope.jobs.record import Job, JobFile, JobGoneError, JobStopped
from tumorscope.jobs.store import JobStore
from tumorscope.jobs.work import Work

RETRY_AFTER = (5.0, 30.0, 120.0)
"""Seconds after which a job that could not be written is tried again."""
NO_ROOM = "the server's disk is full or cannot be written; submit it again once there is room"
log = logging.getLogger(__name__)


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


class JobExecutor:
    """Runs the runners of jobs and records how they end; to be used from the event loop only.

    Args:
        kinds: that it works on.
        store: the record of the jobs.
        folders: of the jobs.
        publish: is told of every change.
        keeps_files: whether the files of ended jobs stay.
        tell_failure: logs an error that is none of a `TumorscopeError`, and returns what may be told of it.
    """

    def __init__(
        self,
        kinds: Iterable[Kind],
        store: JobStore,
        folders: JobFolders,
        *,
        publish: Callable[[Job], None],
        keeps_files: bool,
        tell_failure: Callable[[Exception], str],
    ) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._turns = {name: asyncio.Semaphore(kind.at_once) for name, kind in self._kinds.items()}
        self._store, self._folders = store, folders
        self._publish, self._keeps_files, self._tell_failure = publish, keeps_files, tell_failure
        self._open: dict[str, _Open] = {}

    @property
    def open(self) -> int:
        """How many jobs are queued or running."""
        return sum(not job.is_ending for job in self._open.values())

    def begin(self, job: Job, *, was_interrupted: bool) -> None:
        """Work on a recorded job as soon as it is its turn.

        Args:
            job: one that is open.
            was_interrupted: whether the process died over it.
        """
        stopped = threading.Event()
        task = asyncio.create_task(self._work(job, was_interrupted, stopped))
        self._open[job.id] = _Open(task, stopped)
        task.add_done_callback(lambda _: self._open.pop(job.id, None))

    async def stop(self, job_id: str) -> None:
        """Stop working on a job, and return once that is so; nothing happens where it is not open."""
        if job_id in self._open:
            await asyncio.wait([self._open[job_id].stop()])

    async def stop_all(self) -> None:
        """Stop working on every job."""
        stopped = [running.stop() for running in list(self._open.values())]
        await asyncio.gather(*stopped, return_exceptions=True)

    async def _work(self, job: Job, was_interrupted: bool, stopped: threading.Event) -> None:
        async with self._turns[job.kind]:
            try:
                error = await self._run_with_patience(job, was_interrupted, stopped)
                self._open[job.id].is_ending = True  # before anyone can see it: who does may submit the next
                ended = await to_thread.run_sync(self._store.end, job.id, "failed" if error else "done", error)
                if not self._keeps_files:
                    await to_thread.run_sync(self._folders.remove_files, job.id)
                self._publish(ended)
            except (JobGoneError, JobStopped):
                return
            except OutputError as fault:  # it stays open, and the next process goes on with it
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
        self._publish(begun)
        files = await to_thread.run_sync(self._files, job.id)
        results = self._folders.results(job.id)
        work = Work(begun, files, results, was_interrupted, self._store, self._publish, stopped)
        try:
            await self._kinds[job.kind].run(work)
        except (OutputError, JobGoneError):
            raise
        except TumorscopeError as error:
            return error.what if error.remedy is None else f"{error.what}; {error.remedy}"
        except Exception as error:
            return self._tell_failure(error)
        return None

    def _files(self, job_id: str) -> list[JobFile]:
        folder = self._folders.files(job_id)
        return [JobFile(name, folder / stored) for name, stored in self._store.files(job_id)]
