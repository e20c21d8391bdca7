"""The job of many pictures: answered in small groups, behind whoever waits for an answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from anyio import to_thread

from tumorscope.findings import ModelName, failed_finding
from tumorscope.serve.engine import Answer
from tumorscope.serve.jobs.shelf import keeping
from tumorscope.serve.jobs.work import Work
from tumorscope.serve.uploads import Upload

GROUP = 32
"""Files that are answered and written down at a time."""
STARVED_S = 2.0
"""After so long behind others a job takes its turn among them."""
TRIES = 3
"""A file over which the server has died so often is not read again."""
DEADLY = "the server ended each time that it read this file; look at it with another program"


async def run(work: Work) -> None:
    """Answer the files that are not answered yet.

    All findings of a job come from one model: where the server has another one by now, the job begins anew. After a
    death of the server the files of the first group are read one by one, while no other job reads such a file: if one
    of them is why, it becomes known, and after some tries it gets a finding of status 'error', so that the others are
    answered.
    """
    sha256 = work.service.model.file.sha256
    if work.job.options["model"] != sha256:
        await work.begin_again(work.job.options | {"model": sha256})
    done = work.job.done
    suspects = done + GROUP if work.was_interrupted else done
    count = await work.count_entries()
    while done < len(work.files):
        is_suspect = done < suspects
        async with work.service.suspects if is_suspect else nullcontext():
            group = work.files[done : done + (1 if is_suspect else GROUP)]
            is_deadly = is_suspect and await work.try_file(done) >= TRIES
            answers, files = ([_deadly(work, group[0])], 1) if is_deadly else await _answer(work, group)
            await to_thread.run_sync(_write_overlays, work.results, count, answers)
            done, count = done + files, count + len(answers)
            await work.record([answer.finding.to_json() for answer in answers], done)
        work.service.telemetry.count_findings(answer.finding for answer in answers)


def overlay_path(results: Path, position: int) -> Path:
    """Return where the overlay of the finding at a position lies, if there is one."""
    return results / f"{position}.png"


async def _answer(work: Work, group: Sequence[Upload]) -> tuple[list[Answer], int]:
    """Answer a group when nobody else waits; where somebody always does, its first file in turn with the others.

    Returns:
        The answers, and to how many files they are.
    """
    engine, options = work.service.engine, work.job.options
    ask = partial(engine.answer, channels=options["channels"], pictures="overlay" if options["overlay"] else "none")
    patient = asyncio.ensure_future(ask(group, background=True))
    try:
        while not (await asyncio.wait([patient], timeout=STARVED_S))[0]:
            if engine.waiting:
                return await ask(group[:1]), 1
        return patient.result(), len(group)
    finally:
        patient.cancel()


def _deadly(work: Work, upload: Upload) -> Answer:
    model = work.service.model
    name = ModelName(name=model.card.name, version=model.card.version, sha256=model.file.sha256)
    return Answer(failed_finding(upload.name, DEADLY, name))


def _write_overlays(results: Path, start: int, answers: Sequence[Answer]) -> None:
    """Write the pictures before the findings are recorded: a finding that stands has its picture."""
    with keeping():
        for position, answer in enumerate(answers, start):
            if answer.overlay is not None:
                overlay_path(results, position).write_bytes(answer.overlay)
