"""The record of a study: what a kill leaves is taken up, what failed is tried again, what is done stays."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("optuna")
from optuna.distributions import BaseDistribution, CategoricalDistribution

from tumorscope.catalog import build_catalog
from tumorscope.errors import StudyError, UsageError
from tumorscope.studies.definition import check_data, check_same, define, note_definition
from tumorscope.studies.ledger import Ledger
from tumorscope.studies.load import parse_study
from tumorscope.studies.lock import is_locked, locked
from tumorscope.studies.place import Place
from tumorscope.studies.plan import make_plan
from tumorscope.studies.search import best, distributions, draw, judge, label, run_search
from tumorscope.studies.status import read_status
from tumorscope.studies.study import Search
from tumorscope.training import load_recipe

SPACE: dict[str, BaseDistribution] = {
    "run": CategoricalDistribution(["a", "b"]),
    "seed": CategoricalDistribution([0, 1]),
}
UNITS: list[tuple[str, dict[str, Any], dict[str, BaseDistribution]]] = [
    (f"{run}/{seed}", {"run": run, "seed": seed}, SPACE) for run in "ab" for seed in (0, 1)
]


def states(folder):
    return {name: entry.state for name, entry in Ledger.read(folder, "units").items()}


def test_a_training_goes_from_waiting_to_running_to_done_or_failed(tmp_path):
    ledger = Ledger(tmp_path, "units")
    ledger.enroll(UNITS)
    ledger.begin("a/0")
    ledger.finish("a/0", 0.75, {"minutes": 1.5})
    ledger.begin("a/1")
    ledger.fail("a/1", "no such weights")
    ledger.begin("b/0")
    assert states(tmp_path) == {"a/0": "done", "a/1": "failed", "b/0": "running", "b/1": "waiting"}
    entry = ledger.entries()["a/0"]
    assert (entry.value, entry.params, entry.facts["minutes"]) == (0.75, {"run": "a", "seed": 0}, 1.5)


def test_a_ledger_that_is_opened_again_keeps_what_is_done_and_lets_failures_wait(tmp_path):
    ledger = Ledger(tmp_path, "units")
    ledger.enroll(UNITS[:3])
    ledger.begin("a/0")
    ledger.finish("a/0", 0.75, {})
    ledger.begin("a/1")
    ledger.fail("a/1", "no memory")
    ledger.begin("b/0")
    again = Ledger(tmp_path, "units")
    again.enroll(UNITS)
    assert states(tmp_path) == {"a/0": "done", "a/1": "waiting", "b/0": "running", "b/1": "waiting"}
    again.begin("b/0")
    again.finish("b/0", 0.5, {})
    assert states(tmp_path)["b/0"] == "done"


def test_another_study_in_the_same_folder_is_told_what_differs(tmp_path):
    study: dict[str, Any] = {
        "name": "s", "data": ["phantom"], "protocols": {"p": {"split": "grouped"}}, "runs": [{"name": "a"}],
    }  # fmt: skip

    def defined(seeds, hours=None):
        found = parse_study({**study, "protocols": {"p": {"split": "grouped", "seeds": seeds}}}, Path("s.yaml"))
        return define(found, make_plan(found, Path()), None, hours)

    ledger = Ledger(tmp_path, "units")
    check_same(ledger, defined([0], 9.0), tmp_path)
    check_same(ledger, defined([0]), tmp_path)  # nothing was trained yet: it is free
    note_definition(ledger, defined([0]))
    check_same(Ledger(tmp_path, "units"), defined([0]), tmp_path)
    study |= {"title": "Mended", "published": {"value": 0.9}}
    study["runs"][0]["note"] = "mended too"
    check_same(ledger, defined([0]), tmp_path)  # words are free
    study["runs"].append({"name": "b"})
    check_same(ledger, defined([0]), tmp_path)  # and it may grow
    note_definition(ledger, defined([0]))
    study["runs"].pop()
    with pytest.raises(StudyError, match=r"runs\.b is no longer there"):
        check_same(ledger, defined([0]), tmp_path)
    ledger.enroll([("a/grouped-seed0", {"run": "a", "seed": 0}, SPACE)])
    ledger.finish("a/grouped-seed0", 0.5, {})
    study["runs"] = [{"name": "a", "set": {"schedule.epochs": 3}}, {"name": "b"}]
    with pytest.raises(StudyError, match=r"recipes\.a\.schedule\.epochs was 4, now 3"):
        check_same(ledger, defined([0]), tmp_path)
    study["runs"] = [{"name": "a"}, {"name": "b", "set": {"schedule.epochs": 3}}]
    assert check_same(ledger, defined([0]), tmp_path) == ["b"]  # nothing of it is done: it may be mended
    study["runs"] = [{"name": "a"}, {"name": "b"}]
    assert check_same(ledger, defined([0]), tmp_path) == []
    with pytest.raises(StudyError, match=r"study.protocols.p.seeds was \[0\], now \[0, 1\]"):
        check_same(ledger, defined([0, 1]), tmp_path)
    with pytest.raises(StudyError, match="cpu_hours was null, now 2"):
        check_same(ledger, defined([0], 2.0), tmp_path)


def test_a_study_may_grow_by_protocols_and_by_runs_that_take_part_in_more_of_them(tmp_path):
    def defined(taken, *protocols):
        runs = [{"name": "a", "protocols": taken}, {"name": "b"}]
        values = {"name": "s", "data": ["phantom"], "protocols": {name: {"split": name} for name in protocols}}
        found = parse_study({**values, "runs": runs}, Path("s.yaml"))
        return define(found, make_plan(found, Path()), None, None)

    ledger = Ledger(tmp_path, "units")
    note_definition(ledger, defined(["random"], "random", "grouped"))
    for grown in (
        defined(["random", "grouped"], "random", "grouped"),
        defined(None, "random", "grouped"),
        defined(["random"], "random", "grouped", "official"),
    ):
        check_same(ledger, grown, tmp_path)
    with pytest.raises(StudyError, match=r"runs\.a\.random is no longer there"):
        check_same(ledger, defined(["grouped"], "random", "grouped"), tmp_path)
    with pytest.raises(StudyError, match=r"study\.protocols\.grouped is no longer there"):
        check_same(ledger, defined(["random"], "random"), tmp_path)


def test_a_study_does_not_go_on_with_other_data(tmp_path):
    catalog, ledger = build_catalog(["phantom:96"]), Ledger(tmp_path, "units")
    check_data(ledger, "one", build_catalog(["phantom:48"]), tmp_path)
    check_data(ledger, "one", catalog, tmp_path)  # nothing was trained on the first
    note_definition(ledger, {})
    shuffled = catalog.with_table(catalog.table.iloc[::-1])
    check_data(Ledger(tmp_path, "units"), "one", shuffled, tmp_path)
    table = catalog.table.assign(sha256=catalog.table["sha256"].where(catalog.table.index > 0, "0" * 64))
    with pytest.raises(StudyError, match="begun on other data"):
        check_data(Ledger(tmp_path, "units"), "one", catalog.with_table(table), tmp_path)


def test_one_process_at_a_time_has_the_folder(tmp_path):
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(UsageError, match="another process"), locked(tmp_path):
            pass
    assert not is_locked(tmp_path)


def test_status_tells_what_a_killed_study_left(tmp_path):
    ledger = Ledger(tmp_path, "units")
    ledger.enroll(UNITS[:2])
    ledger.begin("a/0")
    run = tmp_path / "runs" / "a" / "0"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text("recipe: {schedule: {epochs: 6}}\n")
    (run / "log.csv").write_text("epoch,loss\n1,0.5\n2,0.4\n")
    first, second = read_status(tmp_path).trainings
    assert (first.state, first.epoch, first.epochs) == ("stopped", 2, 6)
    assert second.state == "waiting"
    with locked(tmp_path):
        assert read_status(tmp_path).trainings[0].state == "running"
    with pytest.raises(StudyError, match="holds no study"):
        read_status(tmp_path / "runs")


def test_a_search_draws_the_same_again_and_keeps_to_its_space(tmp_path):
    search = Search.model_validate(
        {"trials": 6, "space": {"schedule.lr": {"low": 1e-4, "high": 1e-2, "log": True}, "network.width": [16, 32]}}
    )
    ledger = Ledger(tmp_path, "search")
    for number in range(5):
        params = draw(search, number, ledger.entries())
        assert params == draw(search, number, Ledger(tmp_path, "search").entries())
        assert 1e-4 <= params["schedule.lr"] <= 1e-2
        assert params["network.width"] in (16, 32)
        ledger.enroll([(label(number), params, distributions(search))])
        ledger.begin(label(number))
        ledger.finish(label(number), [0.5, 0.9, 0.7, 0.9, 0.6][number], {})
    assert len({entry.params["schedule.lr"] for entry in ledger.entries().values()}) == 5
    assert best(search, ledger.entries()).label == label(1), "of equals the first"


def test_what_a_search_chose_stays_when_a_failed_trial_would_do_better_now(tmp_path, monkeypatch):
    search = {"recipe": "smoke", "trials": 2, "space": {"schedule.lr": {"low": 1e-4, "high": 1e-2}}}
    protocols = {"p": {"split": "grouped"}}
    found = parse_study({"name": "s", "data": ["phantom"], "protocols": protocols, "search": search}, Path("s.yaml"))
    place, scores = Place(tmp_path, ("phantom",), 1), {0: 0.6}

    def trained(ledger, trainings, count, judge, say):
        for training in trainings:
            label, number = training.label, int(training.label[-3:])
            ledger.begin(label)
            ledger.finish(label, scores[number], {}) if number in scores else ledger.fail(label, "no memory")

    monkeypatch.setattr("tumorscope.studies.search.train_and_record", trained)
    monkeypatch.setattr(Place, "training", lambda self, name, *_, **__: SimpleNamespace(label=name))
    recipe = load_recipe("smoke")
    first = run_search(found, recipe, place)
    scores[1] = 0.9
    again = run_search(found, recipe, place)
    assert "best of 1 trials" in first.note
    assert (again.recipe, again.note) == (first.recipe, first.note)


def test_a_trial_is_judged_at_the_epoch_that_is_kept(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,val_loss,val_accuracy\n1,0.9,0.5\n2,0.4,0.7\n3,0.6,0.8\n")
    space = {"schedule.lr": [0.1]}
    assert judge(Search.model_validate({"space": space}), tmp_path / "log.csv") == 0.7
    assert judge(Search.model_validate({"space": space, "by": "val_loss"}), tmp_path / "log.csv") == 0.4
    (tmp_path / "log.csv").write_text("epoch,val_loss,val_accuracy\n1,,0.1\n2,0.4,0.7\n3,0.4,0.8\n4,0.6,0.9\n")
    assert judge(Search.model_validate({"space": space}), tmp_path / "log.csv") == 0.8, "of equals the last is kept"


@pytest.mark.parametrize("name", ["wh?t", "{x}", "a%20b", "ok#1", "\u00e9tude"])
def test_a_record_lies_in_its_folder_whatever_that_is_called(tmp_path, name):
    ledger = Ledger(tmp_path / name, "units")
    ledger.enroll(UNITS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "study.db").is_file()
    assert len(states(tmp_path / name)) == len(UNITS)


FILLED = """
import sys
from pathlib import Path
from tumorscope.errors import OutputError
from tumorscope.studies.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), "units")
with (Path(sys.argv[1]) / "other").open("wb", buffering=0) as other:
    try:
        while True:
            other.write(bytes(1024))
    except OSError:
        pass
try:
    for number in range(100):
        ledger.note(f"fact {number}", "x" * 2000)
except OutputError as error:
    print(error)
"""


def test_a_full_disk_is_told_in_a_line(on_a_small_disk):
    done = on_a_small_disk(FILLED, kilobytes=1000)
    assert "study.db: cannot be written (database or disk is full); make room, then run the study again" in done.stdout
    assert done.returncode == 0, done.stderr


def test_a_record_that_was_damaged_after_it_was_opened_is_told(tmp_path):
    ledger = Ledger(tmp_path, "units")
    ledger.enroll(UNITS)
    file = tmp_path / "study.db"
    file.write_bytes(file.read_bytes()[:8192] + b"\xff" * (file.stat().st_size - 8192))
    with pytest.raises(StudyError, match=r"study\.db: cannot be read as the record of a study \("):
        ledger.entries()
    with pytest.raises(StudyError, match=r"study\.db: cannot be read as the record of a study \("):
        read_status(tmp_path)
