"""Jobs taken in, worked on, gone on with and removed, in an app of this process with the model of quadrants."""

import asyncio
import json
import shutil
import threading
import time
from contextlib import asynccontextmanager

import pytest
from anyio import to_thread

from tumorscope.errors import CatalogError, OutputError
from tumorscope.inference import load
from tumorscope.serve.jobs import KINDS, JobGoneError, Jobs, JobStopped, Kind, TooManyJobsError
from tumorscope.serve.jobs import desk as desk_module
from tumorscope.serve.jobs import findings as findings_module
from tumorscope.serve.jobs import shelf as shelf_module
from tumorscope.serve.jobs.findings import DEADLY, GROUP, TRIES, overlay_path
from tumorscope.serve.jobs.shelf import Shelf
from tumorscope.serve.jobs.store import JobStore
from tumorscope.serve.uploads import Upload


async def submit(app, paths, *, overlay=False, model=None, channels="one"):
    jobs = app.state.jobs
    async with jobs.accepting("findings") as draft:
        uploads = [Upload(path.name, draft.files / f"r{number}") for number, path in enumerate(paths)]
        for upload, path in zip(uploads, paths, strict=True):
            shutil.copy(path, upload.path)
        sha256 = model or app.state.service.model.file.sha256
        return await draft.submit(uploads, options={"model": sha256, "channels": channels, "overlay": overlay})


async def end_of(jobs, job_id):
    with jobs.listening(job_id) as ear:
        job = await jobs.get(job_id)
        while job.is_open:
            job = await ear.wait(20)
            assert job is not None, "nothing was told for too long"
        return job


async def found(jobs, job_id):
    return [json.loads(entry) for entry in await jobs.entries(job_id)]


@asynccontextmanager
async def kind_of_job(monkeypatch, run):
    monkeypatch.setitem(KINDS, "other", Kind("other", lambda: run, "/v1/others"))
    yield


def test_a_job_gives_the_findings_of_predict_and_keeps_no_upload(app, draw, quadrant_model):
    paths = [draw(f"{quadrant}.png", quadrant) for quadrant in range(4)] * 10

    async def run():
        async with app(port=1) as one:
            job = await submit(one, paths, overlay=True)
            assert job.status == "queued"
            assert len(job.id) >= 32
            ended = await end_of(one.state.jobs, job.id)
            assert (ended.status, ended.done, ended.total) == ("done", 40, 40)
            results = one.state.jobs.results(job.id)
            assert overlay_path(results, 39).read_bytes().startswith(b"\x89PNG")
            assert not (results.parent / "files").exists()
            return await found(one.state.jobs, job.id)

    named = [path.name for path in paths]
    expected = [finding.model_dump() for finding in load(quadrant_model).predict(paths)]
    assert asyncio.run(run()) == [want | {"file": name} for want, name in zip(expected, named, strict=True)]


def test_what_is_not_submitted_leaves_nothing(app, draw):
    async def run():
        async with app(port=1) as one:
            jobs: Jobs = one.state.jobs
            async with jobs.accepting("findings") as draft:
                shutil.copy(draw("x.png", 1), draft.files / "r0")
            assert not draft.files.parent.exists()
            with pytest.raises(JobGoneError):
                await jobs.get(draft.id)

    asyncio.run(run())


def test_only_so_many_jobs_are_open_and_one_that_is_received_counts(app, draw, monkeypatch):
    release = asyncio.Event()

    async def wait(_work):
        await release.wait()

    async def run():
        async with kind_of_job(monkeypatch, wait), app(port=1, limits={"jobs": 2}) as one:
            jobs: Jobs = one.state.jobs
            async with jobs.accepting("other") as draft:
                first = await draft.submit([], options={}, total=1)
            async with jobs.accepting("other"):
                with pytest.raises(TooManyJobsError, match="2 jobs are open") as refused:
                    await jobs.accepting("other").__aenter__()
            assert (refused.value.status_code, refused.value.headers["Retry-After"]) == (429, "30")
            release.set()
            await end_of(jobs, first.id)
            async with jobs.accepting("other"), jobs.accepting("findings"):
                pass

    asyncio.run(run())


