"""The pictures that `predict` leaves in a folder: one heatmap overlay a slice, and a contact sheet."""

from __future__ import annotations

from pathlib import Path

from tumorscope.files.atomic import write_bytes
from tumorscope.findings import SliceFinding
from tumorscope.results.overlays import Picture, contact_sheet, encode_png, overlay
from tumorscope.results.sink import Drawable

SHEET = "contact_sheet.png"
SHEET_LIMIT = 60


class Album:
    """Writes the pictures of one call, under names that cannot collide, and remembers the first for the sheet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = {SHEET}
        self._sheet: list[tuple[Picture, str, str]] = []

    def add(self, drawable: Drawable) -> SliceFinding:
        """Write the overlay of one slice; its finding comes back with the picture's path."""
        finding, probability = drawable.finding, drawable.finding.tumor_probability or 0.0
        picture = overlay(drawable.plane, drawable.heatmap, drawable.placement, weight=probability)
        path = self.folder / self._unique(finding)
        write_bytes(path, encode_png(picture))
        if len(self._sheet) < SHEET_LIMIT:
            answer = finding.label if finding.status == "ok" else "refused"
            self._sheet.append((picture, Path(finding.file).name, f"{answer}, tumor {probability:.0%}"))
        return finding.model_copy(update={"heatmap": str(path)})

    def close(self) -> None:
        """Write the contact sheet."""
        if self._sheet:
            write_bytes(self.folder / SHEET, encode_png(contact_sheet(self._sheet)))

    def _unique(self, finding: SliceFinding) -> str:
        parts = (Path(finding.file).stem, finding.slice, finding.sequence)
        stem = ".".join(str(part) for part in parts if part is not None)
        name, number = f"{stem}.png", 2
        while name in self._names:
            name, number = f"{stem}-{number}.png", number + 1
        self._names.add(name)
        return name
