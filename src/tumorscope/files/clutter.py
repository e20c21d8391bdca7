"""What desktops leave in folders and archives, and nobody means."""

from __future__ import annotations

from pathlib import PurePath

NAMES = ("__macosx", "thumbs.db", "desktop.ini")


def is_clutter(name: str) -> bool:
    """Whether one name, of a file or a folder, is clutter; hidden ones (``.DS_Store``, ``._scan.png``) are."""
    return name.startswith(".") or name.lower() in NAMES


def holds_clutter(path: PurePath) -> bool:
    """Whether any part of a relative path is clutter."""
    return any(is_clutter(part) for part in path.parts)