def test_a_job_makes_room_as_soon_as_it_can_be_seen_to_have_ended(app, monkeypatch):
    tidied = threading.Event()
    remove_files = Shelf.remove_files

    def remove_late(shelf, job_id):
        assert tidied.wait(20)
        remove_files(shelf, job_id)

    async def nothing(_work):
        pass

    async def run():
        async with kind_of_job(monkeypatch, nothing), app(port=1, limits={"jobs": 1}) as one:
            jobs: Jobs = one.state.jobs
            monkeypatch.setattr(Shelf, "remove_files", remove_late)
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


def test_jobs_of_a_kind_wait_for_each_other(app, monkeypatch):
    running, most = 0, 0

    async def count(_work):
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.02)
        running -= 1

    async def run():
        async with kind_of_job(monkeypatch, count), app(port=1) as one:
            jobs: Jobs = one.state.jobs
            ids = []
            for _ in range(3):
                async with jobs.accepting("other") as draft:
                    ids.append((await draft.submit([], options={}, total=1)).id)
            return [(await end_of(jobs, job_id)).status for job_id in ids]

    assert asyncio.run(run()) == ["done"] * 3
    assert most == 1


def test_the_next_server_goes_on_where_the_last_one_stopped(app, draw):
    paths = [draw(f"{number}.png", number % 4) for number in range(5 * GROUP)]

    async def first():
        async with app(port=1) as one:
            job = await submit(one, paths)
            with one.state.jobs.listening(job.id) as ear:
                while (await ear.wait(20)).done < 2 * GROUP:
                    pass
            return job.id, (await one.state.jobs.get(job.id)).done

    async def second(job_id):
        async with app(port=1) as two:
            before = await two.state.jobs.get(job_id)
            assert (await end_of(two.state.jobs, job_id)).status == "done"
            return before.done, await found(two.state.jobs, job_id)

    job_id, done = asyncio.run(first())
    assert 2 * GROUP <= done < len(paths)
    resumed, findings = asyncio.run(second(job_id))
    assert resumed >= done
    assert [finding["file"] for finding in findings] == [path.name for path in paths]
    assert [finding["label"] for finding in findings] == ["glioma", "meningioma", "notumor", "pituitary"] * (
        len(paths) // 4
    )


def test_a_job_has_the_findings_of_one_model_alone(app, draw):
    async def run():
        async with app(port=1) as one:
            job = await submit(one, [draw("x.png", 3)], model="of another model")
            await end_of(one.state.jobs, job.id)
            sha256 = one.state.service.model.file.sha256
            assert (await one.state.jobs.get(job.id)).options["model"] == sha256
            (finding,) = await found(one.state.jobs, job.id)
            assert finding["model"]["sha256"] == sha256

    asyncio.run(run())


@pytest.fixture
def killed(monkeypatch):
    """Servers that leave their jobs as one that is killed does."""
    monkeypatch.setattr(JobStore, "lay_down", lambda _: None)


@pytest.mark.parametrize("ends", ["killed", "stopped"])
def test_a_file_over_which_the_server_died_too_often_fails_alone(app, draw, request, ends):
    if ends == "killed":
        request.getfixturevalue("killed")
    paths = [draw(f"{number}.png", number) for number in range(3)]

    async def accept():
        async with app(port=1) as one:
            one.state.service.engine.answer = _never
            job = await submit(one, paths)
            with one.state.jobs.listening(job.id) as ear:
                await ear.wait(5)  # it runs
            return job.id

    async def end(job_id):
        """As a server that ends while it reads the second file."""
        async with app(port=1) as one:
            engine, answer = one.state.service.engine, one.state.service.engine.answer
            reading = asyncio.Event()

            async def until_the_second(uploads, **options):
                if all(upload.name != "1.png" for upload in uploads):
                    return await answer(uploads, **options)
                reading.set()
                return await _never()

            engine.answer = until_the_second
            await asyncio.wait_for(reading.wait(), 20)

    async def last(job_id):
        async with app(port=1) as one:
            await end_of(one.state.jobs, job_id)
            return await found(one.state.jobs, job_id)

    job_id = asyncio.run(accept())
    for _ in range(TRIES):
        asyncio.run(end(job_id))
    findings = asyncio.run(last(job_id))
    assert [finding["file"] for finding in findings] == ["0.png", "1.png", "2.png"]
    assert [finding["message"] for finding in findings] == [None, DEADLY if ends == "killed" else None, None]


