"""The evaluation page in a real browser: what it says is what metrics.json, log.csv and findings.csv hold."""

import csv
import json
import shutil

import pytest

NARROW = (390, 844)
SERIOUS = ("serious", "critical")
NAMES = {"notumor": "no tumor", "pituitary": "pituitary tumor"}


@pytest.fixture(scope="module")
def place(evaluated, tmp_path_factory):
    place = tmp_path_factory.mktemp("shown") / "copy"
    shutil.copytree(evaluated, place)
    running = place / "runs" / "running"
    running.mkdir()
    for name in ("recipe.yaml", "log.csv"):
        shutil.copy(evaluated / "runs" / "first" / name, running)
    broken = place / "runs" / "broken"
    shutil.copytree(evaluated / "runs" / "evaluated", broken)
    (broken / "findings.csv").write_text("no,such,head\n1,2,3\n")
    unread = place / "runs" / "unread"
    unread.mkdir()
    (unread / "metrics.json").write_text("{")
    return place


@pytest.fixture(scope="module")
def shown(served, place):
    return served("--runs", place / "runs", "--data-root", place / "data")


@pytest.fixture(scope="module")
def metrics(place):
    return json.loads((place / "runs" / "first" / "metrics.json").read_text())


@pytest.fixture(scope="module")
def wrong(place):
    rows = list(csv.DictReader((place / "runs" / "first" / "findings.csv").open()))
    return [row for row in rows if row["right"] == "False"]


@pytest.fixture
def run(visit, shown):
    with visit("/#/runs?name=first", at=shown) as page:
        page.locator(".tiles").wait_for()
        yield page


def test_the_list_shows_each_headline_above_its_floors(visit, shown, metrics):
    with visit("/#/runs", at=shown) as page:
        page.locator("a.run").first.wait_for()
        names = page.locator("main > ul.runs > li > a.run .run-name").all_inner_texts()
        assert sorted(names) == ["broken", "evaluated", "first", "running", "study", "unread"]
        entry = page.locator("a.run", has_text="mine on shapes").filter(has=page.locator(".run-name", has_text="first"))
        accuracy, split = metrics["headline"]["accuracy"], metrics["headline_split"]
        said = entry.locator("[role=img]").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
        low, high = (f"{100 * bound:.1f}" for bound in accuracy["interval"])
        assert said[0].startswith(f"Accuracy of the model, n = {accuracy['n']}: {accuracy['value']:.1%}, ")
        assert f"95% interval {low} to {high}%" in said[0]
        floors = [metrics[key]["by_split"][split]["accuracy"] for key in ("copy_baseline", "source_probe")]
        known = [f"{floor:.1%}" for floor in floors if floor is not None]
        assert all(floor in text for floor, text in zip(known, said[1:], strict=True))
        assert "not finished" in page.locator("a.run", has_text="running").inner_text()
        assert "cannot be read" in page.locator("a.run", has_text="unread").inner_text()
        page.locator("summary", has_text="1 run of study").click()
        page.locator("a.run", has_text="runs/a/grouped-seed0").click()
        page.locator(".tiles").wait_for()
        assert page.get_by_role("link", name="study", exact=True).count() == 1


def test_a_run_says_what_its_metrics_say(run, metrics):
    headline = metrics["headline"]
    assert run.locator(".verdict-line").inner_text() == metrics["headline_sentence"]
    assert run.locator(".sentences li > span:last-child").all_inner_texts() == [
        note["text"] for note in metrics["notes"]
    ]
    tiles = dict(
        zip(run.locator(".tile dt").all_inner_texts(), run.locator(".tile dd.number").all_inner_texts(), strict=True)
    )
    assert tiles["Accuracy"] == f"{headline['accuracy']['value']:.1%}"
    assert tiles["AUC, tumor against none"] == f"{headline['auc']['value']:.3f}"
    assert tiles["Sensitivity"] == f"{headline['sensitivity']['value']:.1%}"
    rows = run.locator("table:has-text('Figures by class') tbody tr")
    for row in rows.all():
        cells = row.locator("td").all_inner_texts()
        key = {"tumor of any kind": "tumor", **{name: key for key, name in NAMES.items()}}.get(
            cells[0].split("\n")[0], cells[0].split("\n")[0]
        )
        for cell, name in zip(cells[1:], ("precision", "recall", "f1", "auc"), strict=True):
            figure = metrics["per_class"][key].get(name)
            assert cell.startswith("–" if figure is None else f"{figure['value']:.1%}")


