"""The client for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from tumorscope.client.answers import LoadedModel, Progress, RemoteFindings, merged, to_progress
from tumorscope.client.flows import NOTHING, Ask, Flow, Flows, Pause, Reply, cut, refused
from tumorscope.client.follow import SILENCE_S, Follower, check_end
from tumorscope.client.sources import Picture, list_sources, sendable
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


class Client:
    """A server's findings in Python; use it as a context manager, or close it. Safe to be called from any thread.

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
        self._http: httpx.Client = load_httpx().Client(**connection_options(url, api_key, timeout))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def findings(
        self,
        pictures: Picture | Sequence[Picture],
        *,
        overlay: bool = False,
        channels: Channels = "one",
        progress: Told | None = None,
    ) -> RemoteFindings:
        """Say what pictures show, as `predict` does: the same findings, in the order of the files.

        A file that cannot be read or sent gives a finding of status 'error'; the others are done. Long lists go in
        several requests.

        Args:
            pictures: paths, folders (walked as `predict` walks them), bytes, or pairs of a name and bytes.
            overlay: also draw each heatmap over its slice, see `RemoteFindings.overlays`.
            channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' answers for each.
            progress: told how many files are done.

        Raises:
            UsageError: no picture is given.
            ServerError: the server cannot be reached, or refuses.
        """
        sources = list_sources(pictures)
        failed = refused(sources, self._model)
        requests = cut([source for place, source in enumerate(sources) if place not in failed], self._model.limits)
        done, parts = len(failed), []
        with ThreadPoolExecutor(self._parallel) as pool:
            flows = (self._flows.findings(part, overlay=overlay, channels=channels) for part in requests)
            answers = [pool.submit(self._run, flow) for flow in flows]
            try:
                for request, answer in zip(requests, answers, strict=True):
                    parts.append(answer.result())
                    done += len(request)
                    if progress:
                        progress("predicting", done, len(sources))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return merged(len(sources), failed, parts)

    def submit(
        self, pictures: Picture | Sequence[Picture], *, overlay: bool = False, channels: Channels = "one"
    ) -> Job:
        """Hand over many files at once, and come back for the findings; the server keeps them through a restart.

        Args:
            pictures: as for `findings`.
            overlay: also draw each heatmap over its slice.
            channels: as for `findings`.

        Raises:
            UsageError: no picture is given.
            ScanError: a file cannot be read; nothing was sent.
            TooLargeError: it is more than the server takes in one job.
            ServerError: the server cannot be reached, or refuses.
        """
        sources = sendable(list_sources(pictures))
        flow = self._flows.submit(sources, self._model.limits, overlay=overlay, channels=channels)
        return Job(self._run(flow), overlay, self, [source.name for source in sources])

    def job(self, job_id: str, *, overlay: bool = False) -> Job:
        """Return a job that was submitted before, by its id.

        Raises:
            GoneError: there is none of that id.
        """
        self._run(self._flows.job(job_id))
        return Job(job_id, overlay, self)

    def models(self) -> list[LoadedModel]:
        """Return the models that answer, with their cards."""
        return self._run(self._flows.models())

    def ready(self) -> bool:
        """Whether the server takes work; False too where none answers."""
        return self._run(self._flows.ready())

    @cached_property
    def _model(self) -> LoadedModel:
        return self.models()[0]

    def _run(self, flow: Flow[Result]) -> Result:
        try:
            step = next(flow)
            while True:
                try:
                    reply = self._do(step)
                except ServerError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            result: Result = end.value
            return result

    def _do(self, step: Ask | Pause) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return NOTHING
        try:
            content = None if step.body is None else iter(step.body)
            answer = self._http.request(**request_options(step), content=content)
        except load_httpx().TransportError as error:
            raise translated(self.url, error) from error
        return Reply(answer.status_code, answer.headers, answer.content)

    def _follow(self, job_id: str) -> Iterator[Progress]:
        follower = Follower(self.url, job_id, self._flows.patience)
        while not follower.has_ended:
            try:
                yield from self._listen(follower)
                if not follower.has_ended:
                    raise translated(self.url, EOFError("the server closed it"))
            except ServerError as error:
                time.sleep(follower.lost(error))

    def _listen(self, follower: Follower) -> Iterator[Progress]:
        httpx = load_httpx()
        timeout = httpx.Timeout(self._http.timeout.connect, read=SILENCE_S)
        try:
            with self._http.stream("GET", follower.path, headers=follower.begin(), timeout=timeout) as answer:
                follower.check(answer.status_code, answer.read() if answer.status_code >= 300 else b"")
                for piece in answer.iter_bytes():
                    yield from follower.take(piece)
        except httpx.TransportError as error:
            raise translated(self.url, error) from error


@dataclass(frozen=True)
class Job:
    """A job at a server; get one from `Client.submit` or `Client.job`.

    Attributes:
        id: with which the job is found again; whoever knows it may read and remove the job.
        overlay: whether `findings` brings the pictures too.
    """

    id: str
    overlay: bool
    _client: Client = field(repr=False)
    _names: Sequence[str] = field(default=(), repr=False)

    def status(self) -> Progress:
        """Return how far the job is.

        Raises:
            GoneError: it was removed, or its time was over.
        """
        return to_progress(self._client._run(self._client._flows.job(self.id)))

    def progress(self) -> Iterator[Progress]:
        """Give how far the job is, at once and at every change until its end, also through restarts of the server."""
        return self._client._follow(self.id)

    def wait(self) -> RemoteFindings:
        """Return the findings once all are there.

        Raises:
            JobFailedError: it failed, or was removed.
        """
        for news in self.progress():
            if news.has_ended:
                check_end(self._client.url, news)
        return self.findings()

    def findings(self) -> RemoteFindings:
        """Return the findings so far, in the order of the files.

        Raises:
            GoneError: the job was removed, or its time was over.
        """
        return self._client._run(self._client._flows.job_findings(self.id, self._names, overlay=self.overlay))

    def cancel(self) -> None:
        """Remove the job with its files and findings; nothing happens if that was done."""
        try:
            self._client._run(self._client._flows.cancel(self.id))
        except GoneError:
            return
