"""A zip that a client sent -> the files in it, within limits, below a folder of ours and nowhere else."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tumorscope.errors import UsageError
from tumorscope.files.archives import leads_out
from tumorscope.files.clutter import holds_clutter

CHUNK = 1 << 20
TAIL = 22 + 65_535 + 20
"""The end of a zip: its last record with the longest comment, and the pointer of large archives before it."""
DIRECTORY_BYTES = 400
"""What one file may take in a zip's list of files, on average."""
ALWAYS_ALLOWED = 50_000_000
"""Bytes up to which how far a zip was packed does not matter."""


@dataclass(frozen=True)
class ZipLimits:
    """What an uploaded zip may hold.

    Attributes:
        files: number of files.
        total_bytes: all files together, unpacked.
        file_bytes: one file, unpacked.
        ratio: unpacked to packed size; pictures are packed already, so that a data set never comes near it.
        depth: folders in folders.
        name_bytes: one part of a path.
    """

    files: int = 50_000
    total_bytes: int = 4_000_000_000
    file_bytes: int = 200_000_000
    ratio: float = 100.0
    depth: int = 10
    name_bytes: int = 200


class ZipRefusedError(UsageError):
    """A zip is none, is damaged, or holds what is not unpacked."""


def check_zip(archive: Path, limits: ZipLimits) -> int:
    """Read the list of files of a zip, unpacking nothing.

    Returns:
        The number of files that `unpack_zip` would write.

    Raises:
        ZipRefusedError: it is no zip, or breaks a limit.
    """
    try:
        _check_directory(archive, limits)
        with zipfile.ZipFile(archive) as opened:
            return len(_members(opened, archive, limits))
    except _DAMAGE as error:
        raise _damaged(error) from error


def unpack_zip(archive: Path, folder: Path, limits: ZipLimits) -> list[str]:
    """Unpack a zip into an existing empty folder.

    Returns:
        The paths that were written, relative to `folder`, with forward slashes.

    Raises:
        ZipRefusedError: it is no zip, is damaged, or breaks a limit; what was written so far stays.
    """
    try:
        _check_directory(archive, limits)
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive, limits)
            for path, member in members.items():
                _write(opened, member, folder / path)
    except _DAMAGE as error:
        raise _damaged(error) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ZipRefusedError(f"the zip cannot be unpacked ({reason})", remedy="send a smaller one") from error
    return list(members)


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError, struct.error, ValueError,
)  # fmt: skip
"""What Python's reader raises on a file that is no whole zip, is encrypted, or is packed in a way it does not know."""


def _damaged(error: Exception) -> ZipRefusedError:
    reason = " ".join(str(error).split()).lower() or "it ends too early"
    if "encrypted" in reason or "password" in reason:
        return ZipRefusedError("the zip is encrypted", remedy="send it without a password")
    return ZipRefusedError(f"this is no whole zip ({reason[:120]})", remedy="make it anew, as a plain .zip")


def _check_directory(archive: Path, limits: ZipLimits) -> None:
    """Refuse a list of files that is too long, before Python's reader holds all of it in memory."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - TAIL))
        tail = file.read(TAIL)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise zipfile.BadZipFile("it has no list of files at its end")
    listed = struct.unpack_from("<L", tail, end + 12)[0]
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        pointed, before = struct.unpack_from("<Q", tail, end - 12)[0], size - len(tail) + end - 76
        listed = max(listed, *(_large_list(archive, offset) for offset in (pointed, before)))
    if listed > DIRECTORY_BYTES * limits.files:
        raise _too_many(limits)


def _large_list(archive: Path, offset: int) -> int:
    """Return the bytes of the list of files that the record of a large zip states, 0 where there is none.

    Readers differ in where they look for the record: where the pointer leads, or right before the pointer.
    """
    with archive.open("rb") as file:
        file.seek(min(max(0, offset), archive.stat().st_size))
        record = file.read(56)
    return int(struct.unpack_from("<Q", record, 40)[0]) if len(record) == 56 and record[:4] == b"PK\x06\x06" else 0


def _members(opened: zipfile.ZipFile, archive: Path, limits: ZipLimits) -> dict[str, zipfile.ZipInfo]:
    """Return the members to write by the path that they get, checked one by one and together."""
    listed = opened.infolist()
    if len(listed) > 2 * limits.files:
        raise _too_many(limits)
    for member in listed:
        _check_path(member, limits)
    files = [member for member in listed if not member.is_dir() and not holds_clutter(PurePosixPath(_path(member)))]
    if not files:
        raise ZipRefusedError("the zip holds no file", remedy="put the data set's folder into it")
    if len(files) > limits.files:
        raise _too_many(limits)
    _check_sizes(files, archive.stat().st_size, limits)
    members = {_path(member): member for member in files}
    folders = {parent for path in members for parent in _parents(path)}
    if len(members) < len(files) or folders & set(members):
        raise ZipRefusedError("the zip holds two files of one path", remedy="make it anew")
    return members


def _check_path(member: zipfile.ZipInfo, limits: ZipLimits) -> None:
    shown = ascii(member.orig_filename)[1:-1][:120]
    if leads_out(member):
        raise ZipRefusedError(
            f"the zip has a member that leads out of its folder or is a link ({shown})",
            remedy="make it anew without it",
        )
    parts = _path(member).rstrip("/").split("/")
    if len(parts) > limits.depth + 1:
        raise ZipRefusedError(
            f"the zip has folders deeper than {limits.depth} ({shown})", remedy="put the data set's folder at its top"
        )
    if any(len(part.encode("utf-8", "surrogatepass")) > limits.name_bytes for part in parts):
        raise ZipRefusedError(f"the zip has a name that is too long ({shown})", remedy="shorten it")


def _check_sizes(files: list[zipfile.ZipInfo], packed: int, limits: ZipLimits) -> None:
    total = sum(member.file_size for member in files)
    if total > limits.total_bytes or max(member.file_size for member in files) > limits.file_bytes:
        raise ZipRefusedError(
            f"the zip unpacks to more than is allowed ({limits.total_bytes / 1e9:.1f} GB in all, "
            f"{limits.file_bytes / 1e6:.0f} MB a file)",
            remedy="send a smaller one, or put the data under a data root",
        )
    if total > ALWAYS_ALLOWED and total > limits.ratio * packed:
        raise ZipRefusedError(
            f"the zip unpacks to {total / max(1, packed):.0f} times its size, as no set of pictures does",
            remedy="send the pictures as they are",
        )


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member; Python's reader ends at the size that was checked, whatever the packed bytes hold."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            file.write(chunk)


def _path(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _too_many(limits: ZipLimits) -> ZipRefusedError:
    return ZipRefusedError(
        f"the zip holds more than {limits.files:,} files", remedy="send fewer, or put the data under a data root"
    )