def test_the_matrix_holds_the_counts_and_its_cells_show_their_mistakes(run, metrics, wrong):
    found = metrics["confusion"]
    cells = [int(text.split("\n")[0].replace(",", "")) for text in run.locator(".cell > span").all_inner_texts()]
    assert cells == [n for counts in found["counts"] for n in counts]
    label, called = wrong[0]["label"], wrong[0]["called"]
    count = found["counts"][found["labels"].index(label)][found["called"].index(called)]
    run.get_by_role(
        "button", name=f"{count} of {NAMES.get(label, label)} called {NAMES.get(called, called)}: show them"
    ).click()
    run.locator("#mistakes [role=status]", has_text=f"{count} wrong answer").wait_for()
    assert run.locator("#mistakes").bounding_box()["y"] < run.viewport_size["height"] / 2
    assert run.locator(".topbar").bounding_box()["y"] == 0
    captions = run.locator(".shot figcaption > span:nth-child(-n+2)").all_inner_texts()
    assert set(captions[::2]) == {NAMES.get(label, label)}
    assert all(text.startswith(f"called {NAMES.get(called, called)},") for text in captions[1::2])
    run.locator("#mistakes").get_by_role("button", name=f"{NAMES.get(label, label)} called").click()
    run.locator("#mistakes [role=status]", has_text=f"{len(wrong)} wrong answers").wait_for()


def test_the_worst_mistakes_are_the_surest_with_pictures(run, wrong, loaded):
    loaded(run, ".shot img", 12)
    surest = max(wrong, key=lambda row: float(row["certainty"]))
    first = run.locator(".shot").first
    assert first.locator(".name").get_attribute("title") == f"shapes/{surest['path']}"
    assert f", {float(surest['certainty']):.0%}" in first.inner_text()
    assert {
        tuple(size)
        for size in run.locator(".shot img").evaluate_all(
            "all => all.map((one) => [one.naturalWidth, one.naturalHeight])"
        )
    } == {(320, 320)}
    titles = run.locator(".shot .name").evaluate_all("all => all.map(({ title }) => title)")
    run.locator("#mistakes").get_by_role("button", name="Next page").click()
    run.locator("#mistakes .pager", has_text="13 to").wait_for()
    run.wait_for_function("before => document.querySelector('.shot .name').title !== before", arg=titles[0])
    assert not set(titles) & set(run.locator(".shot .name").evaluate_all("all => all.map(({ title }) => title)"))


def test_pictures_that_have_gone_are_words(visit, served, place):
    address = served("--runs", place / "runs")
    with visit("/#/runs?name=first", at=address) as page:
        page.locator(".shot").first.wait_for()
        assert page.locator(".shot img").count() == 0
        assert page.locator(".shot .missing").count() == page.locator(".shot").count() == 12
        assert "under a data root" in page.locator("#mistakes [role=status]").inner_text()


def test_the_learning_curves_hold_the_log(run):
    section = run.locator("section:has(h2:text-is('How it learned'))")
    assert "Epoch 3 was kept" in section.inner_text()
    for summary in section.locator("summary").all():
        summary.click()
    tables = {
        table.locator("caption").inner_text(): [row.inner_text().split("\t") for row in table.locator("tbody tr").all()]
        for table in section.locator(".chart").first.locator("table").all()
    }
    assert tables == {
        "training": [["1", "0.900"], ["2", "0.500"], ["3", "0.250"]],
        "validation": [["1", "0.800"], ["3", "0.250"]],
    }
    path = section.locator("svg .line.main path").first.get_attribute("d")
    xs = [float(part.split()[0]) for part in path.replace("M", "").split("L")]
    ys = [float(part.split()[1]) for part in path.replace("M", "").split("L")]
    assert xs == sorted(xs)
    assert len(ys) == 2
    assert ys[0] < ys[1]  # a falling loss goes down on the screen


