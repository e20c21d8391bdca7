"""Runs over HTTP from a real server: real evaluations, broken files, hostile names, pictures that moved or changed."""

import csv
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import httpx
import numpy as np
import pytest


@pytest.fixture(scope="module")
def place(tmp_path_factory, evaluated):
    """The data root and the runs, and among them broken ones, hidden ones and links out."""
    place = tmp_path_factory.mktemp("place") / "copy"
    shutil.copytree(evaluated, place)
    evaluated = place / "runs" / "evaluated"
    broken = {
        "no-json": {"metrics.json": b"{" * 100_000},
        "a-list": {"metrics.json": b"[]"},
        "no-text": {"metrics.json": b"\xff\xfe\x00", "findings.csv": b"\xff\x00"},
        "odd": {"metrics.json": b'{"headline": {"accuracy":NaN,"n":1e999}, "headline_split": "full", "x": "\\ud800"}'},
        "half": {"metrics.json": (evaluated / "metrics.json").read_bytes(), "findings.csv": b"path,label\n1,2\n",
                 "recipe.yaml": b"a: &a [1]\nb: [*a, *a]\n", "log.csv": b"epoch,epoch\n1,2\n"},
        "wild": {"metrics.json": (evaluated / "metrics.json").read_bytes(), "findings.csv": b'"' + b"x" * 200_000,
                 "recipe.yaml": b"\x00", "log.csv": b"epoch,loss\n1\n\n2,x,3\n"},
    }  # fmt: skip
    for name, files in broken.items():
        for file, data in files.items():
            (place / "runs" / name).mkdir(exist_ok=True)
            (place / "runs" / name / file).write_bytes(data)
    outside = place / "outside"
    shutil.copytree(evaluated, outside / "secret")
    (place / "runs" / "out").symlink_to(outside / "secret")
    (place / "runs" / "half" / "report.html").symlink_to(outside / "secret" / "report.html")
    (place / "runs" / ".hidden").mkdir()
    shutil.copy(evaluated / "metrics.json", place / "runs" / ".hidden")
    (place / "runs" / "cache").mkdir()
    shutil.copy(evaluated / "metrics.json", place / "runs" / "cache")
    return place


@pytest.fixture(scope="module")
def client(served, place, quadrant_model):
    address = served("--runs", place / "runs", "--data-root", place / "data", "--model", quadrant_model)
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def metrics(place):
    return json.loads((place / "runs" / "first" / "metrics.json").read_text())


def test_the_list_names_runs_evaluations_and_studies_and_nothing_that_leads_out(client):
    listed = client.get("/v1/runs").json()
    kinds = {run["name"]: (run["kind"], run["study"]) for run in listed["runs"]}
    assert kinds == {
        "first": ("run", None), "evaluated": ("evaluation", None), "study": ("study", None),
        "study/runs/a/grouped-seed0": ("run", "study"), "no-json": ("evaluation", None), "a-list": ("evaluation", None),
        "no-text": ("evaluation", None), "odd": ("evaluation", None), "half": ("run", None), "wild": ("run", None),
    }  # fmt: skip
    assert listed["is_given"]


def test_the_headline_stands_beside_its_floors(client, metrics):
    run = next(run for run in client.get("/v1/runs").json()["runs"] if run["name"] == "first")
    split = metrics["headline_split"]
    assert run["headline"]["figures"]["accuracy"] == metrics["headline"]["accuracy"]
    assert run["headline"]["split"] == split
    for floor in ("copy_baseline", "source_probe"):
        expected = metrics[floor]["by_split"][split]
        assert run["headline"][floor] == (expected if expected["accuracy"] is not None else None)
    assert (run["title"], run["is_done"], run["problem"]) == ("mine on shapes", True, None)


def test_a_broken_run_stands_in_the_list_with_its_reason(client):
    problems = {run["name"]: run["problem"] for run in client.get("/v1/runs").json()["runs"]}
    assert problems["no-json"] == "metrics.json: is not readable JSON; make the run's results anew"
    assert problems["a-list"].startswith("metrics.json: does not hold")
    assert problems["no-text"].startswith("metrics.json: is not text")
    assert problems["first"] is None


def test_a_run_is_told_whole(client, metrics):
    run = client.get("/v1/runs/first").json()
    assert run["metrics"] == metrics
    assert run["log"] == {
        "epoch": [1, 2, 3], "loss": [0.9, 0.5, 0.25], "val_accuracy": [0.5, 0.75, 0.875], "val_loss": [0.8, None, 0.25],
    }  # fmt: skip
    assert run["problems"] == []
    assert set(run["files"]) == {"report.html", "metrics.json", "findings.csv", "log.csv"}


