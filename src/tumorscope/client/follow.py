"""Following a job's events through broken connections and restarts of the server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from tumorscope.client.answers import Progress, to_progress
from tumorscope.client.events import EventReader
from tumorscope.client.flows import FIRST_PAUSE, JOBS, LONGEST_PAUSE
from tumorscope.client.problems import problem
from tumorscope.errors import BusyError, JobFailedError, ServerError

SILENCE_S = 45.0
"""The server says something every ten seconds; after so long without a byte the connection is dead."""
NOTHING_MORE = 204


@dataclass
class Follower:
    """What is known of a job's events, from one connection to the next.

    Attributes:
        url: of the server.
        job_id: of the job.
        patience: seconds for which a server that went away is waited for.
        has_ended: whether the last event has come.
    """

    url: str
    job_id: str
    patience: float
    has_ended: bool = False
    _reader: EventReader = field(default_factory=EventReader)
    _lost_at: float | None = None
    _pause: float = FIRST_PAUSE

    @property
    def path(self) -> str:
        """Where the events come from."""
        return f"{JOBS}/{self.job_id}/events"

    def begin(self) -> dict[str, str]:
        """Return the headers of the next connection, which asks for what the last one did not bring."""
        self._reader = EventReader(self._reader.last_id)
        return {"Last-Event-ID": self._reader.last_id} if self._reader.last_id else {}

    def check(self, status: int, content: bytes) -> None:
        """Look at the head of an answer.

        Raises:
            ServerError: it is a refusal.
        """
        if status >= 300:
            raise problem(self.url, status, content)
        self.has_ended = status == NOTHING_MORE

    def take(self, piece: bytes) -> list[Progress]:
        """Return the news in a piece of the stream."""
        self._lost_at, self._pause = None, FIRST_PAUSE
        events = self._reader.feed(piece)
        self.has_ended = any(event.name == "end" for event in events)
        return [to_progress(json.loads(event.data)) for event in events]

    def lost(self, error: ServerError) -> float:
        """Return how many seconds to wait before the next connection.

        Raises:
            ServerError: it would be in vain, or the patience is at its end.
        """
        now = time.monotonic()
        self._lost_at = now if self._lost_at is None else self._lost_at
        is_passing = error.status is None or isinstance(error, BusyError)
        if not is_passing or now + self._pause - self._lost_at > self.patience:
            raise error
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause


def check_end(url: str, last: Progress) -> None:
    """Make sure that a job has all of its findings.

    Raises:
        JobFailedError: it failed, or was removed.
    """
    if last.status != "done":
        reason = "was removed before its end" if last.status == "cancelled" else f"failed ({last.error})"
        raise JobFailedError(f"the job {reason}", file=url, remedy="submit it again")
