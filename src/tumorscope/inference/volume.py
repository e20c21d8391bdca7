"""The slices of one scan -> its volume finding: the gravest slice speaks for the scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tumorscope.findings import (
    VERDICTS,
    FindingGeometry,
    SliceFinding,
    Status,
    TumorSlice,
    VolumeFinding,
    VolumeOutline,
    capital,
)
from tumorscope.inference.sentences import listed
from tumorscope.words import NOTUMOR


def volume_findings(findings: Sequence[SliceFinding], geometry: FindingGeometry | None = None) -> list[VolumeFinding]:
    """Return what stands behind the slices of ONE file: a volume finding for each sequence of more than one slice.

    A picture of several sequences is no volume: each of its sequences speaks for itself.
    """
    sequences = dict.fromkeys(finding.sequence for finding in findings)
    if len(sequences) > 1:
        sequences.pop(None, None)  # of a slice that could not be read nobody knows the sequences: it lacks in each
    of_each = [[one for one in findings if one.sequence in (sequence, None)] for sequence in sequences]
    return [volume_finding(slices, geometry) for slices in of_each if len(slices) > 1]


def volume_finding(
    findings: Sequence[SliceFinding], geometry: FindingGeometry | None = None, outline: VolumeOutline | None = None
) -> VolumeFinding:
    """Return what the slices of one scan amount to.

    Of the answered slices the gravest verdict speaks ('tumor', then 'unsure', then 'notumor'), and of these the slice
    with the highest probability of a tumor: its verdict, label, prediction set and flags are those of the scan.
    Refused slices count only where every slice that could be read was refused, unreadable ones where none could be
    read; they are told of all the same.

    Args:
        findings: of the slices of one scan and one sequence, at least one.
        geometry: how the slices lie, if it is known.
        outline: where the tumor lies, if it was outlined.
    """
    by_status: dict[Status, list[SliceFinding]] = {"ok": [], "refused": [], "error": []}
    for finding in findings:
        by_status[finding.status].append(finding)
    answered, refused, failed = by_status.values()
    status: Status = "ok" if answered else "refused" if refused else "error"
    speaker = min(answered or refused or failed, key=_gravity)
    tumors = [one for one in answered if one.label != NOTUMOR]
    return VolumeFinding(
        file=speaker.file,
        sequence=speaker.sequence,
        status=status,
        label=speaker.label,
        tumor_probability=max((_share(one) for one in answered), default=speaker.tumor_probability),
        prediction_set=speaker.prediction_set,
        flags=speaker.flags,
        speaker=speaker.slice if answered else None,
        slices=[TumorSlice(slice=_number(one), tumor_probability=_share(one)) for one in tumors],
        outline=outline,
        geometry=geometry,
        message=_message(speaker, status, failed),
        verdict=speaker.verdict,
        sentence=" ".join(_sentences(speaker, findings, tumors, refused if answered else [], failed)),
        model=speaker.model,
    )


def _gravity(finding: SliceFinding) -> tuple[int, float]:
    return list(VERDICTS).index(finding.verdict), -_share(finding)


def _share(finding: SliceFinding) -> float:
    return finding.tumor_probability or 0.0


def _number(finding: SliceFinding) -> int:
    return finding.slice or 0


def _message(speaker: SliceFinding, status: Status, failed: Sequence[SliceFinding]) -> str | None:
    unread = f"{_slices(failed)} could not be read" if failed else None
    if status == "error":
        return f"{unread}: {speaker.message}"
    return "; ".join(part for part in (speaker.message, unread) if part) or None


def _sentences(
    speaker: SliceFinding,
    findings: Sequence[SliceFinding],
    tumors: Sequence[SliceFinding],
    refused: Sequence[SliceFinding],
    failed: Sequence[SliceFinding],
) -> Iterator[str]:
    if speaker.status == "error":
        yield f"This scan could not be read. None of its {len(findings)} slices could be: {speaker.message}."
        return
    yield speaker.sentence
    if speaker.status == "refused":
        yield f"No slice of {len(findings)} was answered."
    else:
        yield f"Slice {_number(speaker) + 1} of {len(findings)}, the gravest, speaks for the scan."
    if tumors:
        yield f"A tumor is called on {_slices(tumors)}."
    if refused:
        yield f"{capital(_slices(refused))} {'was' if len(refused) == 1 else 'were'} refused."
    if failed:
        yield f"{capital(_slices(failed))} could not be read."


def _slices(findings: Sequence[SliceFinding]) -> str:
    """Name slices as people count them, from 1: "slice 4", "slices 1 to 3, 5 and 9"."""
    runs: list[tuple[int, int]] = []
    for number in sorted(_number(one) + 1 for one in findings):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    names = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    return f"slice{'s' if len(findings) > 1 else ''} {listed(names, 'and')}"
