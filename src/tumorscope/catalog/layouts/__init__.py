"""The layouts of data sets. A layout is one file in this folder and one row of `LAYOUTS`; the first that fits wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tumorscope.catalog.layouts.brisc import TASKS, list_brisc
from tumorscope.catalog.layouts.class_folders import list_class_folders
from tumorscope.catalog.layouts.index import INDEX, list_csv, list_folder_index
from tumorscope.catalog.layouts.kaggle_3m import list_kaggle_3m
from tumorscope.catalog.layouts.listing import Entry, Listing, files_in, folders_in
from tumorscope.catalog.phantom import is_phantom, phantom_folder
from tumorscope.errors import CatalogError
from tumorscope.words import split_name

__all__ = ["LAYOUTS", "Entry", "Listing", "data_roots", "list_data"]

LAYOUTS: tuple[Callable[[Path], Listing | None], ...] = (
    list_folder_index,
    list_brisc,
    list_kaggle_3m,
    list_class_folders,
)


def list_data(data: str | Path) -> Listing:
    """Recognize the layout of one DATA and list its files.

    Raises:
        CatalogError: nothing is there, no layout fits, or several do; the message shows what was seen.
    """
    if is_phantom(str(data)):
        return Listing("phantom", *_phantom(str(data)))
    path = Path(data)
    if not path.exists():
        raise CatalogError("is not there", file=path, remedy="check the path")
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise CatalogError("is one file, not a data set", file=path, remedy="give a folder or a CSV of path,label")
        return _not_empty(list_csv(path), path)
    return _not_empty(_list_folder(path), path)


def data_roots(data: Sequence[str | Path]) -> dict[str, Path]:
    """Return the folder of each DATA by the name of its data set; equal names get a number."""
    roots: dict[str, Path] = {}
    for item in data:
        name, root = _name_and_root(item)
        unique, number = name, 2
        while unique in roots:
            unique, number = f"{name}-{number}", number + 1
        roots[unique] = root
    return roots


def _name_and_root(item: str | Path) -> tuple[str, Path]:
    if is_phantom(str(item)):
        return "phantom", phantom_folder(str(item))
    path = Path(item).resolve()
    if path.suffix.lower() != ".csv":
        return path.name, _inner(path)
    return (path.parent.name if path.name in (INDEX, "catalog.csv") else path.stem), path.parent


def _list_folder(path: Path) -> Listing:
    root = _inner(path)
    for layout in LAYOUTS:
        listing = layout(root)
        if listing is not None:
            return listing
    seen = [f"{folder.name}/" for folder in folders_in(root)] + [file.name for file in files_in(root)]
    shown = ", ".join(seen[:6]) + (", …" if len(seen) > 6 else "")
    raise CatalogError(
        f"has no layout that is known (it holds {shown})" if seen else "is an empty folder",
        file=path,
        remedy="give class folders, yes/no, Training|Testing, kaggle_3m, BRISC, or an index.csv with path,label",
    )


def _inner(path: Path) -> Path:
    """Step into a folder that holds nothing but one folder of folders, as archives unpack to."""
    while path.is_dir() and not files_in(path) and len(folders := folders_in(path)) == 1:
        if split_name(folders[0].name) or folders[0].name in TASKS or not folders_in(folders[0]):
            break
        path = folders[0]
    return path


def _not_empty(listing: Listing, path: Path) -> Listing:
    if not listing.entries:
        raise CatalogError("names no picture", file=path, remedy="check that this is the data set's folder")
    return listing


def _phantom(word: str) -> tuple[Path, list[Entry]]:
    folder = phantom_folder(word)
    listing = list_folder_index(folder)
    assert listing is not None
    return folder, listing.entries
