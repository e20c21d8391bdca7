"""Jobs over HTTP: their kinds and runners, their documents, and their events.

To add a kind of job (what a runner has and owes stands in ``tumorscope.jobs``):

1. Write its runner, ``async def run(work: Work, service: Service) -> None``, and add a row to `KINDS` in ``kinds.py``.
2. Accept jobs of it in a route::

       async with jobs.accepting("audit") as draft:  # TooManyJobsError before a byte of the body was read
           uploads = await receive_uploads(request, draft.files, files=1, field="file")  # or [] where none are sent
           job = await draft.submit(uploads, options={"path": ...}, total=0)
       return JSONResponse(job_document(job, jobs.lifetime), 202)

The `JobService` of a server is ``request.app.state.jobs``, opened when it starts and closed when it stops. Every kind
shares the routes ``GET /v1/jobs/{id}/events`` and ``DELETE /v1/jobs/{id}``.
"""
