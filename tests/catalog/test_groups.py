import cv2
import numpy as np
import pandas as pd
import pytest

from tumorscope.catalog import add_groups, assign_split, build_catalog, write_catalog
from tumorscope.catalog.groups import Union, twin_roots
from tumorscope.catalog.phantom import draw_phantom, write_phantom
from tumorscope.catalog.table import COLUMNS, Catalog


def test_a_union_never_joins_what_is_known_to_differ_not_even_through_a_third():
    union = Union([1, None, 2])
    union.join(0, 1)
    union.join(1, 2)
    assert union.roots().tolist() == [0, 0, 2]


def test_a_union_joins_in_chains():
    union = Union([None] * 5)
    for a, b in ((3, 4), (0, 1), (1, 4)):
        union.join(a, b)
    assert union.roots().tolist() == [0, 0, 2, 0, 0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Class folders without patients: 24 slices, each of another head, and three copies of the first tumor."""
    root = tmp_path_factory.mktemp("set")
    slices = [drawn for number, drawn in enumerate(draw_phantom(72, seed=4)) if number % 3 == 0]
    for number, drawn in enumerate(slices):
        _write(root / drawn.label / f"{number:02d}.png", drawn.image)
    first = slices[0].image
    _write(root / "glioma" / "copy.png", first)
    _write(root / "glioma" / "mirrored.jpg", first[:, ::-1])
    _write(root / "meningioma" / "half.png", cv2.resize(first, (64, 64), interpolation=cv2.INTER_AREA))
    return root


@pytest.fixture(scope="module")
def catalog(folder):
    return add_groups(build_catalog([folder]), use_atlas=False)


def test_copies_fall_into_one_cluster_and_group(catalog):
    table = catalog.table.set_index("path")
    copies = ["glioma/00.png", "glioma/copy.png", "glioma/mirrored.jpg", "meningioma/half.png"]
    assert table.loc[copies, "cluster"].nunique() == 1
    assert table.loc[copies, "group"].nunique() == 1
    assert table["cluster"].nunique() == 24
    assert (table["twin_of"] != "").sum() == 3


def test_twins_across_sets_whose_files_have_the_same_names_are_told_apart(tmp_path):
    ours, theirs = ([one.image for one in draw_phantom(24, seed=seed)][::3] for seed in (4, 5))
    for number in range(8):
        _write(tmp_path / "a" / "glioma" / f"{number}.png", ours[number])
        _write(tmp_path / "b" / "glioma" / f"{number}.png", theirs[number])
    _write(tmp_path / "b" / "glioma" / "copy.png", ours[0])
    _write(tmp_path / "b" / "glioma" / "own.png", theirs[1])
    table = add_groups(build_catalog([tmp_path / "a", tmp_path / "b"]), use_atlas=False).table
    rows = table.assign(root=twin_roots(table)).set_index(table["dataset"] + "/" + table["path"])
    assert list(rows.loc["b/glioma/copy.png", ["twin_of", "root"]]) == ["a/glioma/0.png", "a/glioma/0.png"]
    assert list(rows.loc["b/glioma/own.png", ["twin_of", "root"]]) == ["glioma/1.png", "b/glioma/1.png"]
    assert rows.loc["a/glioma/1.png", "root"] == "a/glioma/1.png"
    assert rows["root"].nunique() == 16


def test_the_decoded_copy_is_an_exact_twin_and_the_others_are_near(catalog):
    paths = catalog.table["path"]
    kinds = {
        frozenset((paths[a], paths[b])): kind
        for a, b, kind in catalog.pairs[["a", "b", "kind"]].itertuples(index=False)
    }
    assert kinds[frozenset(("glioma/00.png", "glioma/copy.png"))] == "exact"
    assert kinds[frozenset(("glioma/00.png", "glioma/mirrored.jpg"))] == "near"
    assert len(kinds) == 6, "every pair of the four, not only a spanning tree"


def test_slices_of_a_patient_stay_together(tmp_path):
    write_phantom(tmp_path, 96, seed=1)
    table = assign_split(add_groups(build_catalog([tmp_path]), use_atlas=False)).table
    assert table.groupby("patient")["split"].nunique().max() == 1
    assert table.groupby("patient")["cluster"].nunique().max() == 1


def test_a_written_catalog_reads_back(catalog, folder, tmp_path):
    write_catalog(catalog, tmp_path / "catalog.csv")
    again = Catalog.read(tmp_path / "catalog.csv", [folder])
    pd.testing.assert_frame_equal(again.table[list(COLUMNS)], catalog.table[list(COLUMNS)], check_dtype=False)
    assert again.table["file"].tolist() == catalog.table["file"].tolist()


def _write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, np.ascontiguousarray(image))[1].tobytes())
