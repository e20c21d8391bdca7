"""Work of many requests in shared batches, on a few threads of its own.

Every thread takes what waits, one file after the other, and runs the model once over what it has read. A batch is
closed when it is full, when nothing waits any more, or when its first file has waited long enough: an idle server
answers a single file at once, a busy one fills its batches.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Task = TypeVar("Task")
Read = TypeVar("Read")
Result = TypeVar("Result")
PACE_MEMORY = 0.9
"""How much of the pace so far stays when a batch is done."""


@dataclass(eq=False)
class _Lane(Generic[Task, Result]):
    """The tasks of one call, waiting for their turn."""

    loop: asyncio.AbstractEventLoop
    tasks: deque[tuple[Task, asyncio.Future[Result]]] = field(default_factory=deque)


class Batcher(Generic[Task, Read, Result]):
    """Reads tasks one by one, answers them in batches, and brings every answer back to who asked.

    Calls take turns, task by task, so that one of many files does not hold up one of a single file.

    Args:
        read: makes of a task what `answer` takes; called in a thread.
        answer: a result for each of what `read` gave; called in a thread.
        size: tasks of a batch at most.
        wait_seconds: after which a batch that is being read is closed.
        threads: how many batches are worked on at one time.
    """

    def __init__(
        self,
        read: Callable[[Task], Read],
        answer: Callable[[Sequence[Read]], Sequence[Result]],
        *,
        size: int,
        wait_seconds: float,
        threads: int,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._read, self._answer, self._on_batch = read, answer, on_batch
        self._size, self._wait_seconds = size, wait_seconds
        self._lanes: deque[_Lane[Task, Result]] = deque()
        self._background: deque[_Lane[Task, Result]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._seconds_a_task = 0.05
        self._waiting = 0
        self._threads = [threading.Thread(target=self._work, name=f"batch-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many tasks no thread has taken yet."""
        return self._waiting

    @property
    def seconds_a_task(self) -> float:
        """What a task takes at the measured pace, all threads together."""
        return self._seconds_a_task / len(self._threads)

    async def submit(self, tasks: Sequence[Task], *, background: bool = False) -> list[Result]:
        """Have tasks done and return their results in order.

        Args:
            tasks: what is to be done.
            background: only when nobody else waits.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in tasks]
        lane = _Lane(loop, deque(zip(tasks, futures, strict=True)))
        with self._changed:
            if self._is_closed:
                raise RuntimeError("the batcher is closed")
            (self._background if background else self._lanes).append(lane)
            self._waiting += len(tasks)
            self._changed.notify(len(tasks))
        try:
            return await asyncio.gather(*futures)
        except BaseException:
            self._forget(lane)
            raise

    def close(self) -> None:
        """End the threads once they have done what they took."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _forget(self, lane: _Lane[Task, Result]) -> None:
        """Drop what nobody waits for any more."""
        with self._changed:
            self._waiting -= len(lane.tasks)
            lane.tasks.clear()

    def _work(self) -> None:
        while (first := self._take(wait=True)) is not None:
            start = time.perf_counter()
            batch = [first]
            readings = [self._try_read(first[1])]
            while len(batch) < self._size and time.perf_counter() - start < self._wait_seconds:
                following = self._take(wait=False)
                if following is None:
                    break
                batch.append(following)
                readings.append(self._try_read(following[1]))
            self._finish(batch, readings)
            spent = (time.perf_counter() - start) / len(batch)
            self._seconds_a_task = PACE_MEMORY * self._seconds_a_task + (1 - PACE_MEMORY) * spent

    def _take(self, *, wait: bool) -> tuple[_Lane[Task, Result], Task, asyncio.Future[Result]] | None:
        with self._changed:
            while True:
                for lanes in (self._lanes, self._background):
                    while lanes:
                        lane = lanes.popleft()
                        if not lane.tasks:
                            continue
                        task, future = lane.tasks.popleft()
                        self._waiting -= 1
                        if lane.tasks:
                            lanes.append(lane)
                        return lane, task, future
                if self._is_closed or not wait:
                    return None
                self._changed.wait()

    def _try_read(self, task: Task) -> Read | Exception:
        try:
            return self._read(task)
        except Exception as error:
            return error

    def _finish(
        self,
        batch: Sequence[tuple[_Lane[Task, Result], Task, asyncio.Future[Result]]],
        readings: Sequence[Read | Exception],
    ) -> None:
        good = [reading for reading in readings if not isinstance(reading, Exception)]
        try:
            answers = iter(self._answer(good) if good else ())
            results: list[Result | Exception] = [r if isinstance(r, Exception) else next(answers) for r in readings]
        except Exception as error:
            results = [error for _ in batch]
        self._on_batch(len(batch))
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Result], Result | Exception]]] = {}
        for (lane, _, future), result in zip(batch, results, strict=True):
            by_loop.setdefault(lane.loop, []).append((future, result))
        for loop, done in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, done)


def _deliver(done: Sequence[tuple[asyncio.Future[Result], Result | Exception]]) -> None:
    for future, result in done:
        if future.done():  # who asked has gone
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