def test_the_mistakes_are_the_wrong_answers_the_surest_first(client, place, metrics):
    rows = list(csv.DictReader((place / "runs" / "first" / "findings.csv").open()))
    wrong = [row for row in rows if row["right"] == "False"]
    told = client.get("/v1/runs/first/mistakes", params={"limit": 60}).json()
    confusion = metrics["confusion"]
    diagonal = sum(
        counts[confusion["called"].index(name)]
        for name, counts in zip(confusion["labels"], confusion["counts"], strict=True)
    )
    assert told["count"] == len(wrong) == metrics["full"]["accuracy"]["n"] - diagonal > 10
    assert len(told["mistakes"]) == min(60, len(wrong))
    certainty = [mistake["certainty"] for mistake in told["mistakes"]]
    assert certainty[0] == pytest.approx(max(float(row["certainty"]) for row in wrong))
    first = client.get("/v1/runs/first").json()["mistakes"]
    assert first["mistakes"] == told["mistakes"][:12]
    page = client.get("/v1/runs/first/mistakes", params={"limit": 5, "offset": 7}).json()
    assert page["mistakes"] == told["mistakes"][7:12]


def test_a_cell_of_the_confusion_matrix_gives_its_mistakes(client, metrics):
    confusion = metrics["confusion"]
    for label, counts in zip(confusion["labels"], confusion["counts"], strict=True):
        for called, count in zip(confusion["called"], counts, strict=True):
            told = client.get("/v1/runs/first/mistakes", params={"label": label, "called": called}).json()
            assert told["count"] == (0 if label == called else count)
            assert {(m["label"], m["called"]) for m in told["mistakes"]} <= {(label, called)}


