"""Work of many requests in shared batches, on a few threads of its own.

Every thread takes what waits, one task after the other, and works once on all that it has read. A batch is closed when
it is full, when nothing waits any more, or when its reading has taken long enough: an idle server answers a single
file at once, a busy one fills its batches.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Task = TypeVar("Task")
Read = TypeVar("Read")
Result = TypeVar("Result")
FIRST_PACE = 0.02
"""Seconds a task, until one was done."""
PACE_MEMORY = 0.9
"""How much of the pace so far stays when a batch is done."""


@dataclass(eq=False)
class _Call(Generic[Task, Result]):
    """What is left to begin of one call."""

    loop: asyncio.AbstractEventLoop
    tasks: deque[tuple[Task, asyncio.Future[Result]]]


@dataclass(frozen=True)
class _Taken(Generic[Task, Result]):
    """A task whose turn has come, and who waits for it."""

    task: Task
    future: asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop


class Batcher(Generic[Task, Read, Result]):
    """Reads tasks one by one, works on them in batches, and brings every result back to who asked.

    Calls take turns, task by task, so that one of many tasks does not hold up one of a single task.

    Args:
        read: makes of a task what `work` takes; called in a thread.
        work: gives a result for each of what `read` gave; called in a thread.
        weigh: how much of a batch a task fills.
        size: what a batch holds at most.
        seconds: of reading, after which a batch is closed though it is not full.
        threads: how many batches are worked on at one time.
        on_batch: told how many tasks each batch had; called in a thread.
    """

    def __init__(
        self,
        read: Callable[[Task], Read],
        work: Callable[[Sequence[Read]], Sequence[Result]],
        *,
        weigh: Callable[[Task], int] = lambda _: 1,
        size: int,
        seconds: float,
        threads: int,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._read, self._work, self._weigh, self._on_batch = read, work, weigh, on_batch
        self._size, self._seconds = size, seconds
        self._calls: deque[_Call[Task, Result]] = deque()
        self._background: deque[_Call[Task, Result]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._waiting = 0
        self._pace = FIRST_PACE
        self._threads = [threading.Thread(target=self._run, name=f"batch-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many tasks no thread has taken yet, those in the background apart."""
        return self._waiting

    @property
    def seconds_a_task(self) -> float:
        """What a task takes at the measured pace, with all threads at work."""
        return self._pace / len(self._threads)

    async def submit(self, tasks: Sequence[Task], *, background: bool = False) -> list[Result]:
        """Have tasks done and return their results in order.

        A call that is cancelled gives up what was not begun.

        Args:
            tasks: what is to be done.
            background: only when nobody else waits.

        Raises:
            RuntimeError: the batcher was closed.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in tasks]
        call = _Call(loop, deque(zip(tasks, futures, strict=True)))
        with self._changed:
            if self._is_closed:
                raise RuntimeError("the batcher is closed")
            (self._background if background else self._calls).append(call)
            self._waiting += 0 if background else len(tasks)
            self._changed.notify(len(tasks))
        try:
            return await asyncio.gather(*futures)
        finally:
            with self._changed:
                self._waiting -= 0 if background else len(call.tasks)
                call.tasks.clear()

    def close(self) -> None:
        """End the threads once all that waits is done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (first := self._take_or_wait()) is not None:
            start = time.perf_counter()
            batch, readings = self._gather(first, start)
            self._finish(batch, readings)
            spent = (time.perf_counter() - start) / len(batch)
            self._pace = PACE_MEMORY * self._pace + (1 - PACE_MEMORY) * spent

    def _gather(
        self, first: _Taken[Task, Result], start: float
    ) -> tuple[list[_Taken[Task, Result]], list[Read | Exception]]:
        batch, readings, filled = [first], [self._try_read(first.task)], self._weigh(first.task)
        while filled < self._size and time.perf_counter() - start < self._seconds:
            with self._changed:
                following = self._take()
            if following is None:
                break
            batch.append(following)
            readings.append(self._try_read(following.task))
            filled += self._weigh(following.task)
        return batch, readings

    def _take_or_wait(self) -> _Taken[Task, Result] | None:
        with self._changed:
            while (taken := self._take()) is None and not self._is_closed:
                self._changed.wait()
            return taken

    def _take(self) -> _Taken[Task, Result] | None:
        """Take the next task of the call whose turn it is; the lock is held."""
        for calls in (self._calls, self._background):
            while calls:
                call = calls.popleft()
                if call.tasks:
                    task, future = call.tasks.popleft()
                    self._waiting -= calls is self._calls
                    if call.tasks:
                        calls.append(call)
                    return _Taken(task, future, call.loop)
        return None

    def _try_read(self, task: Task) -> Read | Exception:
        try:
            return self._read(task)
        except Exception as error:
            return error

    def _finish(self, batch: Sequence[_Taken[Task, Result]], readings: Sequence[Read | Exception]) -> None:
        good = [reading for reading in readings if not isinstance(reading, Exception)]
        try:
            answers = iter(self._work(good) if good else ())
            results: list[Result | Exception] = [r if isinstance(r, Exception) else next(answers) for r in readings]
        except Exception as error:
            results = [error for _ in batch]
        self._on_batch(len(batch))
        for loop in {taken.loop for taken in batch}:
            done = [(taken.future, result) for taken, result in zip(batch, results, strict=True) if taken.loop is loop]
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
