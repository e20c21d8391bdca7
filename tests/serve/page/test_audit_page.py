"""The audit page in a real browser: a folder or a zip is audited, and the page says what was planted and no more."""

import csv
import io
import json
import re
import zipfile

import httpx
import pytest

NARROW = (390, 844)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def audited(served, planted):
    """The address of a server with the planted set, a folder without a layout, and an empty one under its data root."""
    root = planted[0].parent
    (root / "mixed" / "glioma" / "deeper").mkdir(parents=True, exist_ok=True)
    (root / "mixed" / "other").mkdir(exist_ok=True)
    return served("--data-root", root)


@pytest.fixture(scope="module")
def made(audited, planted):
    """The document of a finished audit of the planted set."""
    with httpx.Client(base_url=audited, timeout=120) as client:
        links = client.post("/v1/audits", json={"path": planted[0].name}).json()["links"]
        client.get(links["events"])
        return client.get(links["self"]).json()


@pytest.fixture
def result(visit, audited, made):
    with visit(f"/#/audit?id={made['id']}", at=audited) as page:
        page.locator(".verdict").wait_for()
        yield page


def test_a_folder_is_audited_by_keyboard_alone(visit, audited, planted):
    with visit("/#/audit", at=audited) as page:
        page.get_by_role("button", name=planted[0].name).focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Training").wait_for()
        assert page.locator(".crumbs").inner_text().split() == ["data", planted[0].name]
        _tab_to(page, f"Audit {planted[0].name}")
        page.keyboard.press("Enter")
        page.locator(".steps .now").wait_for()
        assert page.locator(".progress [role=progressbar]").count() == 1
        page.locator(".verdict").wait_for(timeout=60_000)
        assert "id=" in page.evaluate("location.hash")
        assert page.locator("#announcements").inner_text() == f"The audit of {planted[0].name} is done"


def test_the_page_says_what_was_planted(result, made, planted):
    leaks = made["audit"]["leaks"]
    assert leaks["near"] == len(planted[1]) == 12
    assert result.locator(".verdict-line").inner_text() == made["audit"]["sentences"][0]["text"]
    said = result.locator(".sentences li > span:last-child").all_inner_texts()
    assert said == [sentence["text"] for sentence in made["audit"]["sentences"][1:]]
    tiles = result.locator(".tile dd:nth-of-type(1)").all_inner_texts()
    copied, probe = made["audit"]["copy_baseline"]["accuracy"], made["audit"]["source_probe"]["accuracy"]
    share = leaks["near"] / leaks["test_images"]
    assert tiles == [f"{share:.0%}", f"{copied:.1%}", f"{probe:.1%}", str(len(made["audit"]["label_conflicts"]))]
    rows = result.locator("table:has-text('Leaks by class') tbody tr").all_inner_texts()
    names = {"no tumor": "notumor", "pituitary tumor": "pituitary"}
    counted = {row.split("\t")[0]: [int(cell) for cell in row.split("\t")[1:5]] for row in rows}
    assert counted.pop("all") == [leaks["test_images"], leaks["exact"], leaks["near"], leaks["group"]]
    for label, numbers in counted.items():
        key = names.get(label, label)
        assert numbers == [
            leaks[name][key] for name in ("test_by_class", "exact_by_class", "by_class", "group_by_class")
        ]


def test_every_planted_pair_stands_side_by_side_with_both_pictures(result, planted, loaded):
    result.locator(".pair").nth(11).wait_for()
    shown = result.locator(".pair").evaluate_all(
        "pairs => pairs.map(pair => [...pair.querySelectorAll('.name')].map(({ title }) => title).sort())"
    )
    assert sorted(shown) == sorted(sorted(line.split(",")) for line in planted[1])
    loaded(result, ".pair img", 24)
    sizes = result.locator(".pair img").evaluate_all(
        "all => all.map(({ naturalWidth: w, naturalHeight: h, alt }) => [w, h, alt])"
    )
    assert {(width, height) for width, height, _ in sizes} == {(320, 320)}
    assert all(alt for _, _, alt in sizes)
    assert result.locator(".pair", has_text="leak").count() == 12
    assert result.locator(".pair", has_text="labels differ").count() == 1


