"""The client for programs that do other things meanwhile; the same names as `Client`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from tumorscope.client.answers import LoadedModel, Progress, RemoteFindings, merged, to_progress
from tumorscope.client.flows import NOTHING, Ask, Flow, Flows, Pause, Reply, cut, refused
from tumorscope.client.follow import SILENCE_S, Follower, check_end
from tumorscope.client.sources import Picture, Source, list_sources, sendable
from tumorscope.client.wire import (
    PARALLEL,
    PATIENCE,
    TIMEOUT,
    URL,
    Channels,
    Told,
    connection_options,
    load_httpx,
    request_options,
    translated,
)
from tumorscope.errors import GoneError, ServerError

if TYPE_CHECKING:
    import httpx

Result = TypeVar("Result")


class AsyncClient:
    """A server's findings in Python; use it with ``async with``, or close it.

    Args:
        url: of the server.
        api_key: what the server asks for, if it does.
        timeout: seconds that one answer may take.
        patience: seconds for which a server that is busy is asked again, and a job waits for one that restarts.
        parallel: requests at one time, for long lists of files.

    Raises:
        UsageError: the url is none.
        MissingExtraError: httpx is not installed.
    """

    def __init__(
        self,
        url: str = URL,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        parallel: int = PARALLEL,
    ) -> None:
        self.url = url
        self._parallel = parallel
        self._flows = Flows(url, patience)
        self._http: httpx.AsyncClient = load_httpx().AsyncClient(**connection_options(url, api_key, timeout))
        self._known: LoadedModel | None = None

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def findings(
        self,
        pictures: Picture | Sequence[Picture],
        *,
        overlay: bool = False,
        channels: Channels = "one",
        progress: Told | None = None,
    ) -> RemoteFindings:
        """Say what pictures show, as `Client.findings` does."""
        sources, model = await asyncio.to_thread(list_sources, pictures), await self._model()
        failed = refused(sources, model)
        requests = cut([source for place, source in enumerate(sources) if place not in failed], model.limits)
        turns, done = asyncio.Semaphore(self._parallel), len(failed)

        async def answer(part: Sequence[Source]) -> RemoteFindings:
            nonlocal done
            async with turns:
                found = await self._run(self._flows.findings(part, overlay=overlay, channels=channels))
            done += len(part)
            if progress:
                progress("predicting", done, len(sources))
            return found

        tasks = [asyncio.ensure_future(answer(part)) for part in requests]
        try:
            return merged(len(sources), failed, await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def submit(
        self, pictures: Picture | Sequence[Picture], *, overlay: bool = False, channels: Channels = "one"
    ) -> AsyncJob:
        """Hand over many files at once, as `Client.submit` does."""
        sources = sendable(await asyncio.to_thread(list_sources, pictures))
        limits = (await self._model()).limits
        job_id = await self._run(self._flows.submit(sources, limits, overlay=overlay, channels=channels))
        return AsyncJob(job_id, overlay, self, [source.name for source in sources])

    async def job(self, job_id: str, *, overlay: bool = False) -> AsyncJob:
        """Return a job that was submitted before, by its id.

        Raises:
            GoneError: there is none of that id.
        """
        await self._run(self._flows.job(job_id))
        return AsyncJob(job_id, overlay, self)

    async def models(self) -> list[LoadedModel]:
        """Return the models that answer, with their cards."""
        return await self._run(self._flows.models())

    async def ready(self) -> bool:
        """Whether the server takes work; False too where none answers."""
        return await self._run(self._flows.ready())

    async def _model(self) -> LoadedModel:
        if self._known is None:
            self._known = (await self.models())[0]
        return self._known

    async def _run(self, flow: Flow[Result]) -> Result:
        try:
            step = next(flow)
            while True:
                try:
                    reply = await self._do(step)
                except ServerError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _do(self, step: Ask | Pause) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return NOTHING
        try:
            content = None if step.body is None else step.body.in_threads()
            answer = await self._http.request(**request_options(step), content=content)
        except load_httpx().TransportError as error:
            raise translated(self.url, error) from error
        return Reply(answer.status_code, answer.headers, answer.content)

    async def _follow(self, job_id: str) -> AsyncIterator[Progress]:
        follower = Follower(self.url, job_id, self._flows.patience)
        while not follower.has_ended:
            try:
                async with aclosing(self._listen(follower)) as news:
                    async for progress in news:
                        yield progress
                if not follower.has_ended:
                    raise translated(self.url, EOFError("the server closed it"))
            except ServerError as error:
                await asyncio.sleep(follower.lost(error))

    async def _listen(self, follower: Follower) -> AsyncGenerator[Progress, None]:
        httpx = load_httpx()
        timeout = httpx.Timeout(self._http.timeout.connect, read=SILENCE_S)
        try:
            async with self._http.stream("GET", follower.path, headers=follower.begin(), timeout=timeout) as answer:
                follower.check(answer.status_code, await answer.aread() if answer.status_code >= 300 else b"")
                async for piece in answer.aiter_bytes():
                    for progress in follower.take(piece):
                        yield progress
        except httpx.TransportError as error:
            raise translated(self.url, error) from error


@dataclass(frozen=True)
class AsyncJob:
    """A job at a server; get one from `AsyncClient.submit` or `AsyncClient.job`.

    Attributes:
        id: with which the job is found again; whoever knows it may read and remove the job.
        overlay: whether `findings` brings the pictures too.
    """

    id: str
    overlay: bool
    _client: AsyncClient = field(repr=False)
    _names: Sequence[str] = field(default=(), repr=False)

    async def status(self) -> Progress:
        """Return how far the job is.

        Raises:
            GoneError: it was removed, or its time was over.
        """
        return to_progress(await self._client._run(self._client._flows.job(self.id)))

    def progress(self) -> AsyncIterator[Progress]:
        """Give how far the job is, at once and at every change until its end, also through restarts of the server."""
        return self._client._follow(self.id)

    async def wait(self) -> RemoteFindings:
        """Return the findings once all are there.

        Raises:
            JobFailedError: it failed, or was removed.
        """
        async for news in self.progress():
            if news.has_ended:
                check_end(self._client.url, news)
        return await self.findings()

    async def findings(self) -> RemoteFindings:
        """Return the findings so far, in the order of the files.

        Raises:
            GoneError: the job was removed, or its time was over.
        """
        return await self._client._run(self._client._flows.job_findings(self.id, self._names, overlay=self.overlay))

    async def cancel(self) -> None:
        """Remove the job with its files and findings; nothing happens if that was done."""
        try:
            await self._client._run(self._client._flows.cancel(self.id))
        except GoneError:
            return
