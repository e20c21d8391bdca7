"""The whole way from a folder to a model file, on the phantom."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")
from tumorscope.errors import CatalogError, RecipeError, UsageError
from tumorscope.model_file import read_model
from tumorscope.training import load_recipe, train
from tumorscope.training.run import _kept_aside

TINY = {
    "schedule.epochs": 3, "spec.side": 64, "network.width": 16, "schedule.batch": 8, "exclude_patients": ["P7"],
    "never_shown": ["CT"],
}  # fmt: skip
DATA = "phantom:96"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(DATA, recipe="smoke", out=tmp_path_factory.mktemp("run") / "run", overrides=TINY)


def test_a_run_folder_holds_what_the_design_says(run):
    names = {path.name for path in run.folder.iterdir()}
    assert {"recipe.yaml", "catalog.csv", "log.csv", "last.ckpt", "best.ckpt", "model.onnx", "curves.png"} <= names
    assert not [name for name in names if name.startswith(".")], "no temporary file is left"
    assert list(pd.read_csv(run.folder / "log.csv")["epoch"]) == [1, 2, 3]


def test_the_card_knows_what_was_trained_on(run):
    model = read_model(run.model)
    catalog = pd.read_csv(run.folder / "catalog.csv")
    assert sum(model.card.training.sets.values()) <= (catalog["split"] == "train").sum()
    assert model.card.classes == ("glioma", "meningioma", "notumor", "pituitary")
    assert model.card.thresholds.outlier > 0
    assert len(model.prints) > 0
    assert model.card.never_shown == ("the patients P7", "CT"), "what was kept aside, then what the recipe says"


def test_a_set_whose_twins_were_left_out_is_named_without_its_folder():
    kept_aside = load_recipe("smoke", {"exclude_twins_of": ["/data/outside"], "exclude_patients": ["A", "B"]})
    assert list(_kept_aside(kept_aside)) == [
        "outside and the twins of its slices that were found before training",
        "the patients A, B",
    ]


def test_the_exported_graph_says_what_torch_says(run):
    import torch

    from tumorscope.training.checkpoints import read_checkpoint
    from tumorscope.training.network import Network

    model = read_model(run.model)
    images = np.load(run.folder / "cache" / "images.npy")[:50]
    network = Network(run.recipe.network, 4, run.recipe.spec.side)
    state = read_checkpoint(run.folder / "best.ckpt")["state_dict"]
    network.load_state_dict({k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")})
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(images).permute(0, 3, 1, 2).float()).logits
    ours = model.run(images)["probabilities"]
    np.testing.assert_allclose(ours, torch.softmax(logits / model.card.temperature, 1).numpy(), atol=1e-4)


def test_a_killed_run_resumes_and_ends_bit_equal(run, tmp_path):
    out = tmp_path / "killed"
    code = (
        "import sys; from tumorscope.training import train; "
        f"train({DATA!r}, recipe='smoke', out=sys.argv[1], overrides={TINY!r}, resume=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(out)])
    while process.poll() is None and not (out / "last.ckpt").exists():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    train(DATA, recipe="smoke", out=out, overrides=TINY, resume=True)
    assert (out / "log.csv").read_text() == (run.folder / "log.csv").read_text()
    ours, theirs = read_model(out / "model.onnx"), read_model(run.model)
    images = np.load(out / "cache" / "images.npy")[:20]
    for name, values in ours.run(images).items():
        np.testing.assert_array_equal(values, theirs.run(images)[name])
    assert ours.card == theirs.card


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    restless = {"schedule.epochs": 30, "schedule.patience": 1, "schedule.lr": 0.03, "schedule.backbone_lr": 0.03}
    first = train("phantom:48", recipe="smoke", out=tmp_path / "run", overrides={**TINY, **restless})
    log, model = (first.folder / "log.csv").read_bytes(), first.model.read_bytes()
    losses = pd.read_csv(first.folder / "log.csv")["val_loss"].tolist()
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 2, "one epoch without a lower loss was waited for"
    again = train("phantom:48", recipe="smoke", out=first.folder, overrides={**TINY, **restless}, resume=True)
    assert (again.folder / "log.csv").read_bytes() == log
    assert again.model.read_bytes() == model


def test_a_full_run_folder_is_not_overwritten(run):
    with pytest.raises(UsageError, match="not empty"):
        train(DATA, recipe="smoke", out=run.folder, overrides=TINY)


def test_another_data_set_cannot_resume_a_run(run):
    with pytest.raises(UsageError, match="was started on"):
        train("phantom:32", recipe="smoke", out=run.folder, overrides=TINY, resume=True)


def test_a_class_with_one_image_is_an_error_that_names_it(tmp_path, phantom_folder):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(phantom_folder, data)
    index = data / "index.csv"
    first = index.read_text().splitlines()[1].split(",")[0]
    shutil.copy(data / first, data / "one.png")
    index.write_text(index.read_text() + "one.png,rare,p9999,T2,axial,\n")
    with pytest.raises(CatalogError, match="rare"):
        train(data, recipe="smoke", out=tmp_path / "run", overrides=TINY)


@pytest.fixture
def phantom_folder(tmp_path):
    from tumorscope.catalog.phantom import write_phantom

    folder: Path = tmp_path / "phantom"
    write_phantom(folder, 48, seed=3, side=96)
    return folder


def test_a_training_that_diverges_says_what_to_lower(tmp_path):
    wild = {**TINY, "schedule.epochs": 1, "schedule.lr": 1e30, "schedule.backbone_lr": 1e30}
    with pytest.raises(RecipeError, match="diverged"):
        train("phantom:48", recipe="smoke", out=tmp_path / "run", overrides=wild)
