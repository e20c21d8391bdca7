"""From what a client names to a folder: only below the folders that may be read, by whatever way it tries."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorscope.errors import UsageError
from tumorscope.serve.roots import NotThereError, PathRefusedError, find_folder, inside, list_folder, named_roots


@pytest.fixture
def place(tmp_path):
    """Two roots and a folder that is none of theirs."""
    for folder in ("data/set10", "data/set2/yes", "data/.hidden", "more/data/only", "outside/secret"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data" / "set2" / "1.png").write_bytes(b"1")
    (tmp_path / "data" / "within").symlink_to(tmp_path / "data" / "set2")
    (tmp_path / "data" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "data" / "circle").symlink_to(tmp_path / "data" / "circle")
    (tmp_path / "data" / "set2" / "gone").symlink_to(tmp_path / "nowhere")
    return tmp_path


@pytest.fixture
def roots(place):
    return named_roots([place / "data", place / "more" / "data"])


def test_roots_of_one_name_get_a_number(roots):
    assert [root.name for root in roots] == ["data", "data-2"]


def test_a_root_that_is_no_folder_is_an_error(place):
    with pytest.raises(UsageError, match="is no folder"):
        named_roots([place / "data" / "set2" / "1.png"])


@pytest.mark.parametrize(
    ("path", "root", "found"),
    [
        ("set2", None, "data/set2"), ("set2/", "data", "data/set2"), ("", None, "data"), (".", "data-2", "more/data"),
        ("only", None, "more/data/only"), ("within/yes", None, "data/set2/yes"), ("set2/yes", None, "data/set2/yes"),
    ],
)  # fmt: skip
def test_what_is_below_a_root_is_found(place, roots, path, root, found):
    assert find_folder(roots, path, root)[1] == place / found


@pytest.mark.parametrize(
    "path",
    [
        "../outside", "set2/../../outside", "/etc", "set2\0", "set2\n", "set2\\..", "..", "a\u202eb", "\ud800",
        "x" * 1001,
    ],
)  # fmt: skip
def test_names_of_a_refused_kind(roots, path):
    with pytest.raises(PathRefusedError):
        find_folder(roots, path)


@pytest.mark.parametrize(
    "path", ["out", "out/secret", "circle", ".hidden", "set2/gone", "nothing", "set2/1.png", "é" * 200]
)
def test_what_is_not_there_and_what_leads_out_are_told_alike(roots, path):
    with pytest.raises(NotThereError, match="there is no such folder"):
        find_folder(roots, path)


def test_an_unknown_root_is_not_there(roots):
    with pytest.raises(NotThereError):
        find_folder(roots, "set2", "outside")


def test_a_listing_names_what_may_be_opened_in_natural_order(roots):
    listed = list_folder(roots, "")
    assert (listed.root, listed.path, listed.folders, listed.more) == ("data", "", ["set2", "set10", "within"], False)
    assert listed.left_out == 1
    inner = list_folder(roots, "within", "data")
    assert (inner.path, inner.folders, inner.files) == ("set2", ["yes"], 2)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*"./\\a\0é\u202e", "set2", "out", ".."]), max_size=12).map("".join))
def test_no_text_leads_out(tmp_path_factory, text):
    base = tmp_path_factory.getbasetemp() / "drawn"
    (base / "data" / "set2" / "a").mkdir(parents=True, exist_ok=True)
    (base / "outside").mkdir(exist_ok=True)
    if not (base / "data" / "out").is_symlink():
        os.symlink(base / "outside", base / "data" / "out")
    roots = named_roots([base / "data"])
    try:
        found = find_folder(roots, text)[1]
    except (PathRefusedError, NotThereError):
        return
    assert found.is_relative_to((base / "data").resolve())
    assert inside(roots[0].path, "../outside") is None
