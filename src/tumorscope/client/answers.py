"""What a server answers, as typed data."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tumorscope.findings import Finding, Findings, read_finding


class RemoteFindings(Findings):
    """Findings of a server, in the order of the files, with the pictures that were asked for.

    Attributes:
        overlays: for each finding the PNG of its heatmap over the slice; None where there is none.
    """

    def __init__(self, findings: Iterable[Finding] = (), overlays: Iterable[bytes | None] | None = None) -> None:
        super().__init__(findings)
        self.overlays: list[bytes | None] = [None] * len(self) if overlays is None else list(overlays)


@dataclass(frozen=True)
class LoadedModel:
    """A model that answers at a server.

    Attributes:
        name: of the model.
        version: of the tumorscope that wrote it.
        sha256: of the model file.
        classes: in the order of its outputs.
        card: what it says of itself, as plain data.
        flags: every flag that a finding may carry, and what it means.
        limits: how much the server takes: `files` and `body_bytes` of a request, `job_files` and `job_body_bytes`.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[str, ...]
    card: dict[str, Any]
    flags: dict[str, str]
    limits: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        status: 'queued', 'running', 'done', 'cancelled' or 'failed'.
        stage: what it is at, in a word or two; empty where there is nothing to say.
        done: how many files are done.
        total: of how many.
        error: why it failed.
    """

    status: str
    stage: str
    done: int
    total: int
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "cancelled", "failed")


def to_progress(document: dict[str, Any]) -> Progress:
    """Return how far a job is, from its document."""
    return Progress(*(document[name] for name in ("status", "stage", "done", "total", "error")))


def to_models(document: dict[str, Any]) -> list[LoadedModel]:
    """Return the models of a server, from its document."""
    return [
        LoadedModel(**{**model, "classes": tuple(model["classes"])})
        for model in ({name: entry[name] for name in LoadedModel.__annotations__} for entry in document["models"])
    ]


def to_findings(entries: Sequence[dict[str, Any]]) -> RemoteFindings:
    """Return findings, from the entries of a document."""
    pictures = [entry.get("overlay") for entry in entries]
    return RemoteFindings(
        map(read_finding, entries),
        (None if picture is None else base64.b64decode(picture) for picture in pictures),
    )


def merged(count: int, failed: Mapping[int, Finding], parts: Iterable[RemoteFindings]) -> RemoteFindings:
    """Put the findings of several requests, and of files that were not sent, in the order of the files.

    Args:
        count: of the files.
        failed: by place, what stands for a file that was not sent.
        parts: what the requests gave, in order.
    """
    sent = (of_file for part in parts for of_file in by_file(part))
    files = [RemoteFindings([failed[place]]) if place in failed else next(sent) for place in range(count)]
    return RemoteFindings(
        (finding for of_file in files for finding in of_file),
        (overlay for of_file in files for overlay in of_file.overlays),
    )


def by_file(found: RemoteFindings) -> list[RemoteFindings]:
    """Cut findings into those of each file.

    Two files may have one name. A file begins with its first slice, and has that once, or once for each sequence.
    """
    starts: list[int] = []
    begun: set[tuple[str, str | None]] = set()
    for number, finding in enumerate(found):
        if finding.kind == "volume" or finding.slice:
            continue
        about = (finding.file, finding.sequence)
        if finding.sequence is None or about in begun or {name for name, _ in begun} != {finding.file}:
            starts.append(number)
            begun = set()
        begun.add(about)
    cuts = pairwise([*starts, len(found)])
    return [RemoteFindings(found[start:end], found.overlays[start:end]) for start, end in cuts]


def named(found: RemoteFindings, names: Sequence[str]) -> RemoteFindings:
    """Give findings the names of the files as the caller has them; a server sees them shortened and quoted."""
    files = by_file(found)
    renamed = (
        finding.model_copy(update={"file": name})
        for name, of_file in zip(names, files, strict=False)
        for finding in of_file
    )
    return RemoteFindings(renamed, found.overlays)
