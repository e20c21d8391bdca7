"""What ``--keep`` keeps: uploads under random names, and a line of findings for each of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

from tumorscope.atomic import unwritable
from tumorscope.serve.engine import Answer
from tumorscope.serve.uploads import Upload

UPLOADS, FINDINGS = "uploads", "findings.jsonl"
PRIVATE = 0o700


class Keeper:
    """Keeps uploads and findings in a folder that only this user can open.

    A line holds the finding with `file` changed to the name under which the upload lies: what a client called it may
    name a patient, and is not kept.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            (folder / UPLOADS).mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            with (folder / FINDINGS).open("ab"):
                pass
        except OSError as error:
            raise unwritable(folder, error) from error

    def keep(self, uploads: Sequence[Upload], answers: Sequence[Answer]) -> None:
        """Copy uploads and write their findings down; called in a thread."""
        for upload in uploads:
            copyfile(upload.path, self._folder / UPLOADS / upload.path.name)
        lines = [_line(answer, uploads[answer.upload]) for answer in answers]
        with self._lock, (self._folder / FINDINGS).open("a", encoding="utf-8") as file:
            file.writelines(lines)


def _line(answer: Answer, upload: Upload) -> str:
    values: dict[str, Any] = answer.finding.model_dump() | {"file": f"{UPLOADS}/{upload.path.name}"}
    return json.dumps({"answered": datetime.now(UTC).isoformat(timespec="seconds"), **values}) + "\n"
