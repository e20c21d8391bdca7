"""Jobs through both clients, on real servers that are killed on the way."""

import asyncio
import signal
import threading
import time
from typing import Any

import pytest

import tumorscope
from tumorscope.errors import (
    BusyError,
    ConnectionLostError,
    GoneError,
    JobFailedError,
    ScanError,
    TooLargeError,
    UnreachableError,
)


@pytest.fixture
def paths(draw):
    return [draw(f"{number:03}.png", number % 4, side=600 + number) for number in range(90)]


@pytest.fixture(scope="module")
def server(launch, quadrant_model):
    return launch(quadrant_model)


def test_a_job_has_the_findings_of_predict(server, paths, quadrant_model):
    with tumorscope.Client(server.url) as client:
        job = client.submit(paths, overlay=True)
        news = list(job.progress())
        found = job.wait()
        assert [step.done for step in news] == sorted(step.done for step in news)
        assert (news[-1].status, news[-1].done, news[-1].total, news[-1].has_ended) == ("done", 90, 90, True)
        assert job.status() == news[-1]
        assert list(found) == list(tumorscope.load(quadrant_model).predict(paths))
        assert found.overlays == client.findings(paths, overlay=True).overlays
        again = client.job(job.id)  # as another program, which does not know the paths
        assert [finding.file for finding in again.findings()] == [str(path)[-255:] for path in paths]
        assert again.findings().overlays == [None] * 90
        job.cancel()
        job.cancel()
        for asking in (job.status, job.findings, job.wait, lambda: client.job(job.id)):
            with pytest.raises(GoneError, match="submit it again"):
                asking()


def test_the_same_without_waiting(server, paths, quadrant_model):
    async def run():
        async with tumorscope.AsyncClient(server.url) as client:
            jobs = await asyncio.gather(*(client.submit(paths[:40]) for _ in range(3)))
            assert len({job.id for job in jobs}) == 3
            found = await asyncio.gather(*(job.wait() for job in jobs))
            news = [step async for step in jobs[0].progress()]
            assert [step.status for step in news] == ["done"]
            assert await jobs[0].status() == news[0]
            again = await client.job(jobs[0].id)
            assert len(await again.findings()) == 40
            for job in jobs:
                await job.cancel()
                await job.cancel()
            with pytest.raises(GoneError):
                await jobs[0].findings()
            return found

    expected = list(tumorscope.load(quadrant_model).predict(paths[:40]))
    assert [list(found) for found in asyncio.run(run())] == [expected] * 3


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_waiting_goes_on_over_a_restart(launch, quadrant_model, paths, how):
    server = launch(quadrant_model)
    with tumorscope.Client(server.url) as client:
        job = client.submit(paths)
        steps = job.progress()
        seen = [next(steps), next(steps)]
        server.end(how)
        restart = threading.Timer(0.3, server.start)
        restart.start()
        seen += steps
        restart.join()
        assert [step.done for step in seen] == sorted(step.done for step in seen)
        assert seen[-1].status == "done"
        assert list(job.wait()) == list(tumorscope.load(quadrant_model).predict(paths))


def test_waiting_ends_with_the_patience_where_no_server_comes_back(launch, quadrant_model, paths):
    server = launch(quadrant_model)
    with tumorscope.Client(server.url, patience=1.0) as client:
        job = client.submit(paths)
        steps = job.progress()
        next(steps)
        server.end(signal.SIGKILL)
        start = time.perf_counter()
        with pytest.raises((UnreachableError, ConnectionLostError)):
            list(steps)
        assert time.perf_counter() - start < 20


def test_who_stops_listening_leaves_the_job_alone(server, paths):
    with tumorscope.Client(server.url) as client:
        job = client.submit(paths)
        steps: Any = job.progress()
        assert not next(steps).has_ended
        steps.close()
        assert len(job.wait()) == 90


def test_a_job_that_is_removed_by_another_fails(server, paths):
    with tumorscope.Client(server.url) as client:
        job = client.submit(paths)
        steps = job.progress()
        next(steps)
        client.job(job.id).cancel()
        assert [step.status for step in steps][-1] == "cancelled"
        other = client.submit(paths)
        removing = threading.Timer(0.05, client.job(other.id).cancel)
        removing.start()
        with pytest.raises((JobFailedError, GoneError), match="submit it again"):
            other.wait()
        removing.join()


def test_what_is_too_much_is_said_before_it_is_sent(small, draw):
    with tumorscope.Client(small.url) as client, pytest.raises(TooLargeError) as refused:
        client.submit([draw("x.png", 1)] * 41)
    assert "41 files of" in str(refused.value)
    assert "a job may have 40" in str(refused.value)
    assert str(refused.value).endswith("; submit several jobs")


def test_too_many_jobs_are_refused_after_the_patience(launch, quadrant_model, paths):
    server = launch(quadrant_model, limits={"jobs": 1})
    with tumorscope.Client(server.url, patience=0.1) as client:
        first = client.submit(paths)
        with pytest.raises(BusyError, match="1 jobs are open"):
            client.submit(paths[:1])
        first.cancel()
        assert len(client.submit(paths[:1]).wait()) == 1


def test_a_file_that_cannot_be_read_is_named_before_anything_is_sent(server, draw, tmp_path):
    with tumorscope.Client(server.url) as client, pytest.raises(ScanError, match=r"gone\.png: is not there; check the"):
        client.submit([draw("x.png", 1), tmp_path / "gone.png"])
