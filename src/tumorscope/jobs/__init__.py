"""Durable jobs: work that outlives whoever asked for it, and the death of the process that does it.

A job is accepted once its files are on disk and it stands in SQLite. Its runner writes down what it finds as it comes,
so that a process that was killed goes on where it was. Jobs of several kinds share one store and one way of telling how
far they are. Nothing here knows of HTTP: the server has its documents and routes of jobs in ``serve``.

A kind of job is a `Kind`: a name and a runner, ``async def run(work: Work) -> None``. The runner may be called again
for the same job after the process was killed, so it goes on from ``work.job.done`` (or begins anew, and writes what it
wrote before). What it has:

- ``work.job.options``: what was asked for, as plain data; ``work.files``: what was handed in, in order, each with the
  name by which others know it (for showing) and our own path (for reading);
- ``work.results``: a folder for what the job makes; it lives as long as the job;
- ``await work.record(entries, done)``: keep JSON texts (the findings) and say how many files are done, at once;
- ``await work.report(stage, done, total)``: say in a word or two what it is at;
- ``work.progress(what, done, total)``: the same from a thread, as the package's long functions call it. It raises
  `JobStopped` in that thread once the job was removed or the process stops; let that pass.

When `run` returns the job is done; a `TumorscopeError` ends it as failed, with what and remedy as the reason (its
`file` is left out, since it names a path of ours); any other error ends it as failed with what `tell_failure` says.

Whoever hands a job in does so by a draft::

    async with jobs.accepting("audit") as draft:  # TooManyJobsError before a byte was received
        files = ...  # written into draft.files under names of our own
        job = await draft.submit(files, options={"path": ...}, total=0)

and reads it back: ``await jobs.get(id)`` gives the `Job` (status, stage, done, total, error) or raises `JobGoneError`;
``await jobs.entries(id, since, limit)`` gives what was recorded; ``jobs.results(id)`` is the folder of results.
"""

from tumorscope.jobs.draft import Draft
from tumorscope.jobs.folders import keeping
from tumorscope.jobs.kinds import Kind, Runner
from tumorscope.jobs.place import check_free, holding
from tumorscope.jobs.record import Job, JobFile, JobGoneError, JobStopped, NamedFile, Status, TooManyJobsError
from tumorscope.jobs.service import JobService
from tumorscope.jobs.work import Work

__all__ = [
    "Draft",
    "Job",
    "JobFile",
    "JobGoneError",
    "JobService",
    "JobStopped",
    "Kind",
    "NamedFile",
    "Runner",
    "Status",
    "TooManyJobsError",
    "Work",
    "check_free",
    "holding",
    "keeping",
]
