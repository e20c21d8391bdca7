import os

import cv2
import numpy as np
import pytest

from tumorscope.catalog import build_catalog
from tumorscope.catalog.phantom import draw_phantom
from tumorscope.errors import CatalogError


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.fixture
def folder(tmp_path):
    for number, drawn in enumerate(draw_phantom(12)):
        path = tmp_path / drawn.label / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(drawn.image))
    return tmp_path


def three_planes():
    """A picture of three sequences: planes of different heads."""
    return np.dstack([drawn.image for drawn in list(draw_phantom(3))])


def test_broken_files_are_listed_and_the_others_read(folder):
    (folder / "glioma" / "empty.png").touch()
    (folder / "glioma" / "cut.png").write_bytes(png(next(draw_phantom(1)).image)[:900])
    (folder / "notumor" / "notes.txt").write_text("no picture")
    (folder / "notumor" / "annexed.png").symlink_to(folder / "objects" / "not fetched")
    catalog = build_catalog([folder])
    assert len(catalog.table) == 12
    problems = {entry["path"]: entry["problem"] for entry in catalog.unreadable}
    assert set(problems) == {"glioma/empty.png", "glioma/cut.png", "notumor/notes.txt", "notumor/annexed.png"}
    assert problems["glioma/empty.png"] == "is empty"
    assert problems["notumor/annexed.png"] == "is a link to nothing"


def test_a_pipe_in_an_index_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "index.csv").write_text("path,label\nglioma/0.png,glioma\npipe.png,glioma\n")
    assert build_catalog([folder]).unreadable == [{"path": "pipe.png", "problem": "is no file of data"}]


def test_a_png_named_jpg_is_misnamed_and_read(folder):
    (folder / "glioma" / "0.png").rename(folder / "glioma" / "0.jpg")
    catalog = build_catalog([folder])
    assert catalog.misnamed == [{"path": "glioma/0.jpg", "named": "jpg", "is": "PNG"}]
    assert len(catalog.table) == 12


def test_only_unreadable_files_are_an_error_that_names_one(tmp_path):
    (tmp_path / "glioma").mkdir()
    (tmp_path / "glioma" / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(CatalogError, match=r"none of its 1 files can be read \(glioma/a.jpg"):
        build_catalog([tmp_path])


def test_a_picture_of_three_sequences_is_one_row_or_three(folder):
    (folder / "glioma" / "three.png").write_bytes(png(three_planes()))
    one = build_catalog([folder]).table.set_index("path").loc["glioma/three.png"]
    assert (one["channel"], one["sequence"]) == (1, "FLAIR")
    rows = build_catalog([folder], channels="all").table
    rows = rows[rows["path"] == "glioma/three.png"]
    assert rows["channel"].tolist() == [0, 1, 2]
    assert rows["sequence"].tolist() == ["T1", "FLAIR", "T1ce"]


def test_rows_and_fingerprints_stay_in_step(folder):
    (folder / "glioma" / "a.png").touch()
    catalog = build_catalog([folder, "phantom:12"])
    assert len(catalog.prints) == len(catalog.table) == 24
    assert catalog.layouts[folder.name] == "class folders"
    assert (catalog.table.loc[catalog.table["dataset"] == "phantom", "patient"] != "").all()
