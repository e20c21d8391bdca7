"""The primer says what its script measured: page, pictures and numbers agree, and the quick numbers come out again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = ROOT / "docs" / "images" / "primer" / "numbers.json"


@pytest.fixture
def make_primer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("make_primer")


@pytest.fixture
def numbers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return found


def test_page_pictures_and_numbers_agree(make_primer: ModuleType) -> None:
    assert make_primer.check() == []


def test_check_tells_of_a_changed_number(
    make_primer: ModuleType, numbers: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers["few"]["figures"]["accuracy"]["value"] = 0.99
    numbers["facts"]["matrix"]["pixels"] = 5
    changed = tmp_path / "numbers.json"
    changed.write_text(json.dumps(numbers), encoding="utf-8")
    monkeypatch.setattr(make_primer, "NUMBERS", changed)
    problems = "\n".join(make_primer.check())
    assert "matrix changed" in problems
    assert "primer.md is not what" in problems
    assert "overfitting.png does not show" in problems


def test_a_picture_drawn_again_is_the_committed_one(
    make_primer: ModuleType, numbers: dict[str, Any], tmp_path: Path
) -> None:
    draw, shown = make_primer.PICTURES["overfitting"]
    make_primer.canvas.save(draw(numbers), tmp_path / "again.png", make_primer.chosen(numbers, shown))
    again, committed = (
        np.asarray(Image.open(path).convert("L"), np.int64)
        for path in (tmp_path / "again.png", NUMBERS.parent / "overfitting.png")
    )
    assert again.shape == committed.shape
    assert np.mean(np.abs(again - committed) > 48) < 0.01  # type may be set a little differently elsewhere


def test_convolution_on_the_page_is_the_sum_of_its_nine_products(numbers: dict[str, Any]) -> None:
    shown = numbers["facts"]["convolution"]
    products = np.array(shown["window"]) * np.array(shown["kernel"])
    assert shown["sum"] == products.sum()
    assert f"the sum ({shown['sum']})" in (ROOT / "docs" / "primer.md").read_text(encoding="utf-8").replace("\n", " ")


def test_leaks_of_the_small_set_are_as_planted(numbers: dict[str, Any]) -> None:
    leaks = numbers["leak_set"]
    assert leaks["random"]["group"] == leaks["random"]["test"]
    assert leaks["grouped"]["group"] == leaks["grouped"]["twin"] == 0


def test_figures_have_their_n_and_interval(make_primer: ModuleType) -> None:
    found = {"value": 0.917, "n": 1311, "interval": [0.9, 0.934]}
    assert make_primer.figure(found) == "92% (95% interval 90 to 93, n = 1,311)"
