"""The verb ``train``: parse, call `train`, print."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorscope.cli.options import Data, Out
from tumorscope.cli.terminal import Reporter


def train(
    data: Data,
    out: Out,
    recipe: Annotated[str, typer.Option("--recipe", help="Name of a shipped recipe, or a YAML file.")] = "quick",
    split: Annotated[
        str, typer.Option("--split", help="grouped, official, folds, random (leaky) or benchmark:NAME.")
    ] = "grouped",
    fold: Annotated[
        int | None, typer.Option("--fold", min=1, max=5, help="The test fold, 1 to 5, for --split folds.")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="A recipe key, as schedule.epochs=3.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Train a model on DATA and evaluate it on the test part of the split."""
    from tumorscope.cli.settings import parse_settings
    from tumorscope.training import train as train_model

    with Reporter() as progress:
        run = train_model(
            data, recipe=recipe, out=out, split=split, fold=fold, overrides=parse_settings(setting or []),
            resume=resume, say=progress.say, progress=progress,
        )  # fmt: skip
    print(run.model)
    print(run.report)
