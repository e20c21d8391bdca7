"""A folder a class, bare or under a folder a split; 'yes' and 'no' are such classes."""

from __future__ import annotations

from pathlib import Path

from tumorscope.catalog.layouts.listing import Entry, Listing, files_in, folders_in
from tumorscope.errors import CatalogError
from tumorscope.words import NOTUMOR, TUMOR, class_name, split_name

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp")


def list_class_folders(root: Path) -> Listing | None:
    """List ``<class>/*`` or ``<split>/<class>/*``; None where the folder has neither.

    Raises:
        CatalogError: both are there, or folders lie deeper than the layout has them.
    """
    folders = folders_in(root)
    if not folders:
        return None
    parts = [folder for folder in folders if split_name(folder.name)]
    if not parts:
        return _listing(root, _entries(root, root, ""), "class folders")
    if others := [
        folder.name for folder in folders if folder not in parts and (folders_in(folder) or files_in(folder))
    ]:
        seen = ", ".join(f"{folder.name}/" for folder in parts)
        raise CatalogError(
            f"has splits ({seen}) and beside them {', '.join(f'{name}/' for name in others)}",
            file=root,
            remedy="give the folder that holds one of them only",
        )
    entries = [entry for part in parts for entry in _entries(root, part, split_name(part.name))]
    return _listing(root, entries, "class folders under splits")


def _listing(root: Path, entries: list[Entry], layout: str) -> Listing | None:
    if not entries:
        return None
    if {entry.label for entry in entries} <= {TUMOR, NOTUMOR}:
        layout = layout.replace("class folders", "yes/no folders")
    return Listing(layout, root, entries)


def _entries(root: Path, folder: Path, split: str) -> list[Entry]:
    _check_no_pictures(folder)
    entries = []
    for named in folders_in(folder):
        if deeper := folders_in(named):
            raise CatalogError(
                f"has folders in the class folder '{named.name}': {', '.join(f'{d.name}/' for d in deeper[:4])}",
                file=folder,
                remedy="give the folder whose subfolders are the classes, or an index.csv with path,label",
            )
        label = class_name(named.name)
        entries += [Entry(file.relative_to(root).as_posix(), label, split=split) for file in files_in(named)]
    return entries


def _check_no_pictures(folder: Path) -> None:
    loose = [file.name for file in files_in(folder) if file.suffix.lower() in PICTURES]
    if loose:
        raise CatalogError(
            f"has {len(loose)} pictures beside its class folders ({loose[0]}, …)",
            file=folder,
            remedy="move them into a folder that names their class, or write an index.csv with path,label",
        )
