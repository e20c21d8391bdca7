"""A job that is being taken in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorscope.serve.jobs.record import Job
from tumorscope.serve.uploads import Upload


@dataclass(frozen=True)
class Draft:
    """A job that is being taken in.

    Attributes:
        id: the job's, unguessable.
        files: the folder for its uploads, under names that are ours.
    """

    id: str
    files: Path
    _accept: Callable[[str, Sequence[Upload], dict[str, Any], int], Awaitable[Job]] = field(repr=False)

    async def submit(self, uploads: Sequence[Upload], *, options: dict[str, Any], total: int | None = None) -> Job:
        """Record the job and let it begin; whatever happens from here on, it is worked on to its end.

        Args:
            uploads: what lies in `files`, in order.
            options: what was asked, as plain data.
            total: how much there is to do; else the number of uploads.

        Raises:
            OutputError: the disk is full.
        """
        return await self._accept(self.id, uploads, options, len(uploads) if total is None else total)
