"""The verbs ``study run``, ``study status`` and ``study list``: parse, call one function, print."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from tumorscope.cli.exit_codes import SOME_FAILED
from tumorscope.cli.options import Out
from tumorscope.cli.settings import parse_settings
from tumorscope.cli.terminal import Reporter, show

study = typer.Typer(help="Compare many runs: one YAML names the data, the protocols and the runs.")


@study.command()
def run(
    name: Annotated[str, typer.Argument(help="A YAML file, or the name of a shipped study.", metavar="STUDY")],
    out: Out,
    data_root: Annotated[
        Path | None, typer.Option("--data-root", help="Where its data sets lie.", metavar="DIR")
    ] = None,
    cpu_hours: Annotated[
        float | None, typer.Option("--cpu-hours", min=0.001, help="Cut epochs, sides and seeds evenly to fit.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings side by side; they share the cores.")] = 1,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A recipe key, set in every run; RUN:key=value in one.")
    ] = None,
) -> None:
    """Run a study, or go on with one that was interrupted."""
    from tumorscope.studies import run_study
    from tumorscope.studies.text import leaderboard_text

    with Reporter() as progress:
        found = run_study(
            name, out=out, data_root=data_root, cpu_hours=cpu_hours, jobs=jobs,
            overrides=parse_settings(setting or []), command=shlex.join(["tumorscope", *sys.argv[1:]]),
            say=progress.say, progress=progress,
        )  # fmt: skip
    show(leaderboard_text(found.found))
    print(found.page)
    for label, reason in found.failed.items():
        print(f"{label}: {reason}", file=sys.stderr)
    if found.failed:
        print(f"{len(found.failed)} of the trainings failed; everything else is done", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


@study.command()
def status(
    folder: Annotated[Path, typer.Argument(help="The --out of a study.", metavar="DIR")],
) -> None:
    """Show how far each training of a study is."""
    from tumorscope.studies.status import read_status
    from tumorscope.studies.text import status_lines, status_table

    found = read_status(folder)
    if sys.stdout.isatty():
        show(status_table(found))
    else:
        print("\n".join(status_lines(found)))


@study.command("list")
def list_studies() -> None:
    """Name the shipped studies, their data and how much there is to train."""
    from tumorscope.studies import load_study, shipped_studies
    from tumorscope.studies.plan import make_plan

    for name, path in shipped_studies().items():
        study = load_study(name)
        trainings = len(make_plan(study, path.parent).units)
        print(f"{name:16} {', '.join(study.data):16} {trainings:3} trainings   {study.title}")
