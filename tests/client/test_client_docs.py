"""The examples of docs/client.md run as they stand there, against a real server."""

import re

import pytest

import tumorscope

WRITTEN = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def examples(scans):
    text = (scans.parents[1] / "docs" / "client.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_an_example_runs_and_gives_the_findings_of_predict(examples, shipped, scans, monkeypatch, capsys, number):
    monkeypatch.chdir(scans.parents[1])
    assert WRITTEN in examples[number]
    names = {}
    exec(examples[number].replace(WRITTEN, shipped.url), names)
    assert list(names["findings"]) == list(tumorscope.load().predict("examples/scans"))
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].split()[-2:] == [["notumor", "x"], ["of", "11"], ["of", "11"]][number] or number == 0


def test_the_error_says_what_the_page_says(examples, scans, capsys):
    assert len(examples) == 4
    exec(examples[3])
    said = capsys.readouterr().out.strip()
    assert said in " ".join((scans.parents[1] / "docs" / "client.md").read_text().split())
