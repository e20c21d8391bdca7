"""The folder of each job: what was handed in for it, and what it has made."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tumorscope.errors import OutputError
from tumorscope.jobs.place import PRIVATE
from tumorscope.jobs.record import NamedFile

FILES, RESULTS = "files", "results"
LEAVING = ".gone"
THREADS = 8
RESERVE = 256 * 1024**2
"""Bytes of the disk that the files of jobs leave free."""


class JobFolders:
    """The folders of jobs, each named by its job; only this user can open them.

    Args:
        folder: in which they stand.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with keeping():
            folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)

    def files(self, job_id: str) -> Path:
        """Return the folder of a job's files."""
        return self._folder / job_id / FILES

    def results(self, job_id: str) -> Path:
        """Return the folder of what a job has made."""
        return self._folder / job_id / RESULTS

    def make(self, job_id: str, size: int) -> None:
        """Make the folders of a job.

        Args:
            job_id: of the job.
            size: bytes that will be written, as far as they are known.

        Raises:
            OutputError: the disk has no room for them.
        """
        with keeping():
            if shutil.disk_usage(self._folder).free < size + RESERVE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            for folder in (self._folder / job_id, self.files(job_id), self.results(job_id)):
                folder.mkdir(mode=PRIVATE)

    def flush(self, job_id: str, files: Sequence[NamedFile]) -> None:
        """Return once a job's files are on the disk, so that a loss of power does not lose them.

        Raises:
            OutputError: the disk is full.
        """
        with keeping():
            _flush(file.path for file in files)
            _flush((self.files(job_id), self._folder / job_id, self._folder))

    def remove(self, job_id: str) -> None:
        """Remove all that a job has; a thread that still writes there finds no folder any more."""
        folder = self._folder / job_id
        with suppress(OSError):
            folder = folder.rename(self._folder / f"{job_id}{LEAVING}")
        shutil.rmtree(folder, ignore_errors=True)

    def remove_files(self, job_id: str) -> None:
        """Remove a job's files."""
        shutil.rmtree(self.files(job_id), ignore_errors=True)

    def remove_others(self, job_ids: Collection[str]) -> None:
        """Remove what belongs to none of these jobs: files that were being received when the process died."""
        for folder in self._folder.iterdir():
            if folder.name not in job_ids:
                self.remove(folder.name)


@contextmanager
def keeping() -> Iterator[None]:
    """Turn what the disk refuses within the block into an error of ours, which names no path of ours.

    Raises:
        OutputError: it is full or broken.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"a job cannot be kept ({reason})", remedy="free some space, then try again") from error


def _flush(paths: Iterable[Path]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:  # a disk takes many at one time
        list(pool.map(_flush_one, paths))


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
