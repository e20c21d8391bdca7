"""The benchmark's folds: recognized by the picture wherever it lies, never guessed."""

from importlib.resources import files

import cv2
import numpy as np
import pandas as pd
import pytest

from tumorscope.catalog import Catalog, add_groups, assign_split, build_catalog
from tumorscope.catalog import benchmark as benchmark_module
from tumorscope.catalog.benchmark import Benchmark, assign_benchmark, load_benchmark
from tumorscope.catalog.phantom import write_phantom
from tumorscope.catalog.splits import spread_folds
from tumorscope.errors import CatalogError, UsageError
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, quantize, restore
from tumorscope.twins.structure import spectra

SETS = ("masoud_7023", "sartaj_3264", "brisc2025", "lgg_kaggle_3m", "navoneel_253", "cheng_3064")


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark") / "phantom"
    write_phantom(folder, 72, seed=4, side=96)
    return add_groups(build_catalog([folder]), use_atlas=False)


@pytest.fixture
def of_phantom(phantom, monkeypatch):
    """A benchmark of the phantom: a set 'even' of every slice, a set 'first' of the first half."""
    folds = spread_folds(phantom.table, seed=0)
    member = np.stack([np.ones(len(folds), bool), np.arange(len(folds)) < len(folds) // 2], axis=1)
    made = Benchmark(
        ("whole", "half"),
        phantom.prints.digests[:, :COMPACT_DIGEST_BYTES],
        folds,
        member,
        restore(quantize(spectra(phantom.prints.heads))),
        np.arange(len(folds)),
        np.zeros((len(load_atlas()), 2), bool),
    )
    monkeypatch.setattr(benchmark_module, "load_benchmark", lambda: made)
    return made


def _moved(phantom, folder, change, suffix=".png"):
    """Write the pictures under other names, changed."""
    folder.mkdir()
    for row, file in enumerate(phantom.table["file"]):
        picture = change(cv2.imread(file, cv2.IMREAD_GRAYSCALE))
        label = phantom.table["label"].iloc[row]
        (folder / label).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / label / f"x{row:04d}{suffix}"), picture)
    return build_catalog([folder])


def _rows(catalog):
    return catalog.table["path"].str.extract(r"x(\d+)")[0].astype(int).to_numpy()


def test_the_shipped_file_is_small_and_knows_the_sets():
    assert len((files("tumorscope.catalog") / "benchmark.npz").read_bytes()) < 2_000_000
    known = load_benchmark()
    assert known.names == SETS
    assert set(known.folds) == {1, 2, 3, 4, 5}
    assert known.cheng[:, SETS.index("cheng_3064")].all()
    assert len(np.unique(known.digests, axis=0)) == len(known)


def test_renamed_and_moved_pictures_are_known_by_their_pixels(phantom, of_phantom, tmp_path):
    moved = _moved(phantom, tmp_path / "elsewhere", lambda picture: picture)
    said = of_phantom.recognize(moved.prints, "whole")
    assert said.exact.all()
    np.testing.assert_array_equal(said.folds, of_phantom.folds[_rows(moved)])


def test_resized_recompressed_and_mirrored_pictures_are_known_as_twins(phantom, of_phantom, tmp_path):
    def change(picture):
        return cv2.resize(picture[:, ::-1], (160, 160), interpolation=cv2.INTER_CUBIC)

    moved = _moved(phantom, tmp_path / "copies", change, ".jpg")
    said = of_phantom.recognize(moved.prints, "whole")
    known = said.folds > 0
    assert not said.exact.any()
    assert known.mean() > 0.9
    np.testing.assert_array_equal(said.folds[known], of_phantom.folds[_rows(moved)][known])


def test_strangers_are_left_out_and_not_guessed(of_phantom, tmp_path):
    write_phantom(tmp_path / "other", 24, seed=99, side=96)
    said = of_phantom.recognize(build_catalog([tmp_path / "other"]).prints, "whole")
    assert not said.folds.any()


def test_a_set_knows_its_own_slices_alone(phantom, of_phantom):
    half = len(phantom.table) // 2
    said = of_phantom.recognize(phantom.prints, "half")
    assert (said.folds[:half] > 0).all()
    assert not said.exact[half:].any()
    with pytest.raises(UsageError, match="did you mean 'whole'"):
        of_phantom.recognize(phantom.prints, "wole")


