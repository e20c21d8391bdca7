"""A job that is being taken in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorscope.jobs.record import Job, NamedFile


@dataclass(frozen=True)
class Draft:
    """A job that is being taken in.

    Attributes:
        id: the job's, unguessable.
        files: the folder for its files, under names that are ours.
    """

    id: str
    files: Path
    _accept: Callable[[str, Sequence[NamedFile], dict[str, Any], int], Awaitable[Job]] = field(repr=False)

    async def submit(self, files: Sequence[NamedFile], *, options: dict[str, Any], total: int | None = None) -> Job:
        """Record the job and let it begin; whatever happens from here on, it is worked on to its end.

        Args:
            files: what lies in the folder `files`, in order.
            options: what was asked, as plain data.
            total: how much there is to do; else the number of files.

        Raises:
            OutputError: the disk is full.
        """
        return await self._accept(self.id, files, options, len(files) if total is None else total)
