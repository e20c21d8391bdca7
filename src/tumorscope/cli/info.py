"""The verb ``info``: parse, load a model, print its card."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorscope.cli.terminal import show


def info(
    model: Annotated[
        str | None, typer.Argument(help="A model file; without it the shipped one.", metavar="[MODEL]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show what a model says of itself: training data, figures, limits, licence."""
    from tumorscope.inference import load
    from tumorscope.inference.text import card_text

    file = load(model).file
    if json:
        print(file.card.model_dump_json(indent=2))
    else:
        show(card_text(file.card, file.sha256))
