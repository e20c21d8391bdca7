"""How files come into the page: dropped, pasted, chosen, samples; junk and hostile names among them."""

import base64
import shutil

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def rows(page):
    return page.locator(".rows .name").evaluate_all("names => names.map(({ title }) => title)")


def drop(page, *paths):
    """Drop files or folders as the browser gets them from a desktop."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})


def test_a_dropped_file_is_read(page, scans, finished):
    drop(page, scans["phantom_glioma.png"])
    finished(page, 1)
    assert rows(page) == ["phantom_glioma.png"]
    said = page.locator(".answer").inner_text()
    assert "Tumor likely: glioma\n\n>99% tumor of any kind" in said
    assert "99.8%" in said
    assert page.locator(".row-share").inner_text().endswith(">99%")


def test_many_dropped_files_each_get_an_answer(page, scans, finished):
    names = [name for name in sorted(scans) if name.startswith(("mni", "phantom"))]
    drop(page, *[scans[name] for name in names])
    finished(page, len(names))
    assert rows(page) == names
    assert page.locator(".list-row .thumb canvas").count() == len(names)


def test_a_dropped_folder_gives_what_predict_would_read(page, scans, finished, tmp_path):
    patient = tmp_path / "study" / "patient 7"
    patient.mkdir(parents=True)
    shutil.copy(scans["phantom_glioma.png"], patient / "slice 10.png")
    shutil.copy(scans["phantom_notumor.png"], patient / "slice 9.png")
    shutil.copy(scans["black.png"], patient / "slice 9_mask.png")
    for clutter in (".hidden.png", "Thumbs.db"):
        (patient / clutter).write_bytes(b"no scan")
    drop(page, tmp_path / "study")
    finished(page, 2)
    assert rows(page) == ["study/patient 7/slice 9.png", "study/patient 7/slice 10.png"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cut short.png", "Is damaged or truncated"),
        ("junk.exe", "Is not an image of a known format"),
        ("empty.png", "Is empty"),
    ],
)
def test_junk_fails_alone_and_says_why(page, add, choose, name, said):
    add(page, name, "phantom_notumor.png")
    answer = choose(page, name)
    assert "This file could not be read" in answer
    assert said in answer
    assert "No tumor seen\n\n8% tumor of any kind\n" in choose(page, "phantom_notumor.png")


def test_a_file_that_goes_before_its_turn_fails_alone(page, scans, finished, choose, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(5):  # three are sent at a time
        shutil.copy(scans["phantom_notumor.png"], folder / f"slice {number}.png")
    held, waiting = [], {"for": "the file to go"}
    page.route("**/v1/findings*", lambda route: held.append(route) if waiting else route.continue_())
    drop(page, folder)
    expect(page.locator(".list-row")).to_have_count(5)
    (folder / "slice 4.png").unlink()
    waiting.clear()
    for route in held:
        route.continue_()
    finished(page, 5)
    assert "The browser cannot open it" in choose(page, "scans/slice 4.png")
    assert "No tumor seen" in choose(page, "scans/slice 3.png")


def test_a_hostile_name_is_only_text(page, scans, finished, tmp_path):
    hostile = "<img src=x onerror=document.title='owned'>.png"
    shutil.copy(scans["phantom_glioma.png"], tmp_path / hostile)
    drop(page, tmp_path / hostile)
    finished(page, 1)
    assert rows(page) == [hostile]
    page.keyboard.press("d")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    report = download.value.path().read_text(encoding="utf-8")
    assert "<img src=x" not in report
    assert "&lt;img src=x onerror=" in report
    assert page.title() == "tumorscope"
    assert page.locator("img[src='x']").count() == 0


def test_a_picture_is_pasted_from_the_clipboard(visit, scans, finished):
    with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        content = base64.b64encode(scans["phantom_glioma.png"].read_bytes()).decode()
        page.evaluate(
            """async content => {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                const picture = new Blob([bytes], { type: 'image/png' });
                await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
            }""",
            content,
        )
        page.keyboard.press("Control+V")
        finished(page, 1)
        page.get_by_label("More").click()
        page.get_by_role("button", name="Paste a picture").click()
        finished(page, 2)
        assert rows(page) == ["pasted 1.png", "pasted 2.png"]
        assert "Tumor likely" in page.locator(".answer").inner_text()


def test_where_the_clipboard_is_forbidden_the_page_says_what_to_do(page):
    page.get_by_role("button", name="Paste").click()
    assert "paste with Ctrl+V instead" in page.get_by_role("alert").inner_text()


def test_samples_are_one_click_away(page, finished):
    page.locator(".sample", has_text="Drawn phantom, meningioma").click()
    finished(page, 1)
    assert rows(page) == ["phantom_meningioma.png"]
    page.get_by_label("More").click()
    page.get_by_role("button", name="Add the samples").click()
    finished(page, 12)


def test_a_chosen_folder_keeps_its_names(page, scans, finished, tmp_path):
    (tmp_path / "series").mkdir()
    shutil.copy(scans["phantom_glioma.png"], tmp_path / "series" / "a.png")
    page.locator("#folder").set_input_files(tmp_path / "series")
    finished(page, 1)
    assert rows(page) == ["series/a.png"]
