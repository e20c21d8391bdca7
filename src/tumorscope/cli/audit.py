"""The verb ``audit``: parse, call `run_audit`, print."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorscope.cli.options import Channels, Data, Out, Seed, channel_choice
from tumorscope.cli.terminal import Reporter, show, stop_if_unreadable


def audit(
    data: Data,
    out: Out,
    against: Annotated[list[str] | None, typer.Option("--against", help="How much of this set stands in DATA.")] = None,
    channels: Channels = "one",
    atlas: Annotated[bool, typer.Option(help="Recognize slices of the Cheng set.")] = True,
    seed: Seed = 0,
) -> None:
    """Look for copies, leaks, conflicts and shortcuts in a data set."""
    from tumorscope.audits.audit import run_audit
    from tumorscope.audits.text import audit_text
    from tumorscope.pages.audit import write_audit

    with Reporter() as progress:
        found = run_audit(
            data,
            against=against or (),
            seed=seed,
            use_atlas=atlas,
            channels=channel_choice(channels),
            progress=progress,
        )
        write_audit(found, out)
    show(audit_text(found.summary))
    print(out / "audit.html")
    stop_if_unreadable(len(found.summary["unreadable"]))
