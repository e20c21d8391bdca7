"""How jobs end: removed, failed, without room, or when their time is over."""

import asyncio
import shutil
import time

import pytest
from anyio import to_thread

from tumorscope.errors import CatalogError
from tumorscope.jobs import JobGoneError, JobService, JobStopped
from tumorscope.jobs import executor as executor_module
from tumorscope.jobs import expiry as expiry_module
from tumorscope.jobs import folders as folders_module
from tumorscope.serve.jobs.document import job_document


def test_removing_a_running_job_tells_its_listeners_and_stops_its_thread(app, desk):
    began, ended = [], []

    async def count(work):
        def counting():
            try:
                for number in range(10_000):
                    began.append(number)
                    work.progress("counting", number, 10_000)
                    time.sleep(0.005)
            except JobStopped:
                ended.append("stopped")
                raise

        await to_thread.run_sync(counting)

    async def run():
        desk.works_by(count)
        async with app(port=1) as one:
            jobs: JobService = one.state.jobs
            async with jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=10_000)
            with jobs.listening(job.id) as subscription:
                told = await desk.until(jobs, job.id, lambda job: job.stage == "counting")
                assert told.total == 10_000
                await jobs.remove(job.id)
                while (told := await subscription.wait(5)).is_open:
                    pass
                assert told.status == "cancelled"
                assert jobs.listeners == 1
            assert jobs.listeners == 0
            assert not jobs.results(job.id).parent.exists()
            with pytest.raises(JobGoneError):
                await jobs.get(job.id)
            for _ in range(100):
                if ended:
                    break
                await asyncio.sleep(0.02)

    asyncio.run(run())
    assert ended == ["stopped"]
    assert len(began) < 1_000


def test_removing_a_job_that_has_just_ended_tells_its_listeners(app, desk):
    async def wait(_work):
        await asyncio.sleep(60)

    async def run():
        desk.works_by(wait)
        async with app(port=1) as one:
            jobs: JobService = one.state.jobs
            async with jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=1)
            await desk.until(jobs, job.id, lambda job: job.status == "running")
            with jobs.listening(job.id) as subscription:
                jobs._store.end(job.id, "done")  # as its task does, that is then stopped before it tells of it
                await jobs.remove(job.id)
                assert (await subscription.wait(5)).status == "done"

    asyncio.run(run())


def test_a_thread_that_still_writes_leaves_nothing_of_a_removed_job(tmp_path, monkeypatch):
    folders = folders_module.JobFolders(tmp_path)
    folders.make("a", 0)

    def rmtree(folder, ignore_errors):
        with pytest.raises(FileNotFoundError):
            (folders.results("a") / "5.png").write_bytes(b"late")
        really(folder, ignore_errors=ignore_errors)

    really = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    folders.remove("a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CatalogError("has no image", file="/private/path", remedy="give a folder of slices"),
         "has no image; give a folder of slices"),
        (ValueError("/private/path"), "the server failed; its log says where"),
    ],
)  # fmt: skip
def test_why_a_job_failed_is_told_without_paths(app, desk, caplog, error, reason):
    async def fail(_work):
        raise error

    async def run():
        desk.works_by(fail)
        async with app(port=1) as one:
            async with one.state.jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=1)
            return await desk.end_of(one.state.jobs, job.id)

    ended = asyncio.run(run())
    assert (ended.status, ended.error) == ("failed", reason)
    assert "/private/path" not in caplog.text


@pytest.mark.parametrize(
    ("room_after", "expected"), [(1, ("done", None, 1)), (9, ("failed", executor_module.NO_ROOM, 0))]
)
def test_a_full_disk_is_waited_for_and_then_said(app, desk, draw, monkeypatch, room_after, expected):
    monkeypatch.setattr(executor_module, "RETRY_AFTER", (0.05,))

    async def run():
        async with app(port=1) as one:
            engine, jobs, tries = one.state.service.engine, one.state.jobs, []
            answer = engine.answer

            async def onto_a_full_disk(*args, **options):
                answers = await answer(*args, **options)
                tries.append(1)
                results = jobs.results(job.id)
                if len(tries) == 1:
                    results.rmdir()
                    results.write_text("no folder")
                elif len(tries) > room_after:
                    results.unlink()
                    results.mkdir()
                return answers

            engine.answer = onto_a_full_disk
            job = await desk.submit(one, [draw("x.png", 1)], overlay=True)
            return await desk.end_of(jobs, job.id), await desk.found(jobs, job.id)

    ended, findings = asyncio.run(run())
    assert (ended.status, ended.error, len(findings)) == expected


def test_ended_jobs_go_when_their_time_is_over_unless_they_are_kept(app, desk, draw, monkeypatch, tmp_path):
    monkeypatch.setattr(expiry_module, "SWEEP_S", 0.05)

    async def run(**settings):
        async with app(port=1, limits={"job_lifetime_seconds": 0.3}, **settings) as one:
            jobs: JobService = one.state.jobs
            job = await desk.submit(one, [draw("x.png", 1)])
            ended = await desk.end_of(jobs, job.id)
            expires = job_document(ended, jobs.lifetime)["expires"]
            folder, end = jobs.results(job.id).parent, time.monotonic() + (0.8 if settings else 20)
            while folder.exists() and time.monotonic() < end:
                await asyncio.sleep(0.02)
            return expires, folder

    expires, folder = asyncio.run(run())
    assert expires is not None
    assert not folder.exists()
    expires, folder = asyncio.run(run(keep=tmp_path / "kept"))
    assert expires is None
    assert [path.name for path in (folder / "files").iterdir()] == ["r0"]
