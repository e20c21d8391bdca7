"""Fetch the page's front-end library from npm, check it, and write it to src/tumorscope/serve/page/vendor.

Run it after raising a version below (with the new integrity, as `npm view NAME@VERSION dist.integrity` says it):

    python tools/vendor_page.py
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "src" / "tumorscope" / "serve" / "page" / "vendor"
RECORD = "vendor.json"


@dataclass(frozen=True)
class Library:
    """A package of npm and what we take of it.

    Attributes:
        name: on npm.
        version: exact.
        licence: SPDX name.
        integrity: of the tarball, as the registry states it.
        files: {name in the tarball: name here}.
    """

    name: str
    version: str
    licence: str
    integrity: str
    files: dict[str, str]


LIBRARIES = (
    Library(
        "preact", "11.2.0", "MIT",
        "sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "hooks.js", "LICENSE": "preact.LICENSE.txt"},
    ),
    Library(
        "htm", "3.1.1", "Apache-2.0",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        {"dist/htm.module.js": "htm.js", "LICENSE": "htm.LICENSE.txt"},
    ),
)  # fmt: skip
IMPORTS = {b'from"preact"': b'from"./preact.js"'}
"""A browser resolves bare names only by an import map, which is inline and which the page's policy forbids."""


def main() -> None:
    """Write the files, their licences and `vendor.json`."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    record = {}
    for library in LIBRARIES:
        contents = _contents(library)
        for name, content in contents.items():
            (VENDOR / name).write_bytes(content)
        record[library.name] = {
            "version": library.version,
            "licence": library.licence,
            "integrity": library.integrity,
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        }
        print(f"{library.name} {library.version}: {', '.join(contents)}")
    (VENDOR / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _contents(library: Library) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{library.name}@{library.version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
        if f"sha512-{digest}" != library.integrity:
            raise SystemExit(f"{library.name} {library.version}: the archive is not the one that was chosen")
        with tarfile.open(archive) as members:
            return {ours: _content(members, f"package/{theirs}") for theirs, ours in library.files.items()}


def _content(members: tarfile.TarFile, name: str) -> bytes:
    stream = members.extractfile(name)
    if stream is None:
        raise SystemExit(f"{name} is no file of the archive")
    content = stream.read()
    for bare, relative in IMPORTS.items():
        content = content.replace(bare, relative)
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"//# sourceMappingURL"))


if __name__ == "__main__":
    main()