def test_curves_start_and_end_where_they_must(run, metrics):
    section = run.locator("section:has(h2:text-is('Curves and calibration'))")
    titles = section.locator("h3").all_inner_texts()
    assert titles == [
        "Tumors found against false alarms",
        "True alarms against tumors found",
        "Stated against true",
        "Accuracy when only the surest count",
    ]
    roc = section.locator(".chart").first
    roc.locator("summary").click()
    rows = roc.locator("table").first.locator("tbody tr").all_inner_texts()
    assert (rows[0], rows[-1]) == ("0.0%\t0.0%", "100.0%\t100.0%")
    assert f"{metrics['headline']['ece']['value']:.1%} (calibration error)" in section.inner_text()


def test_downloads_and_the_report(run, place):
    with run.expect_download() as waiting:
        run.get_by_role("button", name="metrics.json").click()
    assert waiting.value.path().read_bytes() == (place / "runs" / "first" / "metrics.json").read_bytes()
    with run.context.expect_page() as opened:
        run.get_by_role("link", name="Whole report").click()
    report = opened.value
    report.wait_for_load_state()
    assert report.evaluate("getComputedStyle(document.querySelector('.tile')).borderRadius") == "14px"
    assert (
        report.evaluate("[...document.images].filter(({ complete, naturalWidth }) => complete && !naturalWidth).length")
        == 0
    )


def test_an_unfinished_training_shows_how_far_it_learned(visit, shown):
    with visit("/#/runs?name=running", at=shown) as page:
        page.get_by_text("So far it has done 3 epochs").wait_for()
        assert page.locator("svg .line.main path").count() == 2
        assert page.locator(".tiles").count() == 0


def test_a_study_shows_its_table_and_its_trainings(visit, shown):
    with visit("/#/runs?name=study", at=shown) as page:
        page.locator("a.run").wait_for()
        rows = page.locator("table:has-text('Leaderboard') tbody tr").all_inner_texts()
        assert rows == ["a\thonest\t0.9", "b\thonest\t0.8"]
        page.get_by_role("button", name="value").click()
        assert page.locator("table:has-text('Leaderboard') tbody tr").first.inner_text().startswith("b")


def test_broken_files_are_named_and_the_rest_is_shown(visit, shown):
    with visit("/#/runs?name=broken", at=shown) as page:
        page.locator(".tiles").wait_for()
        assert "findings.csv: lacks the columns" in page.locator("[role=alert]").inner_text()
        assert page.locator(".shot").count() == 0
    with visit("/#/runs?name=unread", at=shown) as page:
        assert "metrics.json: is not readable JSON" in page.locator("[role=alert]").inner_text()
    with visit("/#/runs?name=../nothing", at=shown) as page:
        page.locator("[role=alert]").wait_for()  # strict: there is one
        page.get_by_role("link", name="All runs").click()
        page.locator("a.run").first.wait_for()


def test_a_server_without_runs_says_how_to_show_some(visit, address):
    with visit("/#/runs", at=address) as page:
        page.get_by_text("This server shows no runs").wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 800), NARROW])
def test_nothing_stands_in_the_way_of_anybody(visit, shown, size, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for path, ready in (("/#/runs", "a.run"), ("/#/runs?name=first", ".shot img"), ("/#/runs?name=study", "a.run")):
        with visit(path, at=shown, size=size, theme=theme) as page:
            page.locator(ready).first.wait_for()
            found = axe.run(page).response["violations"]
            assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] in SERIOUS] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            assert page.evaluate(
                "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
            )
