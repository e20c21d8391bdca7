"""The preprocessed slices on disk."""

import numpy as np
import pytest

pytest.importorskip("torch")
from tumorscope.catalog import add_groups, assign_split, build_catalog
from tumorscope.catalog.slices import map_slices, model_input, slice_rows
from tumorscope.preprocess import Spec
from tumorscope.training.cache import build_cache
from tumorscope.training.samples import training_table

ONTO_A_FULL_DISK = """
import os, sys
from pathlib import Path
from tumorscope.catalog import add_groups, assign_split, build_catalog
from tumorscope.errors import OutputError
from tumorscope.preprocess import Spec
from tumorscope.training.cache import build_cache
from tumorscope.training.samples import training_table
catalog = assign_split(add_groups(build_catalog(["phantom:96"])), "random", seed=0)
table = training_table(catalog, ("glioma", "meningioma", "notumor", "pituitary"))
try:
    build_cache(table, Spec(side=128), Path(sys.argv[1]))
except OutputError as error:
    print(error)
print(os.listdir(sys.argv[1]))
"""


def test_a_row_is_what_its_file_gives_and_its_mask_stands_beside_it(tmp_path):
    catalog = assign_split(add_groups(build_catalog(["phantom:96"])), "random", seed=0)
    table = training_table(catalog, ("glioma", "meningioma", "notumor", "pituitary"))
    spec = Spec(side=64)
    cache = build_cache(table, spec, tmp_path)
    assert cache.images.shape == (len(table), 64, 64, 1)
    assert 0 < len(cache.masks) < len(table)
    rows = slice_rows(table, table["mask_file"].to_list())
    for at, read in enumerate(map_slices(rows, lambda read: read, masks=True)):
        image, mask = model_input(read, spec)
        np.testing.assert_array_equal(cache.images[at], image)
        assert (cache.mask_row[at] >= 0) == (mask is not None)
        if mask is not None:
            np.testing.assert_array_equal(cache.masks[cache.mask_row[at]], mask)
    before = (tmp_path / "images.npy").stat().st_mtime_ns
    build_cache(table, spec, tmp_path)
    assert (tmp_path / "images.npy").stat().st_mtime_ns == before, "what is there is not built again"


def test_a_full_disk_is_told_in_a_line_and_leaves_nothing(on_a_small_disk):
    done = on_a_small_disk(ONTO_A_FULL_DISK, kilobytes=600)
    assert done.returncode == 0, done.stderr
    said, left = done.stdout.splitlines()
    assert "npy: cannot be written (no space left on device); free some space" in said
    assert left == "[]"
