"""What the client asks of a server, and in which order, apart from how bytes travel.

A flow is a generator: it gives what is to be asked (`Ask`) or waited for (`Pause`), is sent the `Reply`, and returns
the result. The sync and the async client run the same flows.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from tumorscope.client.answers import LoadedModel, RemoteFindings, named, to_findings, to_models
from tumorscope.client.multipart import OVERHEAD, Multipart, quoted
from tumorscope.client.problems import problem
from tumorscope.client.sources import Source
from tumorscope.errors import ConnectionLostError, ServerError, TooLargeError, UnreachableError
from tumorscope.findings import Finding, ModelName, failed_finding

MODELS, FINDINGS, JOBS, READY = "/v1/models", "/v1/findings", "/v1/jobs", "/readyz"
FILES_A_REQUEST = 32
"""Files of one request at most, whatever the server would take: answers come sooner."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
RETRIED = (429, 503)


@dataclass(frozen=True)
class Ask:
    """A request.

    Attributes:
        method, path: what is asked of whom.
        params: behind the question mark.
        body: files to send.
        repeats: whether asking twice does no harm, so that a broken connection is answered by asking again.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Multipart | None = None
    repeats: bool = True


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """The answer to an `Ask`; nothing answers a `Pause`."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body as plain data.

        Raises:
            ServerError: it is no JSON.
        """
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise ServerError(
                "the answer is not one of tumorscope",
                remedy="check the address, and what stands between here and the server",
                status=self.status,
            ) from error


NOTHING = Reply(0, {}, b"")
Result = TypeVar("Result")
Flow = Generator[Ask | Pause, Reply, Result]


@dataclass(frozen=True)
class Flows:
    """The flows towards one server.

    Attributes:
        url: of the server, for messages.
        patience: seconds for which a busy server, or one that broke off, is asked again.
    """

    url: str
    patience: float

    def ask(self, request: Ask) -> Flow[Reply]:
        """Ask until the server has time for it.

        Raises:
            ServerError: it refuses, or has no time for longer than we wait.
        """
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            try:
                reply = yield request
            except ConnectionLostError:
                if not request.repeats or waited + pause > self.patience:
                    raise
                seconds = pause
            else:
                if reply.status < 300:
                    return reply
                seconds = _seconds(reply.headers.get("retry-after"), pause)
                if reply.status not in RETRIED or waited + seconds > self.patience:
                    raise problem(self.url, reply.status, reply.content)
            yield Pause(seconds)
            waited, pause = waited + seconds, min(2 * pause, LONGEST_PAUSE)

    def models(self) -> Flow[list[LoadedModel]]:
        """Ask which models answer."""
        return to_models((yield from self.ask(Ask("GET", MODELS))).json())

    def ready(self) -> Flow[bool]:
        """Ask whether the server takes work."""
        try:
            return (yield Ask("GET", READY)).status == 200
        except (UnreachableError, ConnectionLostError):
            return False

    def findings(self, sources: Sequence[Source], *, overlay: bool, channels: str) -> Flow[RemoteFindings]:
        """Ask what the files of one request show."""
        request = Ask("POST", FINDINGS, _params(overlay, channels), Multipart(sources))
        entries = (yield from self.ask(request)).json()["findings"]
        return named(to_findings(entries), [source.name for source in sources])

    def submit(
        self, sources: Sequence[Source], limits: Mapping[str, Any], *, overlay: bool, channels: str
    ) -> Flow[str]:
        """Start a job and return its id.

        Raises:
            TooLargeError: it is more than the server takes in one job.
        """
        files, size = len(sources), sum(map(_size, sources))
        if files > limits["job_files"] or size > limits["job_body_bytes"]:
            raise TooLargeError(
                f"{files:,} files of {size:,} bytes, and a job may have {limits['job_files']:,} and "
                f"{limits['job_body_bytes']:,}",
                file=self.url,
                remedy="submit several jobs",
            )
        request = Ask("POST", JOBS, _params(overlay, channels), Multipart(sources), repeats=False)
        return str((yield from self.ask(request)).json()["id"])

    def job(self, job_id: str) -> Flow[dict[str, Any]]:
        """Ask how far a job is."""
        since = {"since": str(2**31)}  # without any finding
        document: dict[str, Any] = (yield from self.ask(Ask("GET", f"{JOBS}/{job_id}", since))).json()
        return document

    def job_findings(self, job_id: str, names: Sequence[str], *, overlay: bool) -> Flow[RemoteFindings]:
        """Ask for all that a job has found so far, page by page."""
        entries: list[dict[str, Any]] = []
        params = {"overlay": "png"} if overlay else {}
        while True:
            request = Ask("GET", f"{JOBS}/{job_id}", {**params, "since": str(len(entries))})
            document = (yield from self.ask(request)).json()
            entries += document["findings"]
            if not document["more"]:
                found = to_findings(entries)
                return named(found, names) if names else found

    def cancel(self, job_id: str) -> Flow[None]:
        """Cancel and remove a job."""
        yield from self.ask(Ask("DELETE", f"{JOBS}/{job_id}"))


def cut(sources: Sequence[Source], limits: Mapping[str, Any]) -> list[list[Source]]:
    """Cut a list of files into requests that the server takes."""
    most_files, most_bytes = min(limits["files"], FILES_A_REQUEST), limits["body_bytes"]
    requests: list[list[Source]] = []
    room = 0
    for source in sources:
        if not requests or len(requests[-1]) == most_files or _size(source) > room:
            requests.append([])
            room = most_bytes - OVERHEAD
        requests[-1].append(source)
        room -= _size(source)
    return requests


def refused(sources: Sequence[Source], model: LoadedModel) -> dict[int, Finding]:
    """Return, by place in the list, the findings of status 'error' for files that cannot be sent."""
    name = ModelName(name=model.name, version=model.version, sha256=model.sha256)
    problems = {number: _problem(source, model.limits["body_bytes"]) for number, source in enumerate(sources)}
    return {
        number: failed_finding(sources[number].name, message, name)
        for number, message in problems.items()
        if message is not None
    }


def _problem(source: Source, most: int) -> str | None:
    if source.problem is None and _size(source) + OVERHEAD > most:
        return f"has {source.size:,} bytes, and the server takes {most:,} in a request; submit it as a job"
    return source.problem


def _size(source: Source) -> int:
    return source.size + OVERHEAD + len(quoted(source.name).encode())


def _params(overlay: bool, channels: str) -> dict[str, str]:
    return {"channels": channels} | ({"overlay": "png"} if overlay else {})


def _seconds(retry_after: str | None, otherwise: float) -> float:
    """Return how long to wait: what the server says, as seconds or a date, and a little more by chance."""
    chance = random.uniform(0, otherwise / 2)
    if retry_after is None:
        return otherwise + chance
    try:
        asked = float(retry_after)
    except ValueError:
        try:
            asked = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            asked = otherwise
    return max(0.0, asked) + chance
