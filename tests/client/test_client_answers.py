"""Where the findings of one file end and those of the next begin, from findings made by hand."""

import pytest

from tumorscope.client.answers import RemoteFindings, by_file, named
from tumorscope.findings import ModelName, SliceFinding, VolumeFinding, failed_finding

MODEL = ModelName(name="m", version="1", sha256="ab")


def part(file, index=None, sequence=None):
    return SliceFinding(file=file, slice=index, sequence=sequence, verdict="notumor", sentence="None.", model=MODEL)


def volume(file, sequence=None):
    return VolumeFinding(file=file, sequence=sequence, verdict="notumor", sentence="None.", model=MODEL)


def broken(file):
    return failed_finding(file, "is empty", MODEL)


def picture(file):
    return [part(file, sequence=name) for name in ("T1", "FLAIR", "T1ce")]


def scan(file):
    return [part(file, 0), part(file, 1), volume(file)]


def several(file):
    return [part(file, i, name) for i in range(2) for name in ("T1", "T2")] + [volume(file, "T1"), volume(file, "T2")]


@pytest.mark.parametrize(
    "files",
    [
        [[part("a")], [part("a")], [broken("a")]],
        [scan("a"), scan("a"), [part("b")], scan("c")],
        [picture("a"), picture("a"), [part("a")], picture("b"), [broken("b")]],
        [several("a"), several("a"), picture("a"), [part("a", sequence="FLAIR")], [part("a", sequence="FLAIR")]],
        [[part("a", sequence="FLAIR")], [part("b", sequence="FLAIR")], [part("c")]],
    ],
)
def test_findings_are_cut_where_a_file_ends(files):
    found = RemoteFindings(finding for of_file in files for finding in of_file)
    assert [list(of_file) for of_file in by_file(found)] == files
    names = [str(number) for number in range(len(files))]
    assert [finding.file for finding in named(found, names)] == [
        name for name, of_file in zip(names, files, strict=True) for _ in of_file
    ]
