"""The verb ``fetch``: parse, ask on a terminal, call `fetch_set`, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorscope.cli.terminal import Reporter

if TYPE_CHECKING:
    from tumorscope.fetch.run import Accept
    from tumorscope.fetch.sets import PublicSet


def fetch(
    name: Annotated[str, typer.Argument(help="A known set; without it they are listed.", metavar="[SET]")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the set; without it one of its name.", metavar="DIR")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the set's terms without being asked.")] = False,
    mirror: Annotated[
        str | None,
        typer.Option(help="Address that serves the publisher's paths; also TUMORSCOPE_MIRROR.", metavar="URL"),
    ] = None,
    check: Annotated[bool, typer.Option(help="Compare the files with the shipped list.")] = True,
) -> None:
    """Get a public data set from where it is published, checked and laid out."""
    from tumorscope.fetch.sets import public_set, public_sets

    if not name:
        print("\n".join(map(_line, public_sets().values())))
        return
    from tumorscope.fetch.run import fetch_set

    print(public_set(name).terms(), file=sys.stderr)
    with Reporter() as progress:
        fetched = fetch_set(
            name, out, accept=_accept(yes), mirror=mirror, check=check, progress=progress, say=progress.say
        )
    print(fetched.folder)
    print(f"{fetched.pictures:,} slices, {fetched.layout}; checked: {fetched.checked}", file=sys.stderr)


def _accept(yes: bool) -> Accept:
    """Return what answers for the user: ``--yes``, a question on a terminal, else no."""
    return _ask if not yes and sys.stdin.isatty() else yes


def _ask(chosen: PublicSet) -> bool:
    return typer.confirm(f"The use of {chosen.name} is {chosen.use}. Do you agree to its terms?", err=True)


def _line(known: PublicSet) -> str:
    what = f"{known.use}: {known.licence}" if known.files else f"cannot be fetched: {known.instead}"
    return f"{known.name:16} {known.pictures:>6,}  {what}"
