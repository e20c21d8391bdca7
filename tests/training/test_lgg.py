"""The three sequences of the LGG set, from its folders to findings."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

pytest.importorskip("torch")
from tumorscope.inference import load
from tumorscope.scans import open_scan
from tumorscope.training import train

RECIPE = {
    "name": "lgg-small",
    "classes": ["notumor", "tumor"],
    "spec": {"side": 64, "channels": "lgg", "window": "none", "crop": False, "fit": "stretch"},
    "network": {
        "backbone": "test_resnet",
        "weights": "none",
        "width": None,
        "dropout": 0,
        "outline": False,
        "output": "sigmoid",
        "head": [{"linear": 32}, "relu", {"dropout": 0.2}, {"linear": 16}, {"dropout": 0.2}],
    },
    "schedule": {
        "epochs": 2,
        "frozen_epochs": 0,
        "frozen_stages": 1,
        "batch": 8,
        "optimizer": "sgd",
        "momentum": 0.5,
        "lr": 0.01,
        "backbone_lr": 0.01,
        "decay": "constant",
        "warmup": 0,
        "ema": None,
        "precision": "fp32",
    },
}


@pytest.mark.real_data
def test_three_sequences_go_from_folders_to_findings(data_root, tmp_path):
    patients = sorted(path for path in (data_root / "lgg_kaggle_3m").iterdir() if path.is_dir())[::12]
    data = tmp_path / "lgg_kaggle_3m"
    for patient in patients:
        shutil.copytree(patient, data / patient.name)
    (tmp_path / "lgg.yaml").write_text(yaml.safe_dump(RECIPE))
    run = train(data, recipe=tmp_path / "lgg.yaml", out=tmp_path / "run", overrides={"augment.flip": 0})
    model = load(run.model)
    assert model.card.spec.depth == 3

    table = pd.read_csv(run.folder / "catalog.csv")
    test = table[table["split"] == "test"]
    files = [str(data / path) for path in test["path"]]
    findings = model.predict(files)
    assert [finding.file for finding in findings] == files
    assert {finding.status for finding in findings} <= {"ok", "refused"}
    assert len({round(finding.tumor_probability, 4) for finding in findings}) > 10, "slices differ"

    figures = json.loads((run.folder / "metrics.json").read_text())
    assert figures["full"]["accuracy"]["n"] == len(test)

    several = [file for file in files if open_scan(file).header.sequences]
    alike = [file for file in files if not open_scan(file).header.sequences]
    assert len(several) > len(alike), "few patients lack a sequence, and these still get an answer"


def test_a_network_of_three_sequences_sees_each_of_them():
    import torch

    from tumorscope.training.network import Network
    from tumorscope.training.recipe import parse_recipe

    recipe = parse_recipe(RECIPE, Path("lgg.yaml"))
    torch.manual_seed(0)
    network = Network(recipe.network, 2, 64).eval()
    said = []
    for channel in range(3):
        images = torch.zeros(1, 3, 64, 64)
        images[0, channel, 20:40, 20:40] = 255
        with torch.no_grad():
            said.append(network(images).embedding.numpy())
    assert not np.allclose(said[0], said[1])
    assert not np.allclose(said[1], said[2])
