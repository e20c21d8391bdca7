import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorscope.catalog.parts import PARTS
from tumorscope.catalog.splits import FRACTIONS, assign_split
from tumorscope.catalog.table import Catalog
from tumorscope.errors import CatalogError, UsageError


def catalog(groups, labels, folds=None, official=""):
    n = len(groups)
    table = pd.DataFrame({"group": groups, "cluster": groups, "label": labels, "dataset": "set", "sequence": ""})
    table["path"] = [f"{i}.png" for i in range(n)]
    table["fold"] = pd.array(folds if folds is not None else [pd.NA] * n, dtype="Int64")
    table["official"] = official
    return Catalog(table.astype({"group": object}), {})


def many(n=400, seed=0, size=4):
    rng = np.random.default_rng(seed)
    groups = [f"g{i}" for i in range(n // size) for _ in range(size)]
    kinds = rng.choice(["glioma", "notumor"], n // size)
    return groups, [str(kinds[i // size]) for i in range(n)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["grouped", "folds"]), st.integers(1, 7))
def test_no_group_is_ever_cut(seed, how, size):
    split = assign_split(catalog(*many(420, seed, size)), how, seed=seed, fold=2 if how == "folds" else None).table
    assert split.groupby("group")["split"].nunique().max() == 1


def test_parts_have_the_wanted_sizes_in_every_label():
    table = assign_split(catalog(*many(2000))).table
    for _, rows in table.groupby("label"):
        shares = rows["split"].value_counts(normalize=True)
        assert [shares[part] for part in PARTS] == pytest.approx(FRACTIONS, abs=0.03)


def test_equal_seeds_give_equal_splits_and_others_do_not():
    one, again, other = (assign_split(catalog(*many()), seed=seed).table["split"].tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_cheng_slices_go_by_their_folds():
    folds = [1, 2, 3, 4, 5] * 4
    table = assign_split(catalog([f"cheng:{k}" for k in folds], ["glioma"] * 20, folds)).table
    wanted = {1: "train", 2: "train", 3: "train", 4: "val", 5: "test"}
    assert table["split"].tolist() == [wanted[k] for k in folds]


@pytest.mark.parametrize("fold", [1, 2, 3, 4, 5])
def test_folds_test_each_group_once_and_validate_on_the_fold_before(fold):
    folds = [1, 2, 3, 4, 5] * 4
    table = assign_split(catalog([f"cheng:{k}" for k in folds], ["glioma"] * 20, folds), "folds", fold=fold).table
    assert set(table.loc[table["split"] == "test", "fold"]) == {fold}
    assert set(table.loc[table["split"] == "val", "fold"]) == {fold - 1 or 5}


def test_official_keeps_the_published_test_part_and_takes_validation_from_training_by_group():
    groups, labels = many()
    official = ["test"] * 80 + ["train"] * 320
    table = assign_split(catalog(groups, labels, official=official), "official").table
    assert (table["split"] == "test").tolist() == [name == "test" for name in official]
    inner = table[table["official"] == "train"]
    assert (inner["split"] == "val").mean() == pytest.approx(0.15, abs=0.03)
    assert inner.groupby("group")["split"].nunique().max() == 1


def test_a_set_without_a_published_split_says_so():
    with pytest.raises(CatalogError, match="publishes no split"):
        assign_split(catalog(*many()), "official")


def test_a_class_that_one_part_would_lack_is_an_error_that_names_it():
    groups, labels = many()
    with pytest.raises(CatalogError, match=r"class 'rare' \(1 images in 1 groups\)"):
        assign_split(catalog([*groups, "gx"], [*labels, "rare"]))


@pytest.mark.parametrize(("how", "fold"), [("group", None), ("folds", None), ("folds", 6), ("grouped", 2)])
def test_a_wrong_call_is_a_usage_error(how, fold):
    with pytest.raises(UsageError):
        assign_split(catalog(*many()), how, fold=fold)
