import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorscope.errors import ScanError, UsageError
from tumorscope.inference.inputs import UnreadSlice, read_inputs
from tumorscope.preprocess import Spec
from tumorscope.scans import ScanRef, find_scans

SEQUENCES = Spec(side=32, channels="lgg", crop=False, fit="stretch", window="none")
GRAY = np.random.default_rng(0).integers(30, 220, (32, 32)).astype(np.uint8)


def inputs(path, spec):
    return list(read_inputs(ScanRef(path), spec))


def listed(paths, out=None):
    return [ref.name for ref in find_scans(paths, out)]


def saved(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.fixture
def public():
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def nobody(public):
    """This process as a user for whom rights count; the folder is his."""
    if os.geteuid():
        yield
        return
    os.chown(public, 65534, -1)
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_three_sequences_become_the_three_channels_of_one_input(tmp_path):
    planes = np.random.default_rng(1).integers(30, 220, (32, 32, 3)).astype(np.uint8)
    (item,) = inputs(saved(tmp_path / "slice.tif", planes), SEQUENCES)
    np.testing.assert_array_equal(item.image, planes)


def test_a_color_picture_of_one_sequence_is_taken_three_times(tmp_path):
    (item,) = inputs(saved(tmp_path / "slice.tif", np.dstack([GRAY] * 3)), SEQUENCES)
    np.testing.assert_array_equal(item.image, np.dstack([GRAY] * 3))


def test_a_gray_picture_does_not_hold_three_sequences(tmp_path):
    (item,) = inputs(saved(tmp_path / "slice.png", GRAY), SEQUENCES)
    assert isinstance(item, UnreadSlice)
    assert "needs three sequences" in str(item.error)


def test_a_folder_that_cannot_be_looked_into_is_told_and_the_others_are_read(public, nobody):
    for name in ("open", "closed", ".hidden"):
        (public / name).mkdir()
        saved(public / name / "a.png", GRAY)
        (public / name).chmod(0o755 if name == "open" else 0)
    inside = str(public / "closed" / "a.png")
    assert listed([public, inside]) == [str(public / "closed"), str(public / "open" / "a.png"), inside]
    with pytest.raises(ScanError, match="closed: is a folder that cannot be looked into; ask for the right"):
        ScanRef(str(public / "closed")).open()
    with pytest.raises(ScanError, match=r"a\.png: cannot be opened \(permission denied\)"):
        ScanRef(inside).open()
    for name in ("closed", ".hidden"):
        (public / name).chmod(0o755)


def test_links_to_nothing_and_formats_without_a_reader_are_told(tmp_path):
    (tmp_path / "annexed.png").symlink_to(tmp_path / "objects" / "gone")
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM" + bytes(100))
    (tmp_path / "brain.nii").write_bytes(bytes(344) + b"n+1\0" + bytes(100))
    (tmp_path / "notes.txt").write_text("Dear doctor")
    saved(tmp_path / "a.png", GRAY)
    files = listed([tmp_path])
    assert [Path(file).name for file in files] == ["IM0001", "a.png", "annexed.png", "brain.nii"]
    for file, said in zip(
        files,
        [
            "is DICOM, which is not read; export its slices as 16-bit PNG",
            None,
            "is a link to nothing; fetch what it links to",
            "is NIfTI, which is not read; export",
        ],
        strict=True,
    ):
        if said is not None:
            with pytest.raises(ScanError, match=said):
                ScanRef(file).open()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ScanError, match=r"pipe\.png: is no file of data; give a picture file"):
        ScanRef(str(tmp_path / "pipe.png")).open()


def test_pictures_are_not_written_among_those_that_are_read(tmp_path):
    (tmp_path / "scans" / "a").mkdir(parents=True)
    saved(tmp_path / "scans" / "a" / "a.png", GRAY)
    with pytest.raises(UsageError, match="scans: holds pictures that are to be read"):
        listed([tmp_path / "scans"], tmp_path / "scans")
    assert len(listed([tmp_path / "scans"], tmp_path / "scans" / "found")) == 1


@pytest.mark.parametrize("paths", [[], [""], ["here.png", ""]])
def test_an_empty_path_is_no_path(paths):
    with pytest.raises(UsageError, match="no picture was given; give pictures, or folders of them"):
        listed(paths)
