"""The verb ``prepare``: parse, call `prepare`, print."""

from __future__ import annotations

from typing import Annotated

import typer

from tumorscope.cli.options import Channels, Data, Out, channel_choice
from tumorscope.cli.terminal import Reporter, say, stop_if_unreadable


def prepare(
    data: Data,
    out: Out,
    side: Annotated[int, typer.Option(min=32, max=1024, help="Height and width of what is written, in pixels.")] = 224,
    crop: Annotated[bool, typer.Option(help="Cut the empty border around the head away.")] = True,
    channels: Channels = "one",
) -> None:
    """Write the slices cropped, resized and windowed, with their catalog."""
    from tumorscope.catalog.prepare import prepare as prepare_data

    with Reporter() as progress:
        catalog = prepare_data(
            data, out=out, side=side, crop=crop, channels=channel_choice(channels), progress=progress
        )
    print(out)
    say(f"{len(catalog.table):,} slices")
    for entry in catalog.unreadable:
        say(f"{entry['path']}: {entry['problem']}")
    stop_if_unreadable(len(catalog.unreadable))
