"""Progress as server-sent events (WHATWG HTML, section 9.2).

Every ``progress`` event holds the whole state, so that a listener who comes back needs only the newest one: its
``Last-Event-ID`` says which it has seen. The last event is ``end``. Between events a comment keeps the line open.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from tumorscope.jobs import Job, JobGoneError, JobService
from tumorscope.serve.jobs.document import job_document

HEARTBEAT_S = 10.0
RETRY_MS = 1000
HEARTBEAT = b": still here\n\n"


async def events_of(jobs: JobService, job: Job, seen: int = -1) -> AsyncIterator[bytes]:
    """Tell how far a job is until it ends, the listener leaves or the server stops.

    Args:
        jobs: the server's.
        job: as it stands now.
        seen: the revision that the listener knows already; no event is sent before there is a newer one.
    """
    with jobs.listening(job.id) as subscription:
        yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            newest: Job | None = await jobs.get(job.id) if job.is_open else job  # it may have moved before we listened
        except JobGoneError:
            return
        while True:
            if newest is not None and newest.revision > seen:
                seen = newest.revision
                yield _event(newest, jobs.lifetime)
            if subscription.closed or (newest is not None and not newest.is_open):
                return
            newest = await subscription.wait(HEARTBEAT_S)
            if newest is None and not subscription.closed:
                yield HEARTBEAT


def _event(job: Job, lifetime: float | None) -> bytes:
    name = "progress" if job.is_open else "end"
    data = json.dumps(job_document(job, lifetime))
    return f"event: {name}\nid: {job.revision}\ndata: {data}\n\n".encode()
