import io
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from tumorscope.audits.audit import run_audit
from tumorscope.audits.document import AuditDocument
from tumorscope.audits.text import audit_text
from tumorscope.audits.verdict import sentences
from tumorscope.catalog.phantom import draw_phantom
from tumorscope.errors import CatalogError
from tumorscope.facade import Audit
from tumorscope.pages.audit import audit_page, write_audit
from tumorscope.pages.audit_pictures import varied
from tumorscope.pages.frame import in_frame

KEYS = {
    "layout", "images", "classes", "groups", "leaks", "label_conflicts", "unreadable", "misnamed", "atlas",
    "copy_baseline", "source_probe", "twin_groups", "empty",
}  # fmt: skip


def write(path: Path, image: np.ndarray, suffix: str = ".png") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(suffix, image)[1].tobytes())


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """Return one slice each of `count` patients."""
    return [drawn.image for drawn in draw_phantom(3 * count, seed=seed)][::3]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training and test folders of 12 and 6 slices, of which one is copied, one mirrored and one relabeled."""
    root = tmp_path_factory.mktemp("data") / "planted"
    drawn = pictures(18)
    for i, image in enumerate(drawn[:12]):
        write(root / "Training" / ("glioma" if i < 6 else "notumor") / f"{i:02}.png", image)
    for i, image in enumerate(drawn[12:]):
        write(root / "Testing" / ("glioma" if i < 3 else "notumor") / f"{i:02}.png", image)
    write(root / "Testing/glioma/copy.png", drawn[0])
    write(root / "Testing/notumor/mirrored.png", np.ascontiguousarray(drawn[7][:, ::-1]))
    write(root / "Training/notumor/relabeled.png", drawn[1])
    write(root / "Training/notumor/really_png.jpg", drawn[8])
    (root / "Training/glioma/cut.png").write_bytes((root / "Training/glioma/00.png").read_bytes()[:600])
    (root / "Testing/notumor/empty.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def audit(planted: Path) -> Audit:
    return Audit.of(run_audit(planted))


def test_summary_has_the_fixed_keys_and_counts(audit: Audit) -> None:
    assert set(audit.summary) >= KEYS
    assert audit.summary["images"] == 22
    assert audit.summary["classes"] == {"glioma": 10, "notumor": 12}
    assert audit.summary["atlas"] == {}


def test_planted_leaks_are_counted_by_kind_and_class(audit: Audit) -> None:
    leaks = audit.summary["leaks"]
    assert (leaks["split"], leaks["test_images"], leaks["exact"], leaks["near"]) == ("published", 8, 1, 2)
    assert leaks["by_class"] == {"glioma": 1, "notumor": 1}
    assert leaks["exact_by_class"] == {"glioma": 1, "notumor": 0}
    assert leaks["test_by_class"] == {"glioma": 4, "notumor": 4}


def test_pairs_name_both_files_and_what_turns_one_into_the_other(audit: Audit) -> None:
    assert list(audit.pairs.columns) == ["a", "b", "kind", "similarity", "transform"]
    found = {frozenset((row.a, row.b)): (row.kind, row.transform) for row in audit.pairs.itertuples()}
    assert found[frozenset(("Training/glioma/00.png", "Testing/glioma/copy.png"))] == ("exact", "none")
    assert found[frozenset(("Training/notumor/07.png", "Testing/notumor/mirrored.png"))] == ("near", "mirror")
    assert len(found) == 4


def test_twins_with_two_labels_are_a_conflict(audit: Audit) -> None:
    (conflict,) = audit.summary["label_conflicts"]
    labels = {conflict["a"]: conflict["label_a"], conflict["b"]: conflict["label_b"]}
    assert labels == {"Training/glioma/01.png": "glioma", "Training/notumor/relabeled.png": "notumor"}
    assert conflict["kind"] == "exact"


def test_damaged_and_misnamed_files_are_listed(audit: Audit) -> None:
    assert {row["path"] for row in audit.summary["unreadable"]} == {
        "Training/glioma/cut.png",
        "Testing/notumor/empty.jpg",
    }
    (misnamed,) = audit.summary["misnamed"]
    assert misnamed == {"path": "Training/notumor/really_png.jpg", "named": "jpg", "is": "PNG"}


def test_floors_are_measured_with_and_without_twins(audit: Audit) -> None:
    assert audit.summary["copy_baseline"]["n"] == 8
    assert audit.summary["copy_baseline_twin_free"]["n"] == 6
    assert {"accuracy", "n", "interval"} <= set(audit.summary["source_probe"])


def test_too_few_clusters_are_said_in_text_page_and_json(audit: Audit) -> None:
    few = {**audit.summary["copy_baseline"], "accuracy": 0.75, "n": 40, "interval": None, "majority": 0.5}
    changed = replace(audit, summary={**audit.summary, "copy_baseline": few, "source_probe": few})
    told = io.StringIO()
    Console(width=200, file=told).print(audit_text(changed.summary))
    assert "too few to say" in told.getvalue()
    page = audit_page(changed)
    assert "95% interval: too few to say" in page
    assert "interval: too few to say" in re.sub(r"<[^>]*>", "", page)
    assert AuditDocument.checked(changed.summary)["copy_baseline"]["interval"] is None


def test_worst_news_comes_first(audit: Audit) -> None:
    first, *rest = audit.summary["sentences"]
    assert first["level"] == "bad"
    assert first["text"].startswith("2 of 8 test images (25%) have a twin in training, 1 of them an exact copy")
    levels = [item["level"] for item in (first, *rest)]
    assert levels == sorted(levels, key=("bad", "warn", "note", "good").index)
    assert any("2 files cannot be read" in item["text"] for item in rest)


def test_files_are_written_and_say_the_same(audit: Audit, tmp_path: Path) -> None:
    write_audit(audit, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "audit.html",
        "audit.json",
        "catalog.csv",
        "pairs.csv",
    ]
    assert json.loads((tmp_path / "out/audit.json").read_text()) == audit.summary
    assert len(pd.read_csv(tmp_path / "out/catalog.csv")) == 22
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out/pairs.csv"), audit.pairs, check_dtype=False)


def test_same_files_give_the_same_audit(planted: Path, audit: Audit) -> None:
    assert run_audit(planted).summary == audit.summary


def test_page_loads_nothing_and_shows_pictures(audit: Audit) -> None:
    page = audit_page(audit)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") == 2 * 4 + 2 * 1 + 22
    assert "Research use only" in page
    assert "Training/glioma/cut.png" in page


def test_page_escapes_names(tmp_path: Path) -> None:
    for i, image in enumerate(pictures(4)):
        write(tmp_path / "<b>data" / ("glioma" if i % 2 else "notumor") / f"{i}.png", image)
    page = audit_page(run_audit(tmp_path / "<b>data"))
    assert "<b>data" not in page
    assert "&lt;b&gt;data" in page


def test_report_prints_the_figures_and_writes(audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.report(tmp_path)
    text = capsys.readouterr().out
    assert "Leaks of the published split" in text
    assert "25.0%" in text
    assert (tmp_path / "audit.html").is_file()


def test_notebook_gets_the_page_in_a_frame(audit: Audit) -> None:
    shown = audit._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert in_frame('a"b<c', "tumorscope audit").count("a&quot;b&lt;c") == 1


def test_without_a_published_split_a_random_one_is_tried(tmp_path: Path) -> None:
    for i, image in enumerate(pictures(10)):
        for copy in range(4):
            write(tmp_path / ("glioma" if i < 5 else "notumor") / f"{i}_{copy}.png", image)
    summary = run_audit(tmp_path).summary
    leaks = summary["leaks"]
    assert (leaks["split"], leaks["test_images"]) == ("random", 6)
    assert leaks["exact"] == leaks["near"] > 3
    assert summary["twins"] == {
        "pairs": 60,
        "exact_pairs": 60,
        "slices_with_a_twin": 40,
        "redundant": 30,
        "listed_whole_up_to": 20,
        "groups_listed_as_stars": 0,
        "transforms": {"none": 60},
    }
    assert summary["copy_baseline"]["accuracy"] == 1.0
    assert summary["copy_baseline_twin_free"]["accuracy"] is None
    assert any("A random split would put twins" in item["text"] for item in summary["sentences"])


def test_many_identical_and_empty_files_cost_no_more_than_their_number(tmp_path: Path) -> None:
    drawn = pictures(6)
    for i in range(60):
        part = "Training" if i % 3 else "Testing"
        write(tmp_path / part / ("glioma" if i % 2 else "notumor") / f"same_{i:02}.png", drawn[0])
        write(tmp_path / part / "notumor" / f"black_{i:02}.png", np.zeros((50, 40), np.uint8))
    write(tmp_path / "Testing/glioma/mirrored.png", np.ascontiguousarray(drawn[0][:, ::-1]))
    for i, image in enumerate(drawn[1:]):
        write(tmp_path / "Training/notumor" / f"own_{i}.png", image)
    audit = run_audit(tmp_path)
    summary = audit.summary
    assert (len(audit.pairs), summary["twins"]["pairs"]) == (60, 60)
    assert summary["twins"]["groups_listed_as_stars"] == 1
    assert [len(group) for group in summary["twin_groups"]] == [61]
    assert len(summary["empty"]) == 60
    assert all(Path(path).name.startswith("black") for path in summary["empty"])
    assert (summary["leaks"]["exact"], summary["leaks"]["near"], summary["leaks"]["test_images"]) == (20, 21, 41)
    assert len(summary["label_conflicts"]) == 30
    assert any("60 files show nothing" in item["text"] for item in summary["sentences"])
    page = audit_page(audit)
    assert "Empty: one gray level" in page
    assert "the links to the first slice" in page
    Console(file=(told := StringIO()), width=120).print(Audit.of(audit).table())
    assert "60 empty" in told.getvalue()


def test_a_large_set_of_near_twins_is_listed_as_a_star_and_leaks_as_a_whole(tmp_path: Path) -> None:
    drawn = pictures(4)
    for quality in range(70, 95):
        path = tmp_path / ("Testing" if quality % 2 else "Training") / "glioma" / f"{quality}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", drawn[0], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    for i, image in enumerate(drawn[1:]):
        write(tmp_path / "Training/notumor" / f"{i}.png", image)
    audit = run_audit(tmp_path)
    (group,) = audit.summary["twin_groups"]
    assert len(group) == 25
    assert len(audit.pairs) == 24
    assert (audit.pairs["a"] == group[0]).all()
    assert audit.summary["twins"]["pairs"] == 25 * 24 // 2
    assert audit.summary["leaks"]["near"] == 12


def test_other_set_is_found_inside_this_one(planted: Path, tmp_path: Path) -> None:
    inside, fresh = pictures(1)[0], pictures(3, seed=9)
    write(tmp_path / "other/yes/known.png", inside)
    write(tmp_path / "other/yes/new.png", fresh[0])
    for i, image in enumerate(fresh[1:]):
        write(tmp_path / "other/no" / f"{i}.png", image)
    audit = run_audit(planted, against=tmp_path / "other")
    facts = audit.summary["against"]["other"]
    assert [facts[key] for key in ("images", "exact", "near", "near_in_train", "near_in_test")] == [4, 1, 1, 1, 1]
    assert facts["by_class"]["tumor"] == {"images": 2, "exact": 1, "near": 1}
    write_audit(audit, tmp_path / "out")
    shared = pd.read_csv(tmp_path / "out/against.csv")
    assert set(shared["b"]) == {"yes/known.png"}
    assert "How much of other stands in this data" in (tmp_path / "out/audit.html").read_text()


def test_a_class_with_one_image_is_said_and_no_error(tmp_path: Path) -> None:
    drawn = pictures(6)
    write(tmp_path / "glioma/0.png", drawn[0])
    for i, image in enumerate(drawn[1:]):
        write(tmp_path / "notumor" / f"{i}.png", image)
    summary = run_audit(tmp_path).summary
    assert summary["source_probe"]["accuracy"] is None
    assert any("glioma has a single slice" in item["text"] for item in summary["sentences"])


def test_several_sets_name_the_set_of_each_path(planted: Path, tmp_path: Path) -> None:
    for i, image in enumerate(pictures(4)):
        write(tmp_path / "second" / ("glioma" if i % 2 else "notumor") / f"{i}.png", image)
    audit = run_audit([planted, tmp_path / "second"])
    assert list(audit.pairs.columns[-2:]) == ["dataset_a", "dataset_b"]
    assert audit.summary["datasets"] == {"planted": 22, "second": 4}


def test_an_empty_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=str(tmp_path)):
        run_audit(tmp_path)


def test_no_twin_at_all_is_good_news(tmp_path: Path) -> None:
    for i, image in enumerate(pictures(8)):
        write(tmp_path / ("Training", "Testing")[i % 2] / ("glioma", "notumor")[i // 4] / f"{i}.png", image)
    found = run_audit(tmp_path).summary["sentences"]
    assert {"level": "good", "text": "None of the 4 test images has a twin in training."} in found


def test_sentence_names_the_known_collection(audit: Audit) -> None:
    texts = [item["text"] for item in sentences({**audit.summary, "slices": 7023, "atlas": {"cheng": 4750}})]
    assert any(text.startswith("4,750 of 7,023 are slices of the Cheng set") for text in texts)


def test_shown_pairs_arevaried_and_late_ones_come_last() -> None:
    traits = [("glioma", "near")] * 50 + [("notumor", "near"), ("notumor", "exact")]
    assert {51, 50} < set(varied(traits, 4))
    later = np.ones(52, bool)
    later[:2] = False
    assert set(varied(traits, 2, later=later)) == {0, 1}
    assert varied([], 3) == []


@pytest.mark.real_data
def test_masoud_is_known_by_its_copies(data_root: Path) -> None:
    summary = run_audit(data_root / "masoud_7023").summary
    leaks = summary["leaks"]
    assert (leaks["test_images"], leaks["exact"]) == (1311, 216)
    assert 970 <= leaks["near"] <= 1000  # 980 by correlation at 64 pixels, which misses crops
    assert 0.95 <= summary["copy_baseline"]["accuracy"] <= 0.98
    assert summary["source_probe"]["accuracy"] > 0.6
    assert summary["atlas"]["cheng"] >= 4700
    assert len(summary["misnamed"]) == 5
