from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from tumorscope.scans import read_slice
from tumorscope.twins.atlas import LABELS, load_atlas
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.fingerprints import Fingerprints


def test_the_atlas_holds_the_cheng_set_in_its_five_folds():
    atlas = load_atlas()
    assert sorted(atlas.index) == list(range(1, 3065))
    assert set(atlas.fold) == {1, 2, 3, 4, 5}
    assert {LABELS[i]: int(n) for i, n in enumerate(np.bincount(atlas.label))} == {
        "glioma": 1426,
        "meningioma": 708,
        "pituitary": 930,
    }


def test_the_atlas_is_small():
    assert len((files("tumorscope.twins") / "atlas.npz").read_bytes()) < 3_000_000


def test_what_is_no_slice_is_not_recognized():
    y, x = np.mgrid[-1:1:120j, -1:1:120j]
    disk = np.where(x**2 + y**2 < 0.7, 120 + 60 * np.sin(9 * x) * np.cos(7 * y), 0).astype(np.float32)
    said = load_atlas().recognize(Fingerprints.of([fingerprint(disk), fingerprint(np.zeros((50, 50), np.float32))]))
    assert said["index"].isna().all()
    assert said["fold"].isna().all()
    assert list(said["label"]) == ["", ""]
    assert [str(kind) for kind in said.dtypes[:2]] == ["Int64", "Int64"]


def test_no_slices_give_no_rows():
    assert len(load_atlas().recognize(Fingerprints.of([]))) == 0


@pytest.mark.real_data
def test_slices_are_recognized_in_files_that_the_atlas_was_not_made_of(data_root):
    table = pd.read_csv(data_root / "cheng_3064" / "index.csv")
    table = table[(table["set"] == "masoud_7023") & table["mirrored"]].sample(150, random_state=0)
    paths = [data_root / "masoud_7023" / path for path in table["path"]]
    said = load_atlas().recognize(Fingerprints.of([fingerprint(read_slice(path)) for path in paths]))
    assert (said["index"].to_numpy() == table["cheng_index"].to_numpy()).mean() >= 0.99
    assert said["index"].notna().mean() >= 0.99
    known = said["index"].notna().to_numpy()
    assert (said["fold"][known].to_numpy(int) == table["fold"].to_numpy(int)[known]).all()


@pytest.mark.real_data
def test_slices_of_other_sets_are_not_recognized(data_root):
    paths = sorted((data_root / "healthy_t1").glob("*/*.jpg"))[::8]
    said = load_atlas().recognize(Fingerprints.of([fingerprint(read_slice(path)) for path in paths]))
    assert said["index"].isna().all()
