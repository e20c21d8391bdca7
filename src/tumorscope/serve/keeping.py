"""What ``--keep`` keeps: uploads under random names, and a line of findings for each of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

from tumorscope.errors import OutputError
from tumorscope.serve.engine import Answer
from tumorscope.serve.uploads import Upload

UPLOADS, FINDINGS = "uploads", "findings.jsonl"
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class Keeper:
    """Keeps uploads and findings in a folder; only this user can open them.

    A line holds the finding with `file` changed to the name under which the upload lies: what a client called it may
    name a patient, and is not kept.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            (folder / UPLOADS).mkdir(parents=True, exist_ok=True)
            (folder / UPLOADS).chmod(PRIVATE_FOLDER)
            (folder / FINDINGS).touch(PRIVATE_FILE)
            (folder / FINDINGS).chmod(PRIVATE_FILE)
            with (folder / FINDINGS).open("ab"):
                pass
        except OSError as error:
            raise _unwritable(folder, error) from error

    def keep(self, uploads: Sequence[Upload], answers: Sequence[Answer]) -> None:
        """Copy uploads and write their findings down; called in a thread.

        Raises:
            OutputError: the disk is full; nothing of these uploads is kept.
        """
        copies = [self._folder / UPLOADS / upload.path.name for upload in uploads]
        lines = [_line(answer, uploads[answer.upload]) for answer in answers]
        try:
            for upload, copy in zip(uploads, copies, strict=True):
                copyfile(upload.path, copy)
            with self._lock, (self._folder / FINDINGS).open("a", encoding="utf-8") as file:
                file.writelines(lines)
        except OSError as error:
            for copy in copies:
                copy.unlink(missing_ok=True)
            raise _unwritable(self._folder, error) from error


def _unwritable(folder: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(f"cannot be written ({reason})", file=folder, remedy="give another folder to --keep")


def _line(answer: Answer, upload: Upload) -> str:
    values: dict[str, Any] = answer.finding.model_dump() | {"file": f"{UPLOADS}/{upload.path.name}"}
    return json.dumps({"answered": datetime.now(UTC).isoformat(timespec="seconds"), **values}) + "\n"
