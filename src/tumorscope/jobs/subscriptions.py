"""Who waits for news of a job, and telling them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tumorscope.jobs.record import Job


@dataclass(eq=False)
class Subscription:
    """One listener: holds the newest state of its job; a slow one misses what lies between."""

    news: Job | None = None
    closed: bool = False
    _published: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> Job | None:
        """Return the newest state once there is one, None after `seconds` without, or once the process stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._published.wait()
        except TimeoutError:
            return None
        if not self.closed:
            self._published.clear()
        news, self.news = self.news, None
        return news

    def tell(self, job: Job | None) -> None:
        """Hand over a newer state, or with None say that no more will come; an older one than is unread is dropped."""
        if job is not None and self.news is not None and job.revision < self.news.revision:
            return
        self.news, self.closed = job or self.news, self.closed or job is None
        self._published.set()


class Subscriptions:
    """Tells every listener of a job; to be used from the event loop only."""

    def __init__(self) -> None:
        self._by_job: dict[str, set[Subscription]] = {}
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen, to any job."""
        return sum(map(len, self._by_job.values()))

    @contextmanager
    def listening(self, job_id: str) -> Iterator[Subscription]:
        """Listen to a job within the block; nothing is left of it afterwards."""
        subscription = Subscription(closed=self._closed)
        self._by_job.setdefault(job_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            self._by_job[job_id].discard(subscription)
            if not self._by_job[job_id]:
                del self._by_job[job_id]

    def publish(self, job: Job) -> None:
        """Tell the listeners of a job how far it is."""
        for subscription in self._by_job.get(job.id, ()):
            subscription.tell(job)

    def close(self) -> None:
        """Let every listener go, since the process stops."""
        self._closed = True
        for subscriptions in self._by_job.values():
            for subscription in subscriptions:
                subscription.tell(None)
