import cv2
import numpy as np
import pytest

from tumorscope.catalog.phantom import CLASSES, draw_phantom, phantom_folder, write_phantom
from tumorscope.errors import CatalogError


def test_equal_seeds_draw_equal_slices_and_others_do_not():
    one, again, other = (next(draw_phantom(1, seed=seed)).image for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_number_asked_for_is_drawn_and_every_class_sequence_and_plane_comes():
    slices = list(draw_phantom(48, seed=0))
    assert len(slices) == 48
    assert {s.label for s in slices} == set(CLASSES)
    assert {s.sequence for s in slices} == {"T1ce", "T2", "FLAIR"}
    assert {s.plane for s in slices} == {"axial", "coronal", "sagittal"}


def test_lesions_are_where_the_mask_says_and_only_tumors_have_one():
    for drawn in draw_phantom(24, seed=3):
        assert drawn.mask.any() == (drawn.label != "notumor")
        if drawn.label == "meningioma" and drawn.sequence == "T1ce":
            brain = (drawn.image > 60) & ~drawn.mask
            assert drawn.image[drawn.mask].mean() > 1.15 * np.median(drawn.image[brain])


def test_a_written_set_has_an_index_with_masks(tmp_path):
    write_phantom(tmp_path, 12, seed=0, side=64)
    lines = (tmp_path / "index.csv").read_text().splitlines()
    assert len(lines) == 13
    image, mask = lines[1].split(",")[0], lines[1].split(",")[-1]
    assert cv2.imread(str(tmp_path / image), cv2.IMREAD_UNCHANGED).shape == (64, 64)
    assert set(np.unique(cv2.imread(str(tmp_path / mask), cv2.IMREAD_UNCHANGED))) == {0, 255}


def test_the_word_draws_into_the_cache_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TUMORSCOPE_CACHE", str(tmp_path))
    folder = phantom_folder("phantom:12:5")
    stamp = (folder / "index.csv").stat().st_mtime_ns
    assert phantom_folder("phantom:12:5") == folder
    assert (folder / "index.csv").stat().st_mtime_ns == stamp
    assert not list((tmp_path / "tumorscope").glob(".phantom*"))


@pytest.mark.parametrize("word", ["phantom:", "phantom:x", "phantom:0", "phantom:1:2:3"])
def test_a_malformed_word_is_an_error(word):
    with pytest.raises(CatalogError):
        phantom_folder(word)