def test_parts_follow_the_fold_that_is_tested(phantom, of_phantom):
    for split, test in (("benchmark:whole", 5), ("benchmark:whole:1", 1), ("benchmark:all:3", 3)):
        parts = assign_split(phantom, split).table["split"].to_numpy(str)
        before = (test - 2) % 5 + 1
        np.testing.assert_array_equal(parts == "test", of_phantom.folds == test)
        np.testing.assert_array_equal(parts == "val", of_phantom.folds == before)
    table = assign_split(phantom, "benchmark:whole").table
    assert (table.groupby("group")["split"].nunique() == 1).all()


def test_an_unknown_slice_of_a_known_patient_goes_with_the_patient(phantom, of_phantom):
    table = phantom.table
    assert (table["patient"] != "").all()
    assigned = assign_benchmark(phantom, "benchmark:half").table
    known = set(table["patient"].iloc[: len(table) // 2])
    shared = table["patient"].isin(known).to_numpy()
    assert (assigned["split"][shared] != "").all()
    folds = dict(zip(("train", "val", "test"), ({1, 2, 3}, {4}, {5}), strict=True))
    for part, fold in zip(assigned["split"][shared], of_phantom.folds[shared], strict=True):
        assert fold in folds[part]


def test_what_cannot_be_is_said(phantom, of_phantom, tmp_path):
    with pytest.raises(UsageError, match="from 1 to 5"):
        assign_split(phantom, "benchmark:whole:9")
    with pytest.raises(UsageError, match="benchmark:whole:2"):
        assign_split(phantom, "benchmark:whole", fold=2)
    write_phantom(tmp_path / "other", 24, seed=99, side=96)
    with pytest.raises(CatalogError, match="holds no slice that benchmark:whole knows"):
        assign_split(build_catalog([tmp_path / "other"]), "benchmark:whole")
    assert isinstance(assign_benchmark(phantom, "benchmark:whole"), Catalog)


@pytest.mark.real_data
def test_no_cheng_slice_stands_in_another_fold_than_its_patient(data_root):
    table = pd.read_csv(data_root / "cheng_3064" / "index.csv").sample(300, random_state=1)
    table = table[[(data_root / name / path).is_file() for name, path in zip(table["set"], table["path"], strict=True)]]
    from tumorscope.scans import read_slice
    from tumorscope.twins.fingerprint import fingerprint
    from tumorscope.twins.fingerprints import Fingerprints

    files_ = [data_root / name / path for name, path in zip(table["set"], table["path"], strict=True)]
    said = load_benchmark().recognize(Fingerprints.of([fingerprint(read_slice(file)) for file in files_]), "cheng_3064")
    known = said.folds > 0
    assert known.mean() > 0.98
    assert (said.folds[known] == table["fold"].to_numpy()[known]).all()


@pytest.mark.real_data
def test_patients_of_the_lgg_set_stand_in_one_fold_each(data_root):
    catalog = build_catalog([data_root / "lgg_kaggle_3m"])
    said = load_benchmark().recognize(catalog.prints, "lgg_kaggle_3m")
    assert said.exact.all()
    assert (pd.Series(said.folds).groupby(catalog.table["patient"].to_numpy()).nunique() == 1).all()


@pytest.mark.real_data
def test_copies_of_another_size_and_quality_are_known(data_root):
    from tumorscope.scans import read_slice
    from tumorscope.twins.fingerprint import fingerprint
    from tumorscope.twins.fingerprints import Fingerprints

    paths = sorted((data_root / "masoud_7023" / "Testing").glob("*/*.jpg"))[::13]
    grays = [read_slice(path) for path in paths]
    larger = [_jpeg(cv2.resize(gray, None, fx=1.8, fy=1.8, interpolation=cv2.INTER_CUBIC)) for gray in grays]
    known = load_benchmark()
    truth = known.recognize(Fingerprints.of([fingerprint(gray) for gray in grays]), "masoud_7023").folds
    found = known.recognize(Fingerprints.of([fingerprint(gray) for gray in larger]), "masoud_7023").folds
    assert (truth > 0).all()
    assert (found > 0).mean() > 0.97
    assert (found == truth)[found > 0].all()


def _jpeg(gray):
    coded = cv2.imencode(".jpg", np.clip(np.rint(gray), 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
