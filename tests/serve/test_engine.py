"""The engine: what a file of several slices, or of several sequences, is answered."""

import asyncio

import cv2
import numpy as np
import pytest
from PIL import Image

from tumorscope.inference import load
from tumorscope.serve.engine import Engine
from tumorscope.serve.settings import Limits
from tumorscope.serve.uploads import Upload


@pytest.fixture
def ask(quadrant_model, tmp_path):
    """Return a function that answers a file which holds the given pages."""

    def answer(pages, limits=None, **options):
        first, *others = map(Image.fromarray, pages)
        path = tmp_path / "stack.tif"
        first.save(path, save_all=True, append_images=others)
        engine = Engine(load(quadrant_model, threads=1), limits or Limits())
        try:
            upload = Upload("the scan", path)
            return asyncio.run(engine.answer([upload, upload], **options))
        finally:
            engine.close()

    return answer


def quadrants(draw, *numbers):
    return np.stack([cv2.imread(str(draw(f"{n}.png", n)), cv2.IMREAD_GRAYSCALE) for n in numbers])


def test_behind_the_slices_of_a_scan_stands_what_they_amount_to(ask, draw):
    answers = ask(quadrants(draw, 2, 0, 2), pictures="layers")
    found = [answer.finding for answer in answers]
    assert [(f.file, f.kind) for f in found] == 2 * [*3 * [("the scan", "slice")], ("the scan", "volume")]
    assert [f.slice for f in found[:3]] == [0, 1, 2]
    assert [f.label for f in found[:4]] == ["notumor", "glioma", "notumor", "glioma"]
    assert (found[3].speaker, found[3].verdict) == (1, "tumor")
    assert [part.slice for part in found[3].slices] == [1]
    assert found[3].tumor_probability == found[1].tumor_probability
    assert [answer.layers is None for answer in answers[:4]] == [False, False, False, True]
    assert [answer.upload for answer in answers] == 4 * [0] + 4 * [1]


def test_the_sequences_of_a_picture_amount_to_nothing_together(ask, draw):
    picture = np.moveaxis(quadrants(draw, 0, 1, 2), 0, -1)[None]
    found = [answer.finding for answer in ask(picture, channels="all")]
    assert [(f.kind, f.slice, f.sequence) for f in found[:3]] == [
        ("slice", None, name) for name in ("T1", "FLAIR", "T1ce")
    ]
    assert len(found) == 6


def test_sequences_of_several_slices_are_a_volume_each(ask, draw):
    scan = np.stack([np.moveaxis(quadrants(draw, *planes), 0, -1) for planes in ((0, 2, 2), (2, 2, 2))])
    found = [answer.finding for answer in ask(scan, channels="all")][:9]
    assert [(f.slice, f.sequence) for f in found[:4]] == [(0, "T1"), (0, "FLAIR"), (0, "T1ce"), (1, "T1")]
    assert [(f.sequence, f.verdict) for f in found if f.kind == "volume"] == [
        ("T1", "tumor"), ("FLAIR", "notumor"), ("T1ce", "notumor"),
    ]  # fmt: skip


def test_a_file_of_more_slices_than_a_server_takes_fails_alone(ask, draw):
    answers = ask(quadrants(draw, 0, 1, 2), limits=Limits(slices=2))
    assert [answer.finding.message for answer in answers] == 2 * ["holds 3 slices; split it below 2"]


def test_slices_beyond_what_may_stand_in_memory_are_told_and_not_read(ask, draw):
    answers = ask(quadrants(draw, 0, 1, 2), limits=Limits(file_pixels=2 * 32 * 32), pictures="layers")[:4]
    assert [answer.finding.status for answer in answers] == ["ok", "ok", "error", "ok"]
    assert answers[2].finding.message == "has more than 2,048 pixels in its slices, too many to draw at once; split it"
    assert answers[3].finding.message == "slice 3 could not be read"
