"""Jobs taken in and worked on in turn, in an app of this process with the model of quadrants."""

import asyncio
import shutil
import threading

import pytest

from tumorscope.errors import OutputError
from tumorscope.inference import load
from tumorscope.jobs import Job, JobGoneError, JobService, TooManyJobsError
from tumorscope.jobs import folders as folders_module
from tumorscope.jobs.folders import JobFolders
from tumorscope.jobs.subscriptions import Subscriptions
from tumorscope.serve.jobs import findings as findings_module
from tumorscope.serve.jobs.events import events_of
from tumorscope.serve.jobs.findings import overlay_path
from tumorscope.serve.uploads import Upload


def test_a_job_gives_the_findings_of_predict_and_keeps_no_upload(app, desk, draw, quadrant_model):
    paths = [draw(f"{quadrant}.png", quadrant) for quadrant in range(4)] * 10

    async def run():
        async with app(port=1) as one:
            job = await desk.submit(one, paths, overlay=True)
            assert job.status == "queued"
            assert len(job.id) >= 32
            ended = await desk.end_of(one.state.jobs, job.id)
            assert (ended.status, ended.done, ended.total) == ("done", 40, 40)
            results = one.state.jobs.results(job.id)
            assert overlay_path(results, 39).read_bytes().startswith(b"\x89PNG")
            assert not (results.parent / "files").exists()
            return await desk.found(one.state.jobs, job.id)

    named = [path.name for path in paths]
    expected = [finding.model_dump() for finding in load(quadrant_model).predict(paths)]
    assert asyncio.run(run()) == [want | {"file": name} for want, name in zip(expected, named, strict=True)]


def test_what_is_not_submitted_leaves_nothing(app, draw):
    async def run():
        async with app(port=1) as one:
            jobs: JobService = one.state.jobs
            async with jobs.accepting("findings") as draft:
                shutil.copy(draw("x.png", 1), draft.files / "r0")
            assert not draft.files.parent.exists()
            with pytest.raises(JobGoneError):
                await jobs.get(draft.id)

    asyncio.run(run())


def test_only_so_many_jobs_are_open_and_one_that_is_received_counts(app, desk):
    release = asyncio.Event()

    async def wait(_work):
        await release.wait()

    async def run():
        desk.works_by(wait)
        async with app(port=1, limits={"jobs": 2}) as one:
            jobs: JobService = one.state.jobs
            async with jobs.accepting("other") as draft:
                first = await draft.submit([], options={}, total=1)
            async with jobs.accepting("other"):
                with pytest.raises(TooManyJobsError, match="2 jobs are open"):
                    await jobs.accepting("other").__aenter__()
            release.set()
            await desk.end_of(jobs, first.id)
            async with jobs.accepting("other"), jobs.accepting("findings"):
                pass

    asyncio.run(run())


def test_a_job_makes_room_as_soon_as_it_can_be_seen_to_have_ended(app, desk, monkeypatch):
    tidied = threading.Event()
    remove_files = JobFolders.remove_files

    def remove_late(folders, job_id):
        assert tidied.wait(20)
        remove_files(folders, job_id)

    async def nothing(_work):
        pass

    async def run():
        desk.works_by(nothing)
        async with app(port=1, limits={"jobs": 1}) as one:
            jobs: JobService = one.state.jobs
            monkeypatch.setattr(JobFolders, "remove_files", remove_late)
            async with jobs.accepting("other") as draft:
                first = await draft.submit([], options={}, total=1)
            while (await jobs.get(first.id)).is_open:
                await asyncio.sleep(0.01)
            try:
                async with jobs.accepting("other"):
                    assert jobs.open == 1
            finally:
                tidied.set()

    asyncio.run(run())


def test_jobs_of_a_kind_wait_for_each_other(app, desk):
    running, most = 0, 0

    async def count(_work):
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.02)
        running -= 1

    async def run():
        desk.works_by(count)
        async with app(port=1) as one:
            jobs: JobService = one.state.jobs
            ids = []
            for _ in range(3):
                async with jobs.accepting("other") as draft:
                    ids.append((await draft.submit([], options={}, total=1)).id)
            return [(await desk.end_of(jobs, job_id)).status for job_id in ids]

    assert asyncio.run(run()) == ["done"] * 3
    assert most == 1


def test_a_job_has_the_findings_of_one_model_alone(app, desk, draw):
    async def run():
        async with app(port=1) as one:
            job = await desk.submit(one, [draw("x.png", 3)], model="of another model")
            await desk.end_of(one.state.jobs, job.id)
            sha256 = one.state.service.model.file.sha256
            assert (await one.state.jobs.get(job.id)).options["model"] == sha256
            (finding,) = await desk.found(one.state.jobs, job.id)
            assert finding["model"]["sha256"] == sha256

    asyncio.run(run())


def test_a_job_gets_its_turn_though_others_always_wait(app, desk, draw, monkeypatch):
    monkeypatch.setattr(findings_module, "STARVED_S", 0.1)
    crowd = [Upload("crowd", draw("crowd.png", 0, side=300))] * 8

    async def keep_asking(engine, until):
        while not until.is_set():
            await engine.answer(crowd)

    async def run():
        async with app(port=1) as one:
            engine, jobs, until = one.state.service.engine, one.state.jobs, asyncio.Event()
            asking = [asyncio.create_task(keep_asking(engine, until)) for _ in range(8)]
            while not engine.waiting:
                await asyncio.sleep(0.01)
            job = await desk.submit(one, [draw(f"{number}.png", number) for number in range(3)])
            ended = await desk.end_of(jobs, job.id)
            until.set()
            await asyncio.gather(*asking)
            return ended

    assert asyncio.run(run()).done == 3


def test_a_disk_without_room_refuses_at_once(app, monkeypatch):
    async def run():
        async with app(port=1) as one:
            monkeypatch.setattr(folders_module, "RESERVE", 2**62)
            with pytest.raises(OutputError, match=r"a job cannot be kept \(no space left on device\); free some space"):
                async with one.state.jobs.accepting("findings"):
                    pass
            monkeypatch.setattr(folders_module, "RESERVE", 0)
            async with one.state.jobs.accepting("findings", size=1):
                pass

    asyncio.run(run())


def test_a_listener_is_never_told_what_is_older_than_what_it_has_not_read():
    subscriptions = Subscriptions()
    with subscriptions.listening("a") as subscription:
        subscriptions.publish(Job("a", "other", "cancelled", "", 1, 0, revision=7, created=0.0))
        subscriptions.publish(Job("a", "other", "running", "", 1, 0, revision=6, created=0.0))
        assert asyncio.run(subscription.wait(1)).status == "cancelled"


def test_events_of_a_job_that_was_removed_meanwhile_end(app):
    async def run():
        async with app(port=1) as one:
            gone = Job("gone", "other", "running", "", 1, 0, 1, 0.0)
            return [event async for event in events_of(one.state.jobs, gone)]

    assert asyncio.run(run()) == [b"retry: 1000\n\n"]