def test_a_mistake_is_shown_where_its_file_lies_under_a_data_root_unchanged(client, place):
    mistakes = client.get("/v1/runs/first").json()["mistakes"]["mistakes"]
    answer = client.get(mistakes[0]["picture"])
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    own = cv2.imread(str(place / "data" / "shapes" / mistakes[0]["path"]), cv2.IMREAD_GRAYSCALE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert np.abs(shown.astype(float) - cv2.resize(own, (320, 320))).mean() < 5
    file = place / "data" / "shapes" / mistakes[1]["path"]
    before = file.read_bytes()
    try:
        file.write_bytes(before + b" ")
        again = client.get("/v1/runs/first").json()["mistakes"]["mistakes"]
        assert again[1]["picture"] is None
        assert client.get(mistakes[1]["picture"]).status_code == 404
        file.unlink()
        assert client.get(mistakes[1]["picture"]).status_code == 404
    finally:
        file.write_bytes(before)


def test_without_a_data_root_mistakes_have_words_and_no_picture(served, place, quadrant_model):
    with httpx.Client(base_url=served("--runs", place / "runs", "--model", quadrant_model), timeout=60) as client:
        run = client.get("/v1/runs/first").json()
        assert {mistake["picture"] for mistake in run["mistakes"]["mistakes"]} == {None}
        assert client.get("/v1/runs/first/pictures/0").status_code == 404


@pytest.mark.parametrize("row", ["0", "-1", "99999999", "x", "1e3", "%00"])
def test_pictures_of_right_answers_and_of_no_answer_are_not_served(client, place, row):
    rows = list(csv.DictReader((place / "runs" / "first" / "findings.csv").open()))
    if row == "0":
        row = str(next(number for number, found in enumerate(rows) if found["right"] == "True"))
    assert client.get(f"/v1/runs/first/pictures/{row}").status_code in (404, 422)


def test_the_report_is_sealed(client, place):
    answer = client.get("/v1/runs/first/report.html")
    assert answer.content == (place / "runs" / "first" / "report.html").read_bytes()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"<script" not in answer.content


def test_a_study_has_its_table_and_its_runs(client):
    study = client.get("/v1/runs/study").json()
    assert study["leaderboard"] == {
        "columns": ["run", "protocol", "value"], "rows": [["a", "honest", "0.9"], ["b", "honest", "0.8"]],
    }  # fmt: skip
    inner = client.get("/v1/runs/study/runs/a/grouped-seed0").json()
    assert (inner["study"], inner["metrics"]["command"]) == ("study", "as tested")
    assert client.get("/v1/runs/study/runs/a/grouped-seed0/report.html").status_code == 200
    assert client.get("/v1/runs/study/runs/a/grouped-seed0/mistakes").json()["count"] > 0


@pytest.mark.parametrize(
    ("name", "file", "problem"),
    [
        ("no-json", "metrics.json", "is not readable JSON"), ("no-text", "metrics.json", "is not text"),
        ("half", "findings.csv", "lacks the columns"), ("half", "log.csv", "no head of different columns"),
        ("wild", "findings.csv", "is not a readable CSV"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_and_the_rest_is_told(client, name, file, problem):
    answer = client.get(f"/v1/runs/{name}")
    assert answer.status_code == 200
    assert any(line.startswith(f"{file}: ") and problem in line for line in answer.json()["problems"])
    if file == "findings.csv":
        assert answer.json()["metrics"]["headline"]["accuracy"]
        assert client.get(f"/v1/runs/{name}/mistakes").status_code == 422


def test_odd_numbers_and_odd_text_are_told_as_json(client):
    run = client.get("/v1/runs/odd").json()
    assert run["metrics"] == {"headline": {"accuracy": None, "n": None}, "headline_split": "full", "x": "\ud800"}
    assert run["headline"] is None
    assert client.get("/v1/runs/wild").json()["log"] == {"epoch": [1, 2], "loss": [None, None]}


@pytest.mark.parametrize(
    "name",
    ["nothing", "out", "..", "%2e%2e", "..%2f..%2fetc", "%2fetc", "first%00", "first%0ax", ".hidden",
     "first%2f..%2f..%2fout", "%e2%80%aefirst", "first/../../outside", "C:%5c", "x" * 3000],
)  # fmt: skip
def test_names_that_lead_out_are_not_found(client, name):
    for ending in ("", "/report.html", "/metrics.json", "/mistakes", "/pictures/1"):
        answer = client.get(f"/v1/runs/{name}{ending}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("file", ["best.ckpt", "recipe.yaml", "model.onnx", "report.html%00"])
def test_other_files_are_not_served(client, place, file):
    (place / "runs" / "first" / "best.ckpt").write_bytes(b"1")
    assert client.get(f"/v1/runs/first/{file}").status_code == 404


def test_a_file_that_is_a_link_out_is_not_served(client):
    assert client.get("/v1/runs/half/report.html").status_code == 404
    assert "report.html" not in client.get("/v1/runs/half").json()["files"]


def test_huge_files_are_refused_with_their_size(client, place):
    folder = place / "runs" / "huge"
    folder.mkdir()
    try:
        with (folder / "metrics.json").open("wb") as file:
            file.truncate(40_000_000)
        with (folder / "findings.csv").open("wb") as file:
            file.truncate(500_000_000)
        assert client.get("/v1/runs/huge").json()["problems"] == [
            "metrics.json: is larger than 30.0 MB; make the run's results anew"
        ]
        assert client.get("/v1/runs/huge/mistakes").status_code == 422
    finally:
        shutil.rmtree(folder)


def test_a_folder_that_is_a_run_itself_goes_by_its_own_name(served, place, quadrant_model):
    with httpx.Client(base_url=served("--runs", place / "runs" / "first", "--model", quadrant_model)) as client:
        assert [run["name"] for run in client.get("/v1/runs").json()["runs"]] == ["first"]
        assert client.get("/v1/runs/first").json()["metrics"]["command"] == "as tested"
        assert client.get("/v1/runs/first/report.html").status_code == 200


def test_without_runs_there_is_nothing(served, quadrant_model):
    with httpx.Client(base_url=served("--model", quadrant_model)) as client:
        assert client.get("/v1/runs").json() == {"is_given": False, "runs": []}
        assert client.get("/v1/runs/first").status_code == 404


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_are_named(client, place):
    file = place / "runs" / "evaluated" / "findings.csv"
    file.chmod(0)
    try:
        assert "cannot be read" in client.get("/v1/runs/evaluated").json()["problems"][0]
    finally:
        file.chmod(0o644)


def test_few_pictures_are_decoded_at_one_time(here, place, monkeypatch):
    running, most = [], []

    def slow(*_):
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()
        return b"a picture"

    monkeypatch.setattr("tumorscope.serve.routes.runs.thumbnail", slow)
    server = here(runs=place / "runs", data_root=(place / "data",))
    with httpx.Client(base_url=server.address, timeout=30) as client, ThreadPoolExecutor(8) as pool:
        mistakes = client.get("/v1/runs/first").json()["mistakes"]["mistakes"]
        url = next(mistake["picture"] for mistake in mistakes if mistake["picture"])
        answers = list(pool.map(client.get, [url] * 8))
    assert {answer.content for answer in answers} == {b"a picture"}
    assert max(most) == 2