def test_filters_show_the_pairs_they_name(result):
    status = result.locator("section:has-text('Twins, side by side') [role=status]")
    result.get_by_label("Kind").select_option("exact")
    _is_said(status, "2 pairs of 12")
    assert set(result.locator(".pair figcaption b").all_inner_texts()) == {"Exact copy"}
    result.get_by_role("button", name="Labels differ").click()
    _is_said(status, "1 pair of 12")
    result.get_by_label("Kind").select_option("near")
    _is_said(status, "0 pairs of 12")
    result.get_by_role("button", name="Show all pairs").click()
    _is_said(status, "12 pairs of 12")
    result.get_by_label("Change").select_option("mirror")
    _is_said(status, "2 pairs of 12")
    result.get_by_label("Change").select_option("")
    result.get_by_label("Order").select_option("least_alike")
    result.wait_for_function(
        "() => document.querySelector('.pairs:not([aria-busy]) .pair-facts')?.textContent.includes('0.9')"
    )
    said = [
        float(re.search(r"[01]\.\d{3}", text).group())
        for text in result.locator(".pair-facts").all_inner_texts()
        if "simil" in text
    ]
    assert said == sorted(said)


def test_downloads_hold_the_split_and_the_figures(result, made):
    rows = list(csv.DictReader(io.StringIO(_downloaded(result, result.get_by_role("button", name="Split")))))
    parts = [row["split"] for row in rows]
    assert {part: parts.count(part) for part in made["split"]} == made["split"]
    assert result.locator(".parts dd b").all_inner_texts() == [
        str(made["split"][part]) for part in ("train", "val", "test")
    ]
    told = json.loads(_downloaded(result, result.get_by_role("button", name="audit.json")))
    assert told == made["audit"]
    pairs = list(csv.DictReader(io.StringIO(_downloaded(result, result.get_by_role("button", name="pairs.csv")))))
    assert len(pairs) == 12


def test_the_whole_report_opens_in_its_own_looks(result):
    with result.context.expect_page() as opened:
        result.get_by_role("link", name="Whole report").click()
    report = opened.value
    report.wait_for_load_state()
    assert report.locator("h1").inner_text() == "phantom-set"
    assert report.evaluate("getComputedStyle(document.querySelector('.tile')).borderRadius") == "14px"
    assert (
        report.evaluate("[...document.images].filter(({ complete, naturalWidth }) => complete && !naturalWidth).length")
        == 0
    )


def test_unreadable_and_misnamed_files_are_named(result):
    files = result.locator("section:has(h2:text-is('Files'))")
    assert "cut_short.png" in files.inner_text()
    assert "Is really" in files.inner_text()
    assert files.locator("table").nth(1).locator("tbody tr").inner_text().split("\t")[1:] == ["jpg", "PNG"]


def test_the_way_back_to_the_page_leads_to_the_audit(result, made):
    result.get_by_role("link", name="Model").click()
    result.get_by_role("heading", name="Limits").wait_for()
    result.get_by_role("link", name="Audit").click()
    result.locator(".verdict").wait_for()
    assert made["id"] in result.evaluate("location.hash")
    result.reload()
    result.locator(".verdict").wait_for()
    result.get_by_role("button", name="New audit").click()
    result.get_by_role("heading", name="Can a score on this data be believed?").wait_for()


