"""What is known of a job, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from tumorscope.errors import TumorscopeError

Status = Literal["queued", "running", "done", "cancelled", "failed"]
OPEN: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("done", "cancelled", "failed")


class JobGoneError(TumorscopeError):
    """There is no such job, or no more: it was removed, or its time was over."""

    def __init__(self) -> None:
        super().__init__("there is no such job: it was removed or its time was over", remedy="submit it again")


class TooManyJobsError(TumorscopeError):
    """As many jobs are open as are taken.

    Args:
        most: how many that is.
    """

    def __init__(self, most: int) -> None:
        what = f"{most} jobs are open, and no more are taken"
        super().__init__(what, remedy="wait for one to end, or remove one")


class JobStopped(BaseException):  # no error, and must not be caught as one
    """Raised in the thread of a job that was removed, or whose process stops."""


class NamedFile(Protocol):
    """A file that lies on the disk under a name of ours, and the name by which others know it."""

    @property
    def name(self) -> str:
        """As it was handed in; only ever shown."""

    @property
    def path(self) -> Path:
        """Where it lies."""


@dataclass(frozen=True)
class JobFile:
    """A file of a job.

    Attributes:
        name: as it was handed in; only ever shown.
        path: where it lies, under a name of ours.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Job:
    """How far one job is.

    Attributes:
        id: unguessable; whoever knows it may read and remove the job.
        kind: the name of its `Kind`.
        status: 'queued', 'running', 'done', 'cancelled' or 'failed'.
        stage: what it is at, in a word or two; empty where there is nothing to say.
        total: how many files (or steps of the stage) there are.
        done: how many of them are done.
        revision: grows with every change; the id of the job's events.
        created, ended: in seconds of the epoch.
        error: why it failed.
        options: what was asked for.
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
