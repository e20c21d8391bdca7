"""Batches that many calls share: every result comes back to its caller, and calls take turns."""

import asyncio
import threading

import pytest

from tumorscope.serve.batching import Batcher


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


@pytest.fixture
def batcher():
    made = []

    def make(work=lambda readings: [str(reading) for reading in readings], read=lambda task: task, **options):
        chosen = {"size": 4, "seconds": 5.0, "threads": 1} | options
        made.append(Batcher(read, work, **chosen))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_results_come_back_in_order_to_who_asked(batcher):
    shared = batcher(threads=3)

    async def ask():
        return await asyncio.gather(*(shared.submit(range(start, start + 50)) for start in range(0, 1000, 50)))

    assert run(ask()) == [[str(i) for i in range(start, start + 50)] for start in range(0, 1000, 50)]
    assert shared.waiting == 0


def test_waiting_tasks_of_several_calls_fill_a_batch_and_calls_take_turns(batcher):
    begun, held, batches, sizes = threading.Event(), threading.Event(), [], []

    def work(readings):
        begun.set()
        held.wait(10)
        batches.append(list(readings))
        return readings

    shared = batcher(work, on_batch=sizes.append)

    async def ask():
        first = asyncio.ensure_future(shared.submit(["first"]))
        await asyncio.to_thread(begun.wait, 10)
        calls = [
            asyncio.ensure_future(shared.submit(tasks, background=tasks[0] == "z"))
            for tasks in (["z", "z"], ["a1", "a2", "a3", "a4"], ["b1"], ["c1"])
        ]
        await asyncio.sleep(0.01)
        assert shared.waiting == 6, "those in the background are not counted"
        held.set()
        return await asyncio.gather(first, *calls)

    run(ask())
    assert batches == [["first"], ["a1", "b1", "c1", "a2"], ["a3", "a4", "z", "z"]]
    assert sizes == [1, 4, 4]


def test_an_idle_batcher_answers_a_single_task_at_once(batcher):
    shared = batcher(seconds=1000.0, size=1000)
    assert run(shared.submit(["alone"])) == ["alone"]


def test_a_batch_is_closed_when_its_reading_takes_long_or_its_tasks_are_heavy(batcher):
    sizes = []
    slow = batcher(seconds=0.0, on_batch=sizes.append)
    run(slow.submit(range(3)))
    heavy = batcher(weigh=lambda _: 2, on_batch=sizes.append)
    run(heavy.submit(range(5)))
    assert sizes == [1, 1, 1, 2, 2, 1]


def test_a_task_that_cannot_be_read_fails_its_own_call_alone(batcher):
    def read(task):
        if task == "bad":
            raise ValueError(task)
        return task

    shared = batcher(read=read)

    async def ask():
        calls = [shared.submit(["good"]), shared.submit(["bad"]), shared.submit(["fine", "well"])]
        return await asyncio.gather(*calls, return_exceptions=True)

    good, bad, fine = run(ask())
    assert (good, fine) == (["good"], ["fine", "well"])
    assert isinstance(bad, ValueError)


def test_a_failure_of_a_batch_reaches_everybody_in_it_and_the_next_is_answered(batcher):
    def work(readings):
        if "bad" in readings:
            raise RuntimeError("no")
        return readings

    shared = batcher(work)
    with pytest.raises(RuntimeError, match="no"):
        run(shared.submit(["bad", "good"]))
    assert run(shared.submit(["good"])) == ["good"]


def test_what_nobody_waits_for_is_not_done(batcher):
    begun, held, done = threading.Event(), threading.Event(), []

    def work(readings):
        begun.set()
        held.wait(10)
        done.extend(readings)
        return readings

    shared = batcher(work, size=1)

    async def ask():
        call = asyncio.ensure_future(shared.submit(range(100)))
        await asyncio.to_thread(begun.wait, 10)
        assert shared.waiting == 99
        call.cancel()
        await asyncio.wait([call])
        assert shared.waiting == 0
        held.set()
        return await shared.submit(["next"])

    assert run(ask()) == ["next"]
    assert done == [0, "next"]


def test_closing_lets_what_waits_be_done(batcher):
    shared = Batcher(lambda task: task, lambda readings: readings, size=2, seconds=1.0, threads=2)

    async def ask():
        call = asyncio.ensure_future(shared.submit(range(20)))
        await asyncio.sleep(0)
        await asyncio.to_thread(shared.close)
        return await call

    assert run(ask()) == list(range(20))
    with pytest.raises(RuntimeError, match="closed"):
        run(shared.submit([1]))


def test_the_pace_follows_what_was_measured(batcher):
    shared = batcher(lambda readings: (threading.Event().wait(0.05), readings)[1], size=1, threads=2)
    run(shared.submit(range(40)))
    assert shared.seconds_a_task > 0.015
