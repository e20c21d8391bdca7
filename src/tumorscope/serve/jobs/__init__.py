"""Durable jobs: work that outlives a request, and the server's death.

A job is accepted once its files are on disk and it stands in SQLite. Its runner writes down what it finds as it comes,
so that a server that was killed goes on where it was. Jobs of several kinds share one store, one way of telling how
far they are, and the routes ``GET /v1/jobs/{id}/events`` and ``DELETE /v1/jobs/{id}``.

To add a kind of job:

1. Write its runner, ``async def run(work: Work) -> None``. It may be called again for the same job after the server was
   killed, so it goes on from ``work.job.done`` (or begins anew, and writes what it wrote before). What it has:

   - ``work.job.options``: what the request asked for, as plain data; ``work.files``: the uploads, in order, each with
     the name that the client said (for showing) and our own path (for reading);
   - ``work.results``: a folder for what the job makes; it lives as long as the job;
   - ``await work.record(entries, done)``: keep JSON texts (the findings) and say how many files are done, at once;
   - ``await work.report(stage, done, total)``: say in a word or two what it is at;
   - ``work.progress(what, done, total)``: the same from a thread, as the package's long functions call it. It raises
     `JobStopped` in that thread once the job was removed or the server stops; let that pass;
   - ``work.service``: the model, the engine and the settings of the server.

   When `run` returns the job is done; a `TumorscopeError` ends it as failed, with what and remedy as the reason (its
   `file` is left out, since it names a path of ours); any other error ends it as failed, with no more than that.
2. Add a row to `KINDS` in ``registry.py``.
3. Accept jobs of it in a route::

       async with jobs.accepting("audit") as draft:  # TooManyJobsError before a byte of the body was read
           uploads = await receive_uploads(request, draft.files, files=1, field="file")  # or [] where none are sent
           job = await draft.submit(uploads, options={"path": ...}, total=0)
       return JSONResponse(jobs.document(job), 202)

4. Read it back: ``await jobs.get(id)`` gives the `Job` (status, stage, done, total, error) or raises `JobGoneError`;
   ``await jobs.entries(id, since, limit)`` gives what was recorded; ``jobs.results(id)`` is the folder of results.

The `JobService` of a server is ``request.app.state.jobs``, opened when it starts and closed when it stops.
"""

from tumorscope.serve.jobs.draft import Draft
from tumorscope.serve.jobs.record import ENDED, OPEN, Job, JobGoneError, JobStopped, TooManyJobsError
from tumorscope.serve.jobs.registry import KINDS, Kind
from tumorscope.serve.jobs.service import JobService, serving_jobs
from tumorscope.serve.jobs.work import Work

__all__ = [
    "ENDED",
    "KINDS",
    "OPEN",
    "Draft",
    "Job",
    "JobGoneError",
    "JobService",
    "JobStopped",
    "Kind",
    "TooManyJobsError",
    "Work",
    "serving_jobs",
]
