"""What the runner of a job works with."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anyio import to_thread

from tumorscope.jobs.record import Job, JobFile, JobGoneError, JobStopped
from tumorscope.jobs.store import JobStore

NEWS_S = 0.2
"""A thread's progress is told no more often than this."""


@dataclass
class Work:
    """One job while its runner works on it.

    Attributes:
        job: as it stood when the runner began.
        files: what was handed in for it, in order.
        results: a folder for what it makes.
        was_interrupted: whether the process died over this job; something in it may be why.
    """

    job: Job
    files: Sequence[JobFile]
    results: Path
    was_interrupted: bool
    _store: JobStore
    _tell: Callable[[Job], None]
    _stopped: threading.Event
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _last: tuple[str, float] = ("", 0.0)

    async def record(self, entries: Sequence[str], done: int) -> None:
        """Keep JSON texts, and say how many files are done; both or neither."""
        self._tell(await to_thread.run_sync(self._store.record, self.job.id, entries, done))

    async def report(self, stage: str, done: int, total: int) -> None:
        """Say what the job is at, in a word or two."""
        self._tell(await to_thread.run_sync(self._store.report, self.job.id, stage, done, total))

    async def count_entries(self) -> int:
        """Return how many entries were recorded so far."""
        return await to_thread.run_sync(self._store.count_entries, self.job.id)

    async def begin_again(self, options: dict[str, Any]) -> None:
        """Forget what was recorded, and change what the job was asked."""
        self.job = await to_thread.run_sync(self._store.begin_again, self.job.id, options)
        self._tell(self.job)

    async def try_file(self, position: int) -> int:
        """Note that a file is about to be read, and return how often that was noted of it before."""
        return await to_thread.run_sync(self._store.try_file, self.job.id, position)

    def progress(self, what: str, done: int, total: int) -> None:
        """Say from a thread what the job is at.

        Raises:
            JobStopped: the job was removed, or its process stops.
        """
        if self._stopped.is_set():
            raise JobStopped
        now = time.monotonic()
        if what == self._last[0] and done < total and now - self._last[1] < NEWS_S:
            return
        self._last = (what, now)
        try:
            job = self._store.report(self.job.id, what, done, total)
        except JobGoneError:
            raise JobStopped from None
        self._loop.call_soon_threadsafe(self._tell, job)
