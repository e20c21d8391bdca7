"""The log of a server: lines of our own words, written by a thread, so that a slow reader of stderr holds nobody up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import Any

from tumorscope.serve.problems import places

FORMAT = "%(asctime)s %(levelname)s %(message)s"
WAITING = 10_000
"""Lines that may wait to be written; further ones are dropped."""
LEVELS = {"tumorscope.serve": logging.INFO, "tumorscope.jobs": logging.INFO, "uvicorn": logging.WARNING}
QUOTING = ("python_multipart",)
"""Loggers of libraries that tell of what clients have sent."""


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write the log to stderr while the block runs; of errors only their place, never their message."""
    lines: Queue[Any] = Queue(WAITING)
    written = logging.StreamHandler()
    written.setFormatter(_Places(FORMAT))
    listener = QueueListener(lines, written)
    for name, level in LEVELS.items():
        log = logging.getLogger(name)
        log.handlers, log.propagate = [_Dropping(lines)], False
        log.setLevel(level)
    for name in QUOTING:
        logging.getLogger(name).propagate = False
    listener.start()
    try:
        yield
    finally:
        listener.stop()


class _Dropping(QueueHandler):
    """Gives lines to the thread that writes them, or drops them where it cannot keep up."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record  # the formatter needs the traceback, and the queue stays in this process

    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(Full):
            self.queue.put_nowait(record)


class _Places(logging.Formatter):
    """Writes of an exception where it happened; its message may quote what a client has sent."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the name is logging's)
        return f"{ei[0].__name__} at {places(ei[2])}"
