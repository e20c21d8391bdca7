"""Both clients against real servers: the findings of predict, whatever the files are called and however many."""

import asyncio
import os
import shutil

import cv2
import httpx
import numpy as np
import pytest

import tumorscope
from tumorscope.errors import UsageError


def ask(server, pictures, **options):
    """Return what both clients say; they must say the same."""

    async def asynchronously():
        async with tumorscope.AsyncClient(server.url) as client:
            return await client.findings(pictures, **options)

    with tumorscope.Client(server.url) as client:
        found = client.findings(pictures, **options)
    again = asyncio.run(asynchronously())
    assert (list(found), found.overlays) == (list(again), again.overlays)
    return found


def requests_for_findings(server):
    counted = 'tumorscope_requests_total{method="POST",route="/v1/findings",status="200"}'
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(counted))


def test_a_folder_gives_the_findings_of_predict(shipped, scans, monkeypatch):
    monkeypatch.chdir(scans.parents[1])
    expected = tumorscope.load().predict("examples/scans")
    found = ask(shipped, "examples/scans")
    assert len(found) == 11
    assert list(found) == list(expected)
    assert found[0].file == os.path.join("examples", "scans", "mni152_axial_108.png")
    assert found.overlays == [None] * 11
    assert found.to_json() == expected.to_json()


def test_overlays_are_those_that_predict_writes(shipped, scans, tmp_path):
    tumorscope.load().predict(scans, out=tmp_path)
    found = ask(shipped, scans, overlay=True)
    for finding, overlay in zip(found, found.overlays, strict=True):
        assert overlay == (tmp_path / os.path.basename(finding.file)).read_bytes()


def test_paths_bytes_and_names_can_be_mixed(small, draw):
    pictures = [draw("0.png", 0), draw("1.png", 1).read_bytes(), ("mine", draw("2.png", 2).read_bytes())]
    found = ask(small, [str(pictures[0]), *pictures[1:], b"junk"])
    assert [finding.file for finding in found] == [str(pictures[0]), "file 2", "mine", "file 4"]
    assert [finding.label for finding in found] == ["glioma", "meningioma", "notumor", None]
    assert found.failed == [found[3]]
    assert ask(small, ("one", pictures[1]))[0].file == "one"
    assert ask(small, pictures[1])[0].file == "file 1"


@pytest.mark.parametrize(
    "name",
    [
        '"quotes".png',
        "back\\slash.png",
        "two\nlines.png",
        "semi;colon=.png",
        "ü 脳.png",
        "per%22cent.png",
        "\udcff.png",
    ],
)
def test_a_file_has_the_name_that_its_owner_gave_it(small, draw, name):
    path = draw("x.png", 3).rename(draw("x.png", 3).with_name(name))
    (finding,) = ask(small, path)
    assert (finding.file, finding.label) == (str(path), "pituitary")


def test_a_path_longer_than_the_server_shows_comes_back_whole(small, draw):
    path = draw("/".join(["a" * 60] * 8) + "/x.png", 1)
    assert ask(small, [path, path])[1].file == str(path)


def test_what_cannot_be_read_fails_alone_with_the_words_of_predict(small, draw, tmp_path, quadrant_model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.png").write_bytes(b"")
    paths = [draw("0.png", 0), tmp_path / "gone.png", tmp_path / "empty", tmp_path / "none.png", draw("1.png", 1)]
    found = ask(small, paths)
    assert list(found) == list(tumorscope.load(quadrant_model).predict(paths))
    assert [finding.status for finding in found] == ["ok", "error", "error", "error", "ok"]


def test_nothing_to_read_is_an_error_before_anything_is_sent(small, tmp_path):
    with tumorscope.Client(small.url) as client:
        for nothing in ([], tmp_path / "gone.png", tmp_path):
            with pytest.raises(UsageError):
                client.findings(nothing)
        with pytest.raises(UsageError, match="a int is no picture; give a path, bytes, or a pair"):
            client.findings([3])  # type: ignore[list-item]


def test_long_lists_are_split_into_what_the_server_takes(small, draw):
    paths = [draw(f"{number:02}.png", number % 4) for number in range(20)]
    before, told = requests_for_findings(small), []
    with tumorscope.Client(small.url) as client:
        found = client.findings(paths, progress=lambda *news: told.append(news))
    assert requests_for_findings(small) - before == 7  # three a request
    assert [finding.file for finding in found] == [str(path) for path in paths]
    assert [finding.label for finding in found[:4]] == ["glioma", "meningioma", "notumor", "pituitary"]
    assert told == [("predicting", done, 20) for done in (3, 6, 9, 12, 15, 18, 20)]


def test_requests_stay_under_the_bytes_that_the_server_takes(small, draw, tmp_path):
    large = [("large", draw("x.png", 1).read_bytes() + bytes(9_000)) for _ in range(5)]
    before = requests_for_findings(small)
    with tumorscope.Client(small.url) as client:
        found = client.findings(large)
        assert requests_for_findings(small) - before == 3
        assert [finding.label for finding in found] == ["meningioma"] * 5
        refused = client.findings([large[0], ("huge", bytes(30_000)), large[0]])
    assert [finding.status for finding in refused] == ["ok", "error", "ok"]
    assert refused[1].message == "has 30,000 bytes, and the server takes 20,000 in a request; submit it as a job"


def test_a_picture_of_three_sequences_keeps_its_name_for_each(small, draw, tmp_path):
    planes = [cv2.imread(str(draw(f"{quadrant}.png", quadrant)), cv2.IMREAD_GRAYSCALE) for quadrant in range(3)]
    cv2.imwrite(str(tmp_path / "three.tif"), np.dstack(planes))
    shutil.copy(tmp_path / "three.tif", tmp_path / "again.tif")
    paths = [tmp_path / "three.tif", draw("3.png", 3), tmp_path / "again.tif"]
    found = ask(small, paths, channels="all")
    assert [(os.path.basename(finding.file), finding.sequence) for finding in found] == [
        ("three.tif", "T1"), ("three.tif", "FLAIR"), ("three.tif", "T1ce"), ("3.png", None),
        ("again.tif", "T1"), ("again.tif", "FLAIR"), ("again.tif", "T1ce"),
    ]  # fmt: skip
    assert {finding.label for finding in found[:3]} == {"glioma", "meningioma", "notumor"}
