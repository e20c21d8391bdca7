"""Who waits for news of a job, and telling them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tumorscope.serve.jobs.record import Job


@dataclass(eq=False)
class Ear:
    """One listener: holds the newest state of its job; a slow one misses what lies between."""

    news: Job | None = None
    hung_up: bool = False
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> Job | None:
        """Return the newest state once there is one, None after `seconds` without, or once the server stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return None
        if not self.hung_up:
            self._rung.clear()
        news, self.news = self.news, None
        return news

    def tell(self, job: Job | None) -> None:
        """Hand over a newer state, or with None say that no more will come; an older one than is unread is dropped."""
        if job is not None and self.news is not None and job.revision < self.news.revision:
            return
        self.news, self.hung_up = job or self.news, self.hung_up or job is None
        self._rung.set()


class Bell:
    """Tells every listener of a job; to be used from the event loop only."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}
        self._silent = False

    @property
    def listeners(self) -> int:
        """How many listen, to any job."""
        return sum(map(len, self._ears.values()))

    @contextmanager
    def listening(self, job_id: str) -> Iterator[Ear]:
        """Listen to a job within the block; nothing is left of it afterwards."""
        ear = Ear(hung_up=self._silent)
        self._ears.setdefault(job_id, set()).add(ear)
        try:
            yield ear
        finally:
            self._ears[job_id].discard(ear)
            if not self._ears[job_id]:
                del self._ears[job_id]

    def ring(self, job: Job) -> None:
        """Tell the listeners of a job how far it is."""
        for ear in self._ears.get(job.id, ()):
            ear.tell(job)

    def hang_up(self) -> None:
        """Let every listener go, since the server stops."""
        self._silent = True
        for ears in self._ears.values():
            for ear in ears:
                ear.tell(None)
