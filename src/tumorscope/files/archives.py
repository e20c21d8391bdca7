"""What is refused of a zip from outside, whoever unpacks it."""

from __future__ import annotations

import re
import stat
from zipfile import ZipInfo


def leads_out(member: ZipInfo) -> bool:
    """Whether a member would be written elsewhere than below the folder that is meant, or is no plain file.

    Refused are absolute paths, drives, ``..``, NUL, links and devices. An empty part is refused with them: of
    ``set//etc/x`` the folder ``set/`` may be taken off, which leaves ``/etc/x``.
    """
    name = member.orig_filename.replace("\\", "/")
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    return bool(
        {"", ".."} & set(parts)
        or re.match(r"[A-Za-z]:", name)
        or "\0" in name
        or kind not in (0, stat.S_IFREG, stat.S_IFDIR)
    )
