"""The whole flow without a mouse, and for those who listen."""

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def test_the_whole_flow_by_keyboard(page, scans, finished):
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 (no bound method of a list)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Choose files")
    page.keyboard.press("Enter")
    for _ in range(500):
        if choosers:
            break
        page.wait_for_timeout(20)
    choosers[0].set_files([scans["phantom_glioma.png"], scans["phantom_notumor.png"]])
    finished(page, 2)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".answer .said")).to_contain_text("No tumor seen")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("glio")
    for _ in range(2):
        page.keyboard.press("Tab")  # the order, then the filters
    while page.evaluate("!document.activeElement.classList.contains('row-main')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".answer .said")).to_contain_text("Tumor likely: glioma")
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="Downloads")
    dialog.wait_for()
    while page.evaluate("!document.activeElement.textContent.includes('Findings')"):
        page.keyboard.press("Tab")
    with page.expect_download():
        page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    expect(page.locator(".row-main:focus")).to_have_count(1)  # focus goes back to where it was


def test_focus_is_visible_everywhere(page, add):
    add(page, "phantom_glioma.png")
    page.locator("body").click(position={"x": 640, "y": 10})
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                return [document.activeElement.outerHTML.slice(0, 60), isSeen];
            }"""
        )
        if found[0].startswith("<body"):
            break
        seen.add(found[0])
        assert found[1], found[0]
    assert len(seen) > 20


def test_arrow_keys_move_the_focus_of_the_list(page, add):
    add(page, "phantom_glioma.png", "phantom_notumor.png")
    page.locator(".row-main").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row-main").nth(1)).to_be_focused()
    expect(page.locator(".row-main").nth(1)).to_have_attribute("aria-current", "true")


def test_tab_reaches_one_row_and_leaves_the_list(page, add):
    add(page, "phantom_glioma.png", "phantom_notumor.png", "noise.png")
    page.locator(".row-main").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row-main").nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Remove phantom_notumor.png")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Drag changes brightness and contrast")).to_be_focused()


def test_focus_is_not_lost_where_start_and_worklist_take_turns(page, finished):
    samples = page.get_by_role("button", name="Open all samples")
    expect(samples).to_be_enabled()
    samples.focus()
    page.keyboard.press("Enter")
    finished(page, 11)
    expect(page.locator("#content")).to_be_focused()
    page.get_by_label("More").click()
    page.get_by_role("button", name="Clear the worklist").click()
    page.get_by_role("button", name="Clear", exact=True).click()
    page.locator(".drop-zone").wait_for()
    expect(page.locator("#content")).to_be_focused()


def test_answers_are_read_out(page, add):
    add(page, "phantom_glioma.png")
    spoken = page.locator("#announcements")
    expect(spoken).to_have_text("phantom_glioma.png: Tumor likely: glioma. >99% tumor of any kind, 93% glioma")
    add(page, "noise.png")
    expect(spoken).to_have_text("All 2 files are read: 1 tumor, 0 unsure, 1 refused, 0 failed")


def test_a_term_is_explained_on_hover_and_on_focus(page, add):
    add(page, "phantom_glioma.png")
    term = page.locator(".answer .term", has_text="Prediction set")
    tip = page.locator(f"[id='{term.get_attribute('aria-describedby')}']")
    expect(tip).not_to_be_visible()
    term.hover()
    expect(tip).to_be_visible()
    assert "cannot be ruled out" in tip.inner_text()
    page.mouse.move(5, 5)
    expect(tip).not_to_be_visible()
    term.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).not_to_be_visible()


def test_nothing_moves_where_motion_is_unwanted(page):
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--swift')") == ""
