"""Options of the command line that several verbs share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorscope.errors import OutputError, UsageError, did_you_mean

if TYPE_CHECKING:
    from tumorscope.scans import Channels as ChannelChoice

Data = Annotated[list[str], typer.Argument(help="Folders, CSV files, or the word phantom.", metavar="DATA")]
Channels = Annotated[str, typer.Option("--channels", help="Of a picture of three sequences: one (FLAIR) or all.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything random.")]


def check_folder(out: Path | None) -> Path | None:
    """Make sure that results can be written to a folder, which need not be there: before the work, not after it.

    Raises:
        UsageError: it is, or would lie in, something that is no folder.
        OutputError: nothing may be written there.
    """
    if out is None:
        return None
    there = next(place for place in (out, *out.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        raise UsageError("is no folder", file=there, remedy="give --out a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError("cannot be written (permission denied)", file=there, remedy="choose another --out")
    return out


Out = Annotated[Path, typer.Option("--out", help="Folder for the results.", metavar="DIR", callback=check_folder)]


def channel_choice(text: str) -> ChannelChoice:
    """Return what ``--channels`` says.

    Raises:
        UsageError: there is no such choice.
    """
    from tumorscope.scans import CHANNELS

    for choice in CHANNELS:
        if text == choice:
            return choice
    raise UsageError(f"there is no --channels '{text}'", remedy=did_you_mean(text, CHANNELS))
