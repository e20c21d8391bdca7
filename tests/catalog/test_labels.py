import pytest

from tumorscope.catalog.labels import cover_matrix
from tumorscope.words import class_name, kind_class, sequence_name

FOUR = ("glioma", "meningioma", "notumor", "pituitary")


@pytest.mark.parametrize(
    ("label", "covered"),
    [
        ("glioma", {"glioma"}),
        ("notumor", {"notumor"}),
        ("tumor", {"glioma", "meningioma", "pituitary"}),
        ("astrocytoma", {"glioma"}),
        ("schwannoma", {"glioma", "meningioma", "pituitary"}),
        ("lesion", set()),
        ("Cats", set()),
    ],
)
def test_what_a_label_covers_among_four_classes(label, covered):
    (row,) = cover_matrix([label], FOUR)
    assert {name for name, hit in zip(FOUR, row, strict=True) if hit} == covered


def test_where_tumor_is_a_class_every_kind_falls_under_it():
    kinds = ["tumor", "glioma", "meningioma", "pituitary", "schwannoma", "hgg"]
    found = cover_matrix([*kinds, "notumor", "lesion"], ("notumor", "tumor")).tolist()
    assert found == [*[[False, True]] * len(kinds), [True, False], [False, False]]
    assert cover_matrix(["glioma", "pituitary"], ("glioma", "notumor", "tumor")).tolist() == [
        [True, False, False],
        [False, False, True],
    ]


def test_a_kind_of_ours_that_the_classes_lack_is_not_called_another():
    assert not cover_matrix(["glioma", "hgg", "astrocytoma"], ("meningioma", "notumor")).any()
    assert (
        cover_matrix(["hgg", "schwannoma"], ("meningioma", "notumor", "tumor")).tolist() == [[False, False, True]] * 2
    )


def test_no_rows_give_an_empty_matrix_of_the_right_width():
    assert cover_matrix([], FOUR).shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("glioma_tumor", "glioma"),
        ("No", "notumor"),
        ("no_tumor", "notumor"),
        ("YES", "tumor"),
        ("Pituitary Tumor", "pituitary"),
    ],
)
def test_synonyms_of_classes(text, name):
    assert class_name(text) == name


@pytest.mark.parametrize("text", ["t1c", "T1C+", "T1ce", "T1-Gd", "t1 post-contrast"])
def test_synonyms_of_a_sequence(text):
    assert sequence_name(text) == "T1ce"


def test_kinds_know_their_class():
    assert (kind_class("Glioblastoma"), kind_class("metastasis of a carcinoma"), kind_class("Cats")) == (
        "glioma",
        "tumor",
        "",
    )
