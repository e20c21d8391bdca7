from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")
from tumorscope.catalog.table import Catalog
from tumorscope.errors import CatalogError, RecipeError
from tumorscope.training.recipe import SamplingRecipe
from tumorscope.training.samples import EpochSampler, choose_classes, make_samples, training_table

FOUR = ("glioma", "meningioma", "notumor", "pituitary")


@pytest.mark.parametrize(
    "labels",
    [
        ["pituitary", "notumor", "meningioma", "glioma"],
        ["glioma", "meningioma", "notumor", "pituitary"],
        ["pituitary", "notumor"],
        ["tumor", "notumor", "glioma", "lesion"],
    ],
)
def test_our_four_classes_keep_their_order_however_folders_are_listed_or_lack_one(labels):
    assert choose_classes(pd.Series(labels), None) == FOUR


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["Dog", "Cat"], ("Cat", "Dog")),
        (["tumor", "notumor"], ("notumor", "tumor")),
        (["schwannoma", "glioma", "notumor"], ("glioma", "notumor", "schwannoma")),
    ],
)
def test_other_names_train_in_alphabetical_order(labels, classes):
    assert choose_classes(pd.Series(labels), None) == classes


def test_one_class_is_an_error_that_names_it():
    with pytest.raises(CatalogError, match="only glioma"):
        choose_classes(pd.Series(["Cats", "Cats"]).replace("Cats", "glioma"), ("glioma",))


def catalog(rows):
    table = pd.DataFrame(rows, columns=["path", "label", "split", "sha256", "mask", "source"])
    unknown = pd.array([pd.NA] * len(rows), dtype="Int64")
    table = table.assign(dataset="set", series="", slice=unknown, channel=unknown, file="")
    return Catalog(table, {"set": Path("/data")})


def test_exact_copies_within_a_part_train_once_and_keep_the_mask():
    rows = [(f"g{i}", "glioma", "train", f"g{i}", "", "a") for i in range(2)]
    rows += [("copy", "glioma", "train", "g0", "m.png", "a"), ("other", "glioma", "val", "g0", "", "a")]
    rows += [(f"n{i}", "notumor", split, f"n{i}", "", "a") for i, split in enumerate(["train", "train", "val"])]
    table = training_table(catalog(rows), FOUR)
    assert sorted(table["path"]) == ["copy", "g1", "n0", "n1", "n2", "other"]
    assert table.set_index("path").loc["copy", "mask_file"] == "/data/m.png"


def test_lesions_and_rows_without_a_part_are_not_trained_on():
    parts = list(enumerate(["train", "train", "val", ""]))
    rows = [(f"{name}{i}", name, part, f"{name}{i}", "", "a") for name in (*FOUR, "lesion") for i, part in parts]
    table = training_table(catalog(rows), FOUR)
    assert set(table["label"]) == set(FOUR)
    assert "" not in set(table["split"])


def test_a_class_with_one_slice_to_train_on_is_an_error_that_names_it():
    rows = [("g", "glioma", "train", "g", "", "a")]
    rows += [(f"n{i}", "notumor", split, f"n{i}", "", "a") for i, split in enumerate(["train", "train", "val"])]
    with pytest.raises(CatalogError, match="'glioma' has 1 slice"):
        training_table(catalog(rows), FOUR)


def test_sampling_by_source_and_label_draws_as_its_power_says():
    rows = [(f"a{i}", "glioma", "train", f"a{i}", "", "large") for i in range(900)]
    rows += [(f"b{i}", "glioma", "train", f"b{i}", "", "small") for i in range(100)]
    rows += [(f"n{i}", "notumor", "val", f"n{i}", "", "large") for i in range(2)]
    rows += [(f"x{i}", "notumor", "train", f"x{i}", "", "x") for i in range(2)]
    table = training_table(catalog(rows), FOUR)
    part = make_samples(table, "train", FOUR, SamplingRecipe(by=("source", "label"), power=0.5))
    drawn = [row for row, *_ in EpochSampler(part.weights, 4000, seed=3)]
    sources = part.table["source"].to_numpy()[drawn]
    share = (sources == "small").mean() / (sources == "large").mean()
    assert share == pytest.approx(np.sqrt(100) / np.sqrt(900), rel=0.05)
    with pytest.raises(RecipeError, match=r"sampling\.by: a catalog has no column 'sorce'; did you mean 'source'"):
        make_samples(table, "train", FOUR, SamplingRecipe(by=("sorce", "label")))


def test_an_epoch_without_weights_sees_every_row_once():
    assert sorted(row for row, *_ in EpochSampler(np.full(50, 0.02), None, seed=0)) == list(range(50))


def test_drawing_asks_for_the_epoch_when_it_starts():
    sampler = EpochSampler(np.full(50, 0.02), None, seed=0)
    first = list(sampler)
    sampler.epoch = lambda: 3
    later = list(sampler)
    assert {epoch for *_, epoch in later} == {3}
    assert [row for row, *_ in later] != [row for row, *_ in first]
    assert list(sampler) == later
