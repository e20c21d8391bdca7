"""The lists of files: what their letters tell apart, that they are whole, and that they fit the real sets."""

import csv
import io
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from tumorscope.catalog.layouts import list_data
from tumorscope.fetch.arrange import index_kinds
from tumorscope.fetch.checklist import (
    LOOK_TOLERANCE,
    Checklist,
    Line,
    differences,
    read_checklist,
    value_of,
    write_checklist,
)
from tumorscope.fetch.run import fetch_set
from tumorscope.fetch.sets import list_file, public_set, public_sets

NAVONEEL = "/api/v1/datasets/download/navoneel/brain-mri-images-for-brain-tumor-detection?datasetVersionNumber=1"


def _bits(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.fixture
def ramp(tmp_path):
    """A picture that brightens from left to right in its upper half, and darkens in its lower half."""
    row = np.linspace(10, 240, 90).astype(np.uint8)
    image = np.vstack([np.tile(row, (40, 1)), np.tile(row[::-1], (40, 1))])
    cv2.imwrite(str(tmp_path / "ramp.png"), image)
    return tmp_path / "ramp.png"


def test_the_look_of_a_ramp_is_half_ones_and_stands_recompression(ramp):
    assert value_of(ramp, "l") == "ffffffff00000000"
    small = cv2.resize(cv2.imread(str(ramp), cv2.IMREAD_GRAYSCALE), (54, 48))
    cv2.imwrite(str(ramp.with_name("small.jpg")), small, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert _bits(value_of(ramp.with_name("small.jpg"), "l"), "ffffffff00000000") <= 2
    cv2.imwrite(str(ramp.with_name("mirror.png")), cv2.imread(str(ramp))[:, ::-1])
    assert value_of(ramp.with_name("mirror.png"), "l") == "00000000ffffffff"


def test_pixels_are_compared_whatever_the_compression_and_bytes_are_not(ramp):
    again = ramp.with_name("again.tif")
    Image.open(ramp).save(again, compression="tiff_lzw")
    assert value_of(again, "p") == value_of(ramp, "p")
    assert value_of(again, "b") != value_of(ramp, "b")
    changed = cv2.imread(str(ramp), cv2.IMREAD_GRAYSCALE)
    changed[0, 0] ^= 1
    cv2.imwrite(str(again), changed)
    assert value_of(again, "p") != value_of(ramp, "p")


def test_a_list_comes_back_as_it_was_written_and_its_bytes_do_not_change(tmp_path):
    lines = (Line("n", "-", "b/with space (1).jpg"), Line("f", "3", "a"))
    write_checklist(tmp_path / "one.txt.gz", Checklist(lines, complete=False))
    write_checklist(tmp_path / "two.txt.gz", Checklist(lines[::-1], complete=False))
    assert read_checklist(tmp_path / "one.txt.gz") == Checklist(lines[::-1], complete=False)
    assert (tmp_path / "one.txt.gz").read_bytes() == (tmp_path / "two.txt.gz").read_bytes()


def test_differences_by_each_letter(ramp):
    folder, look = ramp.parent, value_of(ramp, "l")
    near, far = f"{int(look, 16) ^ 0xFF:016x}", f"{int(look, 16) ^ 0x1FF:016x}"
    (folder / "broken.png").write_bytes(b"no picture")
    lines = (
        Line("l", near, "ramp.png"), Line("l", far, "ramp.png"), Line("p", look, "broken.png"),
        Line("n", "-", "no.png"), Line("f", "2", "."), Line("f", "3", "."),
    )  # fmt: skip
    assert LOOK_TOLERANCE == 8
    assert list(differences(folder, Checklist(lines, complete=False))) == [
        "ramp.png differs", "broken.png differs", "no.png lacks", "./ has 2 of 3 files",
    ]  # fmt: skip
    assert list(differences(folder, Checklist(lines[:1], complete=True))) == ["broken.png is not in the list"]


def test_every_known_set_is_described_and_its_list_has_its_pictures():
    known = public_sets()
    assert len(known) == 10
    for name, one in known.items():
        assert bool(one.files) != bool(one.instead)
        assert (list_file(name) is not None) == (bool(one.files) and name != "cheng_3064")
        assert all(file.url.startswith("https://") for file in one.files)
    counted = {
        name: Counter(line.how for line in read_checklist(path).lines) for name in known if (path := list_file(name))
    }
    assert counted == {
        "navoneel_253": {"b": 253},
        "masoud_7023": {"l": 7023},
        "sartaj_3264": {"l": 3264},
        "brisc2025": {"l": 6000 + 4793, "n": 4793},
        "lgg_kaggle_3m": {"l": 3195, "p": 3195},
        "radiopaedia_44": {"f": 44},
    }


@pytest.mark.real_data
def test_the_real_navoneel_comes_through_byte_for_byte(data_root, server, tmp_path, zipped):
    files = {
        path.relative_to(data_root / "navoneel_253").as_posix(): path for path in _files(data_root / "navoneel_253")
    }
    data = {path: file.read_bytes() for path, file in files.items()}
    server.put(NAVONEEL, zipped(data | {f"brain_tumor_dataset/{path}": content for path, content in data.items()}))
    fetched = fetch_set("navoneel_253", tmp_path / "set", accept=True, mirror=server.url)
    assert (fetched.layout, fetched.pictures, fetched.checked) == ("yes/no folders", 253, "253 byte for byte")


@pytest.mark.real_data
def test_shrunk_pictures_keep_their_look_and_other_pictures_have_another(data_root, tmp_path):
    files = _files(data_root / "navoneel_253")
    looks = [value_of(file, "l") for file in files]
    moved = []
    for file, look in zip(files, looks, strict=True):
        with Image.open(file) as image:
            small = image.convert("RGB")
        small.thumbnail((288, 288))
        small.save(tmp_path / "small.jpg", quality=85)
        moved.append(_bits(look, value_of(tmp_path / "small.jpg", "l")))
    apart = [_bits(one, other) for i, one in enumerate(looks) for other in looks[:i]]
    assert max(moved) <= 4
    assert np.mean(np.array(apart) <= LOOK_TOLERANCE) < 0.02


@pytest.mark.real_data
def test_two_swapped_files_of_masoud_are_named(data_root, tmp_path):
    checklist = read_checklist(list_file("masoud_7023"))
    part = tuple(line for line in checklist.lines if line.path.startswith("Testing/glioma/"))[:40]
    for line in part:
        (tmp_path / line.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data_root / "masoud_7023" / line.path, tmp_path / line.path)
    assert list(differences(tmp_path, Checklist(part, complete=True))) == []
    first, last = part[0].path, part[-1].path
    shutil.copy(data_root / "masoud_7023" / last, tmp_path / first)
    assert list(differences(tmp_path, Checklist(part, complete=True))) == [f"{first} differs"]


@pytest.mark.real_data
def test_the_index_of_kinds_is_the_one_that_was_made_by_hand(data_root, tmp_path):
    source = data_root / "radiopaedia_44"
    for path in _files(source):
        if path.suffix == ".jpg":
            (tmp_path / path.relative_to(source)).parent.mkdir(exist_ok=True)
            (tmp_path / path.relative_to(source)).symlink_to(path)
    index_kinds(tmp_path, public_set("radiopaedia_44").kinds)
    made, known = (_rows((folder / "index.csv").read_text()) for folder in (tmp_path, source))
    assert made == known
    assert len(list_data(tmp_path).entries) == 4478
    assert list(differences(tmp_path, read_checklist(list_file("radiopaedia_44")))) == []


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _rows(text):
    return {row["path"]: (row["label"], row["kind"], row["sequence"]) for row in csv.DictReader(io.StringIO(text))}
