"""What is known of a job, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tumorscope.serve.problems import ProblemError

Status = Literal["queued", "running", "done", "cancelled", "failed"]
OPEN: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("done", "cancelled", "failed")


class JobGoneError(ProblemError):
    """There is no such job, or no more: it was removed, or its time was over (404)."""

    def __init__(self) -> None:
        super().__init__("no-job", "there is no such job: it was removed or its time was over; submit it again")


class TooManyJobsError(ProblemError):
    """As many jobs are open as the server takes (429).

    Args:
        most: how many that is.
        seconds: after which it is worth to ask again.
    """

    def __init__(self, most: int, seconds: int) -> None:
        detail = f"{most} jobs are open, and no more are taken; wait for one to end, or remove one"
        super().__init__("busy", detail, headers={"Retry-After": str(seconds)})


class JobStopped(BaseException):  # no error, and must not be caught as one
    """Raised in the thread of a job that was removed, or whose server stops."""


@dataclass(frozen=True)
class Job:
    """How far one job is.

    Attributes:
        id: unguessable; whoever knows it may read and remove the job.
        kind: a name of `KINDS`.
        status: 'queued', 'running', 'done', 'cancelled' or 'failed'.
        stage: what it is at, in a word or two; empty where there is nothing to say.
        total: how many files (or steps of the stage) there are.
        done: how many of them are done.
        revision: grows with every change; the id of the job's events.
        created, ended: in seconds of the epoch.
        error: why it failed.
        options: what the request asked for.
    """

    id: str
    kind: str
    status: Status
    stage: str
    total: int
    done: int
    revision: int
    created: float
    ended: float | None = None
    error: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether there is still work to do."""
        return self.status in OPEN
