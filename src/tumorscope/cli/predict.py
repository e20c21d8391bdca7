"""The verb ``predict``: parse, call the model, print its findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorscope.cli.options import Channels, channel_choice, check_folder
from tumorscope.cli.terminal import Reporter, stop_if_unreadable
from tumorscope.errors import UsageError

if TYPE_CHECKING:
    from tumorscope.findings import Findings


def predict(
    paths: Annotated[list[str], typer.Argument(help="Pictures, or folders of them.", metavar="PATH")],
    model: Annotated[str | None, typer.Option("--model", help="A model file; without it the shipped one.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for heatmaps and a contact sheet.", metavar="DIR", callback=check_folder),
    ] = None,
    channels: Channels = "one",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line, as they come.")] = False,
) -> None:
    """Say what pictures show."""
    from tumorscope.inference import load

    if json and jsonl:
        raise UsageError("--json and --jsonl exclude each other", remedy="give one of them")
    chosen, loaded = channel_choice(channels), load(model)
    if jsonl:
        failed = set[str]()
        for finding in loaded.iter_findings(paths, out=out, channels=chosen):
            print(finding.to_json(), flush=True)
            failed |= {finding.file} if finding.status == "error" else set()
    else:
        with Reporter() as progress:
            findings = loaded.predict(paths, out=out, channels=chosen, progress=progress)
        failed = {finding.file for finding in findings.failed}
        print(findings.to_json() if json else _lines(findings, out))
    stop_if_unreadable(len(failed))


def _lines(findings: Findings, out: Path | None) -> str:
    from tumorscope.inference.text import finding_line

    return "\n".join([*map(finding_line, findings), *([] if out is None else [str(out)])])