@pytest.mark.usefixtures("killed")
def test_a_deadly_file_of_one_job_puts_no_blame_on_another(app, draw):
    async def accept():
        async with app(port=1) as one:
            one.state.service.engine.answer = _never
            jobs = [await submit(one, [draw(f"{name}.png", 0)]) for name in ("deadly", "innocent")]
            for job in jobs:
                while (await one.state.jobs.get(job.id)).status == "queued":
                    await asyncio.sleep(0.01)
            return [job.id for job in jobs]

    async def die():
        """As a server that is killed by the one file while it reads the other."""
        async with app(port=1) as one:
            engine, answer = one.state.service.engine, one.state.service.engine.answer
            dying = asyncio.Event()

            async def answer_or_die(uploads, **options):
                if uploads[0].name == "deadly.png":
                    dying.set()
                else:
                    await asyncio.sleep(0.1)
                return await (_never() if dying.is_set() else answer(uploads, **options))

            engine.answer = answer_or_die
            await asyncio.wait_for(dying.wait(), 20)
            await asyncio.sleep(0.3)

    async def last(job_ids):
        async with app(port=1) as one:
            for job_id in job_ids:
                await end_of(one.state.jobs, job_id)
            return [(await found(one.state.jobs, job_id))[0]["status"] for job_id in job_ids]

    job_ids = asyncio.run(accept())
    for _ in range(TRIES):
        asyncio.run(die())
    assert asyncio.run(last(job_ids)) == ["error", "ok"]


def test_a_job_gets_its_turn_though_others_always_wait(app, draw, monkeypatch):
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
            job = await submit(one, [draw(f"{number}.png", number) for number in range(3)])
            ended = await end_of(jobs, job.id)
            until.set()
            await asyncio.gather(*asking)
            return ended

    assert asyncio.run(run()).done == 3


async def _never(*_args, **_options):
    await asyncio.Event().wait()


def test_removing_a_running_job_tells_its_listeners_and_stops_its_thread(app, draw, monkeypatch):
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
        async with kind_of_job(monkeypatch, count), app(port=1) as one:
            jobs: Jobs = one.state.jobs
            async with jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=10_000)
            with jobs.listening(job.id) as ear:
                while (told := await ear.wait(5)).stage != "counting":
                    pass
                assert told.total == 10_000
                await jobs.remove(job.id)
                while (told := await ear.wait(5)).is_open:
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


def test_removing_a_job_that_has_just_ended_tells_its_listeners(app, monkeypatch):
    async def wait(_work):
        await asyncio.sleep(60)

    async def run():
        async with kind_of_job(monkeypatch, wait), app(port=1) as one:
            jobs: Jobs = one.state.jobs
            async with jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=1)
            with jobs.listening(job.id) as ear:
                assert (await ear.wait(5)).status == "running"
                jobs._store.end(job.id, "done")  # as its task does, that is then stopped before it tells of it
                await jobs.remove(job.id)
                assert (await ear.wait(5)).status == "done"

    asyncio.run(run())


