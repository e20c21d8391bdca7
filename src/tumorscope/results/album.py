"""The pictures that `predict` leaves in a folder: one heatmap overlay a slice, and a contact sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.files.atomic import write_bytes
from tumorscope.inference.decide import Decision, shown_class
from tumorscope.inference.inputs import Input
from tumorscope.model_file import Card
from tumorscope.results.overlays import Picture, contact_sheet, encode_png, overlay

SHEET = "contact_sheet.png"
SHEET_LIMIT = 60


class Album:
    """Writes the pictures of one call, under names that cannot collide, and remembers the first for the sheet."""

    def __init__(self, folder: Path, card: Card) -> None:
        self.folder = folder
        self.card = card
        self._names: set[str] = {SHEET}
        self._sheet: list[tuple[Picture, str, str]] = []

    def add(self, item: Input, said: Decision, heatmaps: NDArray[np.float32]) -> str:
        """Write the overlay of one slice and return its path.

        Args:
            item: the slice, its plane kept.
            said: what was decided; its label chooses the map, and `notumor` the map of the likeliest tumor.
            heatmaps: ``(classes, h, w)``.
        """
        assert item.plane is not None
        picture = overlay(
            item.plane, heatmaps[shown_class(self.card, said)], item.placement, weight=said.tumor_probability
        )
        path = self.folder / self._unique(item)
        write_bytes(path, encode_png(picture))
        if len(self._sheet) < SHEET_LIMIT:
            answer = said.label if said.status == "ok" else "refused"
            self._sheet.append((picture, Path(item.file).name, f"{answer}, tumor {said.tumor_probability:.0%}"))
        return str(path)

    def close(self) -> None:
        """Write the contact sheet."""
        if self._sheet:
            write_bytes(self.folder / SHEET, encode_png(contact_sheet(self._sheet)))

    def _unique(self, item: Input) -> str:
        parts = (Path(item.file).stem, item.index, item.sequence)
        stem = ".".join(str(part) for part in parts if part is not None)
        name, number = f"{stem}.png", 2
        while name in self._names:
            name, number = f"{stem}-{number}.png", number + 1
        self._names.add(name)
        return name
