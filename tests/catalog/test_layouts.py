from pathlib import Path

import cv2
import numpy as np
import pytest

from tumorscope.catalog.layouts import data_roots, list_data
from tumorscope.errors import CatalogError


def put(root: Path, *names: str, level: int = 90) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", np.full((8, 8), level, np.uint8))[1].tobytes())
    return root


def labels(listing):
    return {entry.path: entry.label for entry in listing.entries}


def test_bare_class_folders_bring_our_names_and_keep_foreign_ones(tmp_path):
    listing = list_data(put(tmp_path, "Glioma_Tumor/1.png", "no_tumor/1.png", "Cats/1.png"))
    assert listing.layout == "class folders"
    assert labels(listing) == {"Cats/1.png": "Cats", "Glioma_Tumor/1.png": "glioma", "no_tumor/1.png": "notumor"}


@pytest.mark.parametrize("parts", [("Training", "Testing"), ("train", "TEST"), ("TRAIN", "test", "Valid")])
def test_split_folders_of_any_case_give_the_published_split(tmp_path, parts):
    listing = list_data(put(tmp_path, *(f"{part}/glioma/1.png" for part in parts)))
    assert listing.layout == "class folders under splits"
    assert {entry.split for entry in listing.entries} == {"train", "test", "val"} - (
        {"val"} if len(parts) == 2 else set()
    )


def test_yes_and_no_are_coarse_labels(tmp_path):
    listing = list_data(put(tmp_path, "yes/1.png", "no/1.png"))
    assert listing.layout == "yes/no folders"
    assert labels(listing) == {"yes/1.png": "tumor", "no/1.png": "notumor"}


def test_kaggle_3m_takes_the_patient_from_the_folder_and_the_label_from_the_mask(tmp_path):
    folder = "TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_"
    put(tmp_path, f"{folder}1.png", f"{folder}2.png", f"{folder}2_mask.png")
    put(tmp_path, f"{folder}1_mask.png", level=0)
    first, second = list_data(tmp_path).entries
    assert (first.label, first.mask, first.patient) == ("notumor", "", "TCGA_CS_4941")
    assert (second.label, second.mask) == ("tumor", f"{folder}2_mask.png")


def test_brisc_joins_masks_by_name_and_reads_plane_and_sequence(tmp_path):
    name = "brisc2025_test_00001_gl_co_t1"
    put(tmp_path, f"classification_task/test/glioma/{name}.png", f"segmentation_task/test/images/{name}.png")
    put(tmp_path, f"segmentation_task/test/masks/{name}.png")
    listing = list_data(tmp_path)
    (entry,) = listing.entries
    assert listing.layout == "brisc"
    assert (entry.label, entry.plane, entry.sequence, entry.split) == ("glioma", "coronal", "T1", "test")
    assert entry.mask == f"segmentation_task/test/masks/{name}.png"


def test_brisc_with_the_segmentation_task_alone_reads_the_class_from_the_name(tmp_path):
    name = "brisc2025_train_00007_me_ax_t1.png"
    put(tmp_path, f"segmentation_task/train/images/{name}", f"segmentation_task/train/masks/{name}")
    (entry,) = list_data(tmp_path).entries
    assert (entry.label, entry.split) == ("meningioma", "train")


def test_an_index_names_what_it_knows(tmp_path):
    (tmp_path / "index.csv").write_text(
        "path,label,patient,sequence,plane,split\na.png,Yes,p1,T1C+,ax,Training\nb.png,normal,p2,,,\n"
    )
    first, second = list_data(tmp_path).entries
    assert (first.label, first.sequence, first.plane, first.split) == ("tumor", "T1ce", "axial", "train")
    assert (second.label, second.patient, second.split) == ("notumor", "p2", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,split\na.png,train\n", "no column path and no label"),
        ("file,masoud_7023_file\na,b\n", "rebuild.py"),
        ("path,label\n,glioma\n", "line 2 has no path"),
        ("path,label,split\na.png,glioma,holdout\n", "names the split 'holdout'"),
        ("path,label\n", "names no picture"),
    ],
)
def test_a_bad_index_is_one_line_that_says_what_is_wrong(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(CatalogError, match=message) as caught:
        list_data(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "empty folder"),
        (("Training/glioma/1.png", "glioma/1.png"), "beside them glioma/"),
        (("glioma/p1/1.png", "notumor/1.png"), "folders in the class folder 'glioma'"),
        (("glioma/1.png", "stray.png"), "beside its class folders"),
        (("only.png",), "it holds only.png"),
    ],
)
def test_an_ambiguous_folder_is_an_error_that_shows_what_was_seen(tmp_path, names, message):
    with pytest.raises(CatalogError, match=message):
        list_data(put(tmp_path, *names))


def test_a_folder_that_only_wraps_another_is_stepped_into(tmp_path):
    assert labels(list_data(put(tmp_path, "archive/set/yes/1.png", "archive/set/no/1.png")))["yes/1.png"] == "tumor"


def test_clutter_of_desktops_is_no_slice(tmp_path):
    put(tmp_path, "yes/1.png", "no/1.png", "yes/.DS_Store", "no/Thumbs.db")
    assert len(list_data(tmp_path).entries) == 2


def test_files_come_in_natural_order(tmp_path):
    listing = list_data(put(tmp_path, "yes/10.png", "yes/9.png", "no/1.png"))
    assert [entry.path for entry in listing.entries] == ["no/1.png", "yes/9.png", "yes/10.png"]


def test_data_sets_of_one_name_get_a_number(tmp_path):
    put(tmp_path, "a/set/yes/1.png", "b/set/yes/1.png")
    assert list(data_roots([tmp_path / "a/set", tmp_path / "b/set"])) == ["set", "set-2"]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "layout", "count"),
    [
        ("masoud_7023", "class folders under splits", 7023),
        ("navoneel_253", "yes/no folders", 253),
        ("lgg_kaggle_3m", "kaggle_3m", 3195),
        ("radiopaedia_44", "index.csv", 4478),
        ("brats_slices", "index.csv", 2988),
    ],
)
def test_public_sets_are_recognized(data_root, name, layout, count):
    listing = list_data(data_root / name)
    assert (listing.layout, len(listing.entries)) == (layout, count)
