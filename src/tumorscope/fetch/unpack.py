"""A zip from outside -> files, none of which can land elsewhere than in the folder that was meant."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from tumorscope.errors import OutputError
from tumorscope.files.archives import leads_out
from tumorscope.files.clutter import holds_clutter


def unpack(archive: Path, folder: Path, *, listed: Sequence[str] = (), only_listed: bool = False) -> list[str]:
    """Unpack a zip into `folder`.

    Publishers wrap sets in folders of their own, and some hold a set twice. Where the files' paths are known, the
    shallowest folder of the archive under which most of them lie is taken for the set, and nothing beside it.

    Args:
        archive: the zip.
        folder: an existing folder.
        listed: paths of files, or of their folders, that the set is known to have.
        only_listed: leave out folders of which nothing is listed.

    Returns:
        The paths that were written, relative to `folder`, with forward slashes.

    Raises:
        OutputError: it is no zip, it is damaged, a member would land outside of `folder`, or the disk is full.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            for member in members:
                _check_member(member, archive)
            members = [member for member in members if not holds_clutter(PurePosixPath(member.filename))]
            wanted = _wanted(members, listed, only_listed)
            _check_space(sum(member.file_size for member in wanted.values()), archive, folder)
            for path, member in wanted.items():
                _write(opened, member, folder / path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise OutputError(
            f"is no whole zip ({str(error).lower() or 'it ends too early'})",
            file=archive.name, remedy="give the same command again to download it anew",
        ) from error  # fmt: skip
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"cannot be unpacked ({reason})", file=archive.name, remedy="free some space or choose another --out"
        ) from error
    return list(wanted)


def _check_member(member: zipfile.ZipInfo, archive: Path) -> None:
    """Refuse what would be written elsewhere."""
    if leads_out(member):
        raise OutputError(
            f"has a member that leads out of its folder ({ascii(member.orig_filename)[1:-1]})",
            file=archive.name, remedy="do not use it; tell whoever gave it to you",
        )  # fmt: skip


def _wanted(members: Sequence[zipfile.ZipInfo], listed: Sequence[str], only_listed: bool) -> dict[str, zipfile.ZipInfo]:
    """Return the members to write by the path that they get."""
    root = common_root([member.filename for member in members], listed)
    found = {member.filename.removeprefix(root): member for member in members if member.filename.startswith(root)}
    if not only_listed:
        return found
    tops = {path.split("/")[0] for path in listed}
    return {path: member for path, member in found.items() if "/" not in path or path.split("/")[0] in tops}


def common_root(names: Collection[str], listed: Sequence[str]) -> str:
    """Return the folder, '' or with a slash at its end, under which most of the listed paths lie.

    >>> common_root(["set/yes/1.jpg", "set/no/2.jpg", "yes/1.jpg"], ["yes/1.jpg", "no/2.jpg"])
    'set/'
    """
    known = set(listed)
    depths = {path.count("/") + 1 for path in known}
    found: Counter[str] = Counter()
    for path in (path for name in names for path in (name, name.rpartition("/")[0])):
        parts = path.split("/")
        for depth in depths:
            if depth <= len(parts) and "/".join(parts[-depth:]) in known:
                found["".join(f"{part}/" for part in parts[:-depth])] += 1
    return min(found, key=lambda root: (-found[root], root.count("/"), root), default="")


def _check_space(needed: int, archive: Path, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"unpacks to {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free",
            file=archive.name, remedy="free some space or choose another --out",
        )  # fmt: skip


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
