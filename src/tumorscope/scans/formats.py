"""What the files of pictures are called, and what lies beside them that nobody means."""

from __future__ import annotations

from pathlib import PurePath

SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}
"""By the name of the format, the suffixes that its files have."""
PICTURE_SUFFIXES = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def is_misnamed(path: PurePath, file_format: str) -> bool:
    """Whether a file's suffix names another format than the one its content has."""
    return file_format in SUFFIXES and path.suffix.lower() not in SUFFIXES[file_format]