def test_a_dropped_zip_is_audited_and_removed(visit, audited, planted, tmp_path):
    given = tmp_path / "my set.zip"
    with zipfile.ZipFile(given, "w") as opened:
        for file in sorted(planted[0].rglob("*.*")):
            opened.write(file, file.relative_to(planted[0]))
    with visit("/#/audit", at=audited) as page:
        _drop(page, ".zip-drop", given)
        page.locator(".verdict").wait_for(timeout=60_000)
        assert page.locator("h1").inner_text() == "my set.zip"
        assert page.locator(".tile dd").first.inner_text() == "25%"
        page.wait_for_function("() => document.querySelectorAll('.pair img').length === 24")
        link = f"/v1/audits/{page.evaluate('location.hash').partition('id=')[2]}"
        assert httpx.get(audited + link).status_code == 200
        page.route(f"**{link}", lambda route: route.abort() if route.request.method == "DELETE" else route.continue_())
        page.get_by_role("button", name="Remove this audit").click()
        assert "cannot be reached" in page.get_by_role("alert").inner_text()  # nobody is told that it is removed
        page.unroute(f"**{link}")
        page.get_by_role("button", name="Try again").click()
        page.locator(".zip-drop").wait_for()
        assert httpx.get(audited + link).status_code == 404


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../evil.png": b"1"}, "leads out of its folder"),
        ({"__MACOSX/x": b"1"}, "holds no file"),
        (None, "no whole zip"),
    ],
)
def test_a_hostile_zip_is_refused_with_a_reason(visit, audited, tmp_path, members, said):
    given = tmp_path / "bad.zip"
    given.write_bytes(b"PK\x03\x04 not really")
    if members is not None:
        with zipfile.ZipFile(given, "w") as opened:
            for name, data in members.items():
                opened.writestr(name, data)
    with visit("/#/audit", at=audited) as page:
        page.locator("input[type=file]").set_input_files(given)
        assert said in page.locator("[role=alert]").inner_text()
        assert page.get_by_role("button", name="Choose a zip").count() == 1


def test_a_folder_that_is_no_data_set_says_why(visit, audited):
    with visit("/#/audit", at=audited) as page:
        page.get_by_role("button", name="mixed").click()
        page.get_by_role("button", name="Audit mixed").click()
        page.locator("[role=alert]").wait_for(timeout=30_000)
        assert page.locator("[role=alert]").inner_text().startswith("mixed: has folders in the class folder 'glioma'")
        page.get_by_role("button", name="New audit").click()
        page.locator(".folders").wait_for()


def test_a_running_audit_can_be_stopped(visit, audited, planted):
    with visit("/#/audit", at=audited) as page:
        page.get_by_role("button", name=planted[0].name).click()
        page.get_by_role("button", name=f"Audit {planted[0].name}").click()
        page.get_by_role("button", name="Stop").click()
        page.locator(".folders").wait_for()


def test_an_audit_that_is_gone_and_a_server_without_roots_say_so(visit, address, audited):
    with visit("/#/audit?id=nothing", at=audited) as page:
        assert "no longer here" in page.locator("[role=alert]").inner_text()
    with visit("/#/audit", at=address) as page:
        page.get_by_text("No folder may be read").wait_for()


def test_with_a_key_pictures_are_shown_and_the_report_is_saved(visit, served, planted):
    key = "a key of this test"
    address = served("--data-root", planted[0].parent, TUMORSCOPE_API_KEY=key)
    headers = {"X-API-Key": key}
    links = httpx.post(f"{address}/v1/audits", json={"path": planted[0].name}, headers=headers).json()["links"]
    httpx.get(address + links["events"], headers=headers, timeout=120)
    with visit(f"/#/audit?id={links['self'].split('/')[-1]}", at=address) as page:
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Use this key").click()
        page.wait_for_function("() => document.querySelectorAll('.pair img').length === 24")
        report = _downloaded(page, page.get_by_role("link", name="Whole report"))
        assert "<h1>phantom-set</h1>" in report


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 800), NARROW])
def test_nothing_stands_in_the_way_of_anybody(visit, audited, made, size, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for path, ready in (("/#/audit", ".folders"), (f"/#/audit?id={made['id']}", ".pair img")):
        with visit(path, at=audited, size=size, theme=theme) as page:
            page.locator(ready).first.wait_for()
            found = axe.run(page).response["violations"]
            assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] in SERIOUS] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            assert page.evaluate(
                "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
            )


def _tab_to(page, name):
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"the button {name} cannot be reached with Tab")


def _is_said(place, text):
    place.filter(has_text=re.compile(f"^{text}$")).wait_for()


def _downloaded(page, button):
    with page.expect_download() as waiting:
        button.first.click()
    return waiting.value.path().read_text(encoding="utf-8")


def _drop(page, selector, path):
    box = page.locator(selector).bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
