"""The record of all jobs: one SQLite file, written by one process, readable by any number.

What a call has written stands when the call returns: through a kill of the process always, for accepted jobs through a
loss of power too.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tumorscope.errors import OutputError
from tumorscope.jobs.record import Job, JobGoneError, Status

FILE = "jobs.db"
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL, stage TEXT NOT NULL DEFAULT '',
    total INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, ended REAL, error TEXT, options TEXT NOT NULL,
    tried INTEGER, tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS files (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
    name TEXT NOT NULL, stored TEXT NOT NULL, PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
"""
COLUMNS = "id, kind, status, stage, total, done, revision, created, ended, error, options"


class JobStore:
    """The jobs, their files and what was found so far. Safe to be called from any thread.

    Args:
        folder: where the file lies, or will; the caller holds its lock.

    Raises:
        OutputError: the folder cannot be written, or the file is not ours.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file; what is in the log is brought home."""
        with self._lock:
            self._database.close()

    def add(self, job: Job, files: Sequence[tuple[str, str]]) -> None:
        """Record an accepted job; it survives a loss of power once this has returned.

        Args:
            job: as it begins.
            files: of each file the name by which others know it, and the name under which it is stored.
        """
        rows = [(job.id, position, _text(name), stored) for position, (name, stored) in enumerate(files)]
        values = (job.id, job.kind, job.status, job.total, job.created, json.dumps(job.options))
        with self._writing(lasting=True) as database:
            database.execute(
                "INSERT INTO jobs (id, kind, status, total, created, options) VALUES (?, ?, ?, ?, ?, ?)", values
            )
            database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            JobGoneError: there is none of that id.
        """
        rows = self._read(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", job_id)
        if not rows:
            raise JobGoneError
        return _job(rows[0])

    def with_status(self, statuses: Sequence[Status]) -> list[Job]:
        """Return the jobs of these statuses, oldest first."""
        marks = ", ".join("?" * len(statuses))
        rows = self._read(f"SELECT {COLUMNS} FROM jobs WHERE status IN ({marks}) ORDER BY created", *statuses)
        return [_job(row) for row in rows]

    def files(self, job_id: str) -> list[tuple[str, str]]:
        """Return the files of a job in order: name, and the name under which each is stored."""
        return [
            tuple(row) for row in self._read("SELECT name, stored FROM files WHERE job = ? ORDER BY position", job_id)
        ]

    def entries(self, job_id: str, since: int = 0, limit: int = -1) -> list[str]:
        """Return what was recorded from position `since`, as JSON texts; at most `limit`, if that is not negative."""
        query = "SELECT value FROM entries WHERE job = ? AND position >= ? ORDER BY position LIMIT ?"
        return [row[0] for row in self._read(query, job_id, since, limit)]

    def count_entries(self, job_id: str) -> int:
        """Return how many entries a job has."""
        return int(self._read("SELECT COUNT(*) FROM entries WHERE job = ?", job_id)[0][0])

    def record(self, job_id: str, values: Sequence[str], done: int) -> Job:
        """Append entries and say how many files are done, both or neither."""
        with self._writing() as database:
            job = self._change(job_id, "done = ?", done)
            start = database.execute("SELECT COUNT(*) FROM entries WHERE job = ?", (job_id,)).fetchone()[0]
            rows = [(job_id, start + offset, value) for offset, value in enumerate(values)]
            database.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
            return job

    def report(self, job_id: str, stage: str, done: int, total: int) -> Job:
        """Say what a job is at."""
        with self._writing():
            return self._change(job_id, "stage = ?, done = ?, total = ?", stage, done, total)

    def begin(self, job_id: str) -> Job:
        """Mark a job as running."""
        with self._writing():
            return self._change(job_id, "status = 'running'")

    def lay_down(self) -> None:
        """Mark what runs as queued: the process stops by request, and what it was reading is not to blame."""
        with self._writing() as database:
            database.execute(
                "UPDATE jobs SET status = 'queued', tries = MAX(tries - 1, 0), revision = revision + 1 "
                "WHERE status = 'running'"
            )

    def begin_again(self, job_id: str, options: dict[str, Any]) -> Job:
        """Forget what was recorded of a job, and change what it was asked."""
        with self._writing() as database:
            database.execute("DELETE FROM entries WHERE job = ?", (job_id,))
            assignments = "done = 0, stage = '', tried = NULL, tries = 0, options = ?"
            return self._change(job_id, assignments, json.dumps(options))

    def end(self, job_id: str, status: Status, error: str | None = None) -> Job:
        """Mark a job as ended."""
        with self._writing():
            return self._change(job_id, "status = ?, error = ?, stage = '', ended = ?", status, error, time.time())

    def try_file(self, job_id: str, position: int) -> int:
        """Note that a file is about to be read, and return how often that was noted of it before."""
        with self._writing() as database:
            before = database.execute(
                "SELECT CASE WHEN tried = ?2 THEN tries ELSE 0 END FROM jobs WHERE id = ?1", (job_id, position)
            ).fetchone()
            tries = 0 if before is None else int(before[0])
            database.execute("UPDATE jobs SET tried = ?, tries = ? WHERE id = ?", (position, tries + 1, job_id))
            return tries

    def remove(self, job_id: str) -> None:
        """Forget a job, and every name and finding of it, on the disk too."""
        with self._writing() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        self._read("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prepare(self) -> None:
        database = self._database
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")  # a file's name may say who the patient is
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise sqlite3.DatabaseError(f"was written by another version of tumorscope ({found})")
        database.executescript(SCHEMA)
        database.execute(f"PRAGMA user_version = {VERSION}")

    def _read(self, query: str, *values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextmanager
    def _writing(self, *, lasting: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the database within a transaction, which is waited for until it is on the disk where it must last."""
        database = self._database
        with self._lock:
            try:
                database.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._failure(error) from error
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")

    def _change(self, job_id: str, assignments: str, *values: Any) -> Job:
        statement = f"UPDATE jobs SET {assignments}, revision = revision + 1 WHERE id = ? RETURNING {COLUMNS}"
        rows = self._database.execute(statement, (*values, job_id)).fetchall()
        if not rows:
            raise JobGoneError
        return _job(rows[0])

    def _failure(self, error: sqlite3.Error) -> OutputError:
        return OutputError(
            f"cannot be used ({error})", file=self._path, remedy="free some space, or serve with another --keep"
        )


def _job(row: tuple[Any, ...]) -> Job:
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    return Job(**values | {"options": json.loads(values["options"])})


def _text(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")  # a file name need not be text
