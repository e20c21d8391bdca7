"""The verb ``evaluate``: parse, call `evaluate_data`, print."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from tumorscope.cli.options import Channels, Data, Out, Seed, channel_choice
from tumorscope.cli.terminal import Reporter, say, show, stop_if_unreadable
from tumorscope.files.names import REPORT


def evaluate(
    model: Annotated[str, typer.Argument(help="A model file, or the YAML that describes any other.", metavar="MODEL")],
    data: Data,
    out: Out,
    split: Annotated[str, typer.Option("--split", help="test, val, train, all or benchmark:NAME.")] = "test",
    channels: Channels = "one",
    prevalence: Annotated[
        float, typer.Option(min=0, max=1, help="Share of tumors for which predictive values are stated.")
    ] = 0.05,
    seed: Seed = 0,
) -> None:
    """Measure a model on DATA, with what it has seen taken out."""
    from tumorscope.evaluation import evaluate_data, open_model
    from tumorscope.evaluation.text import evaluation_text
    from tumorscope.pages.evaluation import write_evaluation

    with Reporter() as progress:
        found = evaluate_data(
            open_model(model), data, split=split, channels=channel_choice(channels), seed=seed, prevalence=prevalence,
            command=shlex.join(["tumorscope", *sys.argv[1:]]), progress=progress,
        )  # fmt: skip
        write_evaluation(found, out)
    show(evaluation_text(found))
    print(out / REPORT)
    for entry in found.unreadable:
        say(f"{entry['path']}: {entry['problem']}")
    stop_if_unreadable(len(found.unreadable))
