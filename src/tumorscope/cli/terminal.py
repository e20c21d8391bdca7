"""Results to stdout, talk to stderr: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from tumorscope.cli.exit_codes import SOME_FAILED

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

QUIET_SECONDS = 5.0
"""Elsewhere than on a terminal a line of progress comes no more often than this."""


class Reporter:
    """Takes (what, done, total) from a job and shows it; use it as a context manager."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last_line = time.monotonic()

    def __enter__(self) -> Reporter:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if self._bar is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=total)
            self._bar.update(self._tasks[what], completed=done, total=total)
        elif time.monotonic() - self._last_line > QUIET_SECONDS:
            self.say(f"{what} {done:,}/{total:,}")

    def say(self, line: str) -> None:
        """Print a line; the bar stays under it."""
        self._last_line = time.monotonic()
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)


def show(renderable: RenderableType) -> None:
    """Print a table or a text with styles to stdout."""
    from rich.console import Console

    Console().print(renderable)


def say(line: str) -> None:
    """Print a line to stderr."""
    print(line, file=sys.stderr, flush=True)


def stop_if_unreadable(count: int) -> None:
    """End the command where some of its files could not be read."""
    if count:
        say(f"{count} of the files could not be read; everything else is done")
        raise typer.Exit(SOME_FAILED)
