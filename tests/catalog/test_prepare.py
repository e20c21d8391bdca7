import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tumorscope.catalog import build_catalog
from tumorscope.catalog.phantom import write_phantom
from tumorscope.catalog.prepare import prepare
from tumorscope.errors import UsageError
from tumorscope.preprocess import Spec, preprocess
from tumorscope.scans import read_slice


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "drawn"
    write_phantom(folder, 24)
    return folder


@pytest.fixture(scope="module")
def prepared(phantom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "ready"
    prepare(phantom, out=out, side=96)
    return out


def test_slices_are_what_preprocess_makes_of_them(phantom: Path, prepared: Path) -> None:
    table = pd.read_csv(prepared / "catalog.csv", keep_default_na=False)
    assert len(table) == 24
    for path in table["path"][:5]:
        written = cv2.imread(str(prepared / path), cv2.IMREAD_UNCHANGED)
        expected = preprocess(read_slice(phantom / path), Spec(side=96))[..., 0]
        np.testing.assert_array_equal(written, expected)


def test_catalog_tells_of_the_written_files(prepared: Path) -> None:
    row = pd.read_csv(prepared / "catalog.csv", keep_default_na=False).iloc[0]
    assert (row["dataset"], row["width"], row["height"], row["mode"]) == ("ready", 96, 96, "L")
    assert row["sha256"] == hashlib.sha256((prepared / row["path"]).read_bytes()).hexdigest()


def test_masks_follow_their_slices(phantom: Path, prepared: Path) -> None:
    table = pd.read_csv(prepared / "catalog.csv", keep_default_na=False)
    with_mask = table[table["mask"] != ""]
    assert set(with_mask["label"]) == {"glioma", "meningioma", "pituitary"}
    for path in with_mask["mask"]:
        mask = cv2.imread(str(prepared / path), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (96, 96)
        assert set(np.unique(mask)) == {0, 255}


def test_what_comes_out_is_a_data_set_with_the_same_labels(phantom: Path, prepared: Path) -> None:
    columns = ["path", "label", "patient", "sequence", "plane"]
    before, after = build_catalog([phantom]).table[columns], build_catalog([prepared]).table[columns]
    pd.testing.assert_frame_equal(before, after)


def test_a_published_split_and_files_of_one_stem_are_kept(tmp_path: Path) -> None:
    image = np.zeros((40, 30), np.uint8)
    image[5:30, 5:25] = np.arange(20)[None] * 10
    for folder, name in (("Training", "a.png"), ("Training", "a.bmp"), ("Testing", "b.png")):
        path = tmp_path / "set" / folder / "glioma" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
        (tmp_path / "set" / folder / "notumor").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "set" / folder / "notumor" / name), image[::-1])
    table = prepare(tmp_path / "set", out=tmp_path / "out", side=64).table
    assert len(set(table["path"])) == 6
    assert set(build_catalog([tmp_path / "out"]).table["official"]) == {"train", "test"}


def test_a_folder_with_something_in_it_is_refused(phantom: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UsageError, match="new or empty"):
        prepare(phantom, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_nothing_is_left_when_it_is_interrupted(phantom: Path, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(phantom, out=tmp_path / "out", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_the_count(phantom: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    prepare(phantom, out=tmp_path / "out", side=64, progress=lambda *step: told.append(step))
    assert told[-1] == ("writing", 24, 24)