def test_a_thread_that_still_writes_leaves_nothing_of_a_removed_job(tmp_path, monkeypatch):
    shelf = shelf_module.Shelf(tmp_path)
    shelf.make("a", 0)

    def rmtree(folder, ignore_errors):
        with pytest.raises(FileNotFoundError):
            (shelf.results("a") / "5.png").write_bytes(b"late")
        really(folder, ignore_errors=ignore_errors)

    really = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    shelf.remove("a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CatalogError("has no image", file="/private/path", remedy="give a folder of slices"),
         "has no image; give a folder of slices"),
        (ValueError("/private/path"), "the server failed; its log says where"),
    ],
)  # fmt: skip
def test_why_a_job_failed_is_told_without_paths(app, monkeypatch, caplog, error, reason):
    async def fail(_work):
        raise error

    async def run():
        async with kind_of_job(monkeypatch, fail), app(port=1) as one:
            async with one.state.jobs.accepting("other") as draft:
                job = await draft.submit([], options={}, total=1)
            return await end_of(one.state.jobs, job.id)

    ended = asyncio.run(run())
    assert (ended.status, ended.error) == ("failed", reason)
    assert "/private/path" not in caplog.text


@pytest.mark.parametrize(("room_after", "expected"), [(1, ("done", None, 1)), (9, ("failed", desk_module.NO_ROOM, 0))])
def test_a_full_disk_is_waited_for_and_then_said(app, draw, monkeypatch, room_after, expected):
    monkeypatch.setattr(desk_module, "RETRY_AFTER", (0.05,))

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
            job = await submit(one, [draw("x.png", 1)], overlay=True)
            return await end_of(jobs, job.id), await found(jobs, job.id)

    ended, findings = asyncio.run(run())
    assert (ended.status, ended.error, len(findings)) == expected


def test_a_disk_without_room_refuses_at_once(app, monkeypatch):
    async def run():
        async with app(port=1) as one:
            monkeypatch.setattr(shelf_module, "RESERVE", 2**62)
            with pytest.raises(OutputError, match=r"a job cannot be kept \(no space left on device\); free some space"):
                async with one.state.jobs.accepting("findings"):
                    pass
            monkeypatch.setattr(shelf_module, "RESERVE", 0)
            async with one.state.jobs.accepting("findings", size=1):
                pass

    asyncio.run(run())


def test_ended_jobs_go_when_their_time_is_over_unless_they_are_kept(app, draw, monkeypatch, tmp_path):
    monkeypatch.setattr(desk_module, "SWEEP_S", 0.05)

    async def run(**settings):
        async with app(port=1, limits={"job_lifetime_seconds": 0.3}, **settings) as one:
            jobs: Jobs = one.state.jobs
            job = await submit(one, [draw("x.png", 1)])
            ended = await end_of(jobs, job.id)
            expires = jobs.document(ended)["expires"]
            await asyncio.sleep(0.8)
            return expires, jobs.results(job.id).parent

    expires, folder = asyncio.run(run())
    assert expires is not None
    assert not folder.exists()
    expires, folder = asyncio.run(run(keep=tmp_path / "kept"))
    assert expires is None
    assert [path.name for path in (folder / "files").iterdir()] == ["r0"]


def test_a_start_clears_up_what_is_over_and_what_was_never_accepted(app, draw):
    async def first():
        async with app(port=1) as one:
            job = await submit(one, [draw("x.png", 1)])
            await end_of(one.state.jobs, job.id)
            folder = one.state.jobs.results(job.id).parent
            (folder.parent / "half-received" / "files").mkdir(parents=True)
            (folder / "files").mkdir()
            (folder / "files" / "r0").write_text("as if the server had died before this was removed")
            return job.id, folder

    async def second(**limits):
        async with app(port=1, limits=limits) as two:
            return sorted(path.name for path in folder.parent.iterdir()), await two.state.jobs.get(job_id)

    job_id, folder = asyncio.run(first())
    assert asyncio.run(second())[0] == [job_id]
    assert [path.name for path in folder.iterdir()] == ["results"]
    with pytest.raises(JobGoneError):
        asyncio.run(second(job_lifetime_seconds=0.0))
    assert list(folder.parent.iterdir()) == []
