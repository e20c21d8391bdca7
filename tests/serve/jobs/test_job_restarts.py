"""What the next server does with the jobs of one that stopped, or died over a file."""

import asyncio

import pytest

from tumorscope.jobs import JobGoneError
from tumorscope.jobs.store import JobStore
from tumorscope.serve.jobs.findings import DEADLY, GROUP, TRIES


def test_the_next_server_goes_on_where_the_last_one_stopped(app, desk, draw):
    paths = [draw(f"{number}.png", number % 4) for number in range(5 * GROUP)]

    async def first():
        async with app(port=1) as one:
            job = await desk.submit(one, paths)
            await desk.until(one.state.jobs, job.id, lambda job: job.done >= 2 * GROUP)
            return job.id, (await one.state.jobs.get(job.id)).done

    async def second(job_id):
        async with app(port=1) as two:
            before = await two.state.jobs.get(job_id)
            assert (await desk.end_of(two.state.jobs, job_id)).status == "done"
            return before.done, await desk.found(two.state.jobs, job_id)

    job_id, done = asyncio.run(first())
    assert 2 * GROUP <= done < len(paths)
    resumed, findings = asyncio.run(second(job_id))
    assert resumed >= done
    assert [finding["file"] for finding in findings] == [path.name for path in paths]
    assert [finding["label"] for finding in findings] == ["glioma", "meningioma", "notumor", "pituitary"] * (
        len(paths) // 4
    )


@pytest.fixture
def killed(monkeypatch):
    """Servers that leave their jobs as one that is killed does."""
    monkeypatch.setattr(JobStore, "lay_down", lambda _: None)


@pytest.mark.parametrize("ends", ["killed", "stopped"])
def test_a_file_over_which_the_server_died_too_often_fails_alone(app, desk, draw, request, ends):
    if ends == "killed":
        request.getfixturevalue("killed")
    paths = [draw(f"{number}.png", number) for number in range(3)]

    async def accept():
        async with app(port=1) as one:
            one.state.service.engine.answer = _never
            job = await desk.submit(one, paths)
            await desk.until(one.state.jobs, job.id, lambda job: job.status == "running")
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
            await desk.end_of(one.state.jobs, job_id)
            return await desk.found(one.state.jobs, job_id)

    job_id = asyncio.run(accept())
    for _ in range(TRIES):
        asyncio.run(end(job_id))
    findings = asyncio.run(last(job_id))
    assert [finding["file"] for finding in findings] == ["0.png", "1.png", "2.png"]
    assert [finding["message"] for finding in findings] == [None, DEADLY if ends == "killed" else None, None]


@pytest.mark.usefixtures("killed")
def test_a_deadly_file_of_one_job_puts_no_blame_on_another(app, desk, draw):
    async def accept():
        async with app(port=1) as one:
            one.state.service.engine.answer = _never
            jobs = [await desk.submit(one, [draw(f"{name}.png", 0)]) for name in ("deadly", "innocent")]
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
                await desk.end_of(one.state.jobs, job_id)
            return [(await desk.found(one.state.jobs, job_id))[0]["status"] for job_id in job_ids]

    job_ids = asyncio.run(accept())
    for _ in range(TRIES):
        asyncio.run(die())
    assert asyncio.run(last(job_ids)) == ["error", "ok"]


def test_a_start_clears_up_what_is_over_and_what_was_never_accepted(app, desk, draw):
    async def first():
        async with app(port=1) as one:
            job = await desk.submit(one, [draw("x.png", 1)])
            await desk.end_of(one.state.jobs, job.id)
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


async def _never(*_args, **_options):
    await asyncio.Event().wait()
