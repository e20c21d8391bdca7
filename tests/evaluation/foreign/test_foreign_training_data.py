"""What the owner of a foreign model says it was trained on is taken out of what is measured."""

import numpy as np
import pandas as pd
import pytest

from tumorscope.catalog import benchmark as benchmark_module
from tumorscope.catalog.benchmark import Benchmark
from tumorscope.errors import CatalogError
from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.foreign import load_foreign
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, restore


def test_slices_that_it_was_trained_on_are_taken_out(bench, home, unseen):
    trained = home.take_part(bench, "trained", "val")
    model = load_foreign(home.describe("trained.yaml", trained_on="trained"))
    found = evaluate_data(model, [unseen, trained], split="all")
    table = bench.catalog.table
    assert found.is_leaky
    assert found.rows["full"].sum() == table["split"].isin(["val", "test"]).sum()
    left = set(found.findings.loc[found.rows["leak_free"], "path"])
    assert left == set(table.loc[table["split"] == "test", "path"])
    assert found.baselines.copies.to_json(found.outcome.labels, found.outcome.clusters, found.rows["leak_free"])[
        "n"
    ] == len(left)
    assert any("what its owner says" in note.text for note in found.notes)


def test_a_split_column_tells_which_rows_of_a_csv_were_trained_on(bench, home, unseen):
    table = bench.catalog.table
    table = table[table["split"] != "train"]
    listed = table[["path", "label", "split"]].assign(path=table["file"])
    listed.to_csv(home.folder / "all.csv", index=False)
    found = evaluate_data(load_foreign(home.describe("csv.yaml", trained_on="all.csv")), unseen, split="all")
    fitted_on = int((table["split"] == "val").sum())
    assert found.stated == f"{fitted_on:,} slices of all.csv"
    assert found.rows["leak_free"].all()
    assert not found.is_leaky


def test_a_benchmark_may_be_what_it_was_trained_on(bench, home, unseen, monkeypatch):
    table = bench.catalog.table
    everything, nothing = np.ones((len(table), 1), bool), np.zeros((len(load_atlas()), 1), bool)
    own = (table["split"] == "test").to_numpy()
    folds = np.where(own, pd.factorize(table["patient"].where(own))[0] % 5, 0) + 1
    digests = bench.catalog.prints.digests[:, :COMPACT_DIGEST_BYTES]
    heads = restore(np.zeros((0, 150), np.uint8)), np.zeros(0, np.int64)
    made = Benchmark(("drawn",), digests, folds, everything, *heads, nothing)
    monkeypatch.setattr(benchmark_module, "load_benchmark", lambda: made)
    count = int((folds[own] == 2).sum())
    found = evaluate_data(load_foreign(home.describe()), unseen, split="benchmark:drawn:2")
    assert (found.part, len(found.outcome), found.headline) == ("benchmark:drawn:2", count, "full")
    assert found.baselines.copies.to_json(found.outcome.labels, found.outcome.clusters)["n"] == count
    told = load_foreign(home.describe("told.yaml", trained_on="benchmark:drawn:2"))
    assert evaluate_data(told, unseen, split="benchmark:drawn:2").rows["leak_free"].all()
    told = load_foreign(home.describe("told.yaml", trained_on="benchmark:drawn:3"))
    assert not evaluate_data(told, unseen, split="benchmark:drawn:2").rows["leak_free"].any()
    monkeypatch.setattr(benchmark_module, "load_benchmark", lambda: _without(made))
    with pytest.raises(CatalogError, match="unknown to it"):
        evaluate_data(told, unseen, split="benchmark:drawn:2")


def _without(made):
    return Benchmark(made.names, made.digests[:0], made.folds[:0], made.member[:0], *_empty(made))


def _empty(made):
    return made.heads, made.head_rows, made.cheng
