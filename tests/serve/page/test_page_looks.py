"""axe-core finds nothing serious in any state, in both themes and at both widths."""

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
TOO_WIDE = """() => [...document.querySelectorAll('main *')]
    .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
    .filter((part) => !part.closest('.scroll, .hidden, .tip'))
    .map((part) => part.outerHTML.slice(0, 100))"""
GRAVE = ("serious", "critical")


def start(page, add):
    page.locator(".sample img").last.wait_for()


def tumor(page, add):
    add(page, "phantom_glioma.png", "mni152_axial_92_ring_painted.png", "noise.png", "cut short.png")
    page.locator(".row-main").nth(1).click()


def refused(page, add):
    tumor(page, add)
    page.keyboard.press("ArrowDown")
    page.locator("summary").click()


def failed(page, add):
    refused(page, add)
    page.keyboard.press("ArrowDown")


def unsure_in_two_panes(page, add):
    add(page, "mni152_axial_108.png", "phantom_notumor.png")
    page.locator(".row-main").first.click()
    page.keyboard.press("c")
    page.locator('[data-pane="1"] .corner').first.wait_for()


def downloads(page, add):
    tumor(page, add)
    page.locator(".chip", has_text="Tumor").first.evaluate("chip => chip.click()")
    page.keyboard.press("d")


def listed(page, add):
    add(page, "phantom_glioma.png", "mni152_axial_108.png", "phantom_notumor.png", "noise.png", "cut short.png")


def menu(page, add):
    listed(page, add)
    page.get_by_label("More").click()


def keys(page, add):
    tumor(page, add)
    page.keyboard.press("?")


def model(page, add):
    page.locator(".nav").get_by_text("Model").click()
    page.locator(".tile").first.wait_for()


STATES = {
    state.__name__: state
    for state in (start, listed, tumor, refused, failed, unsure_in_two_panes, menu, downloads, keys, model)
}
FAST = (("tumor", "wide", "dark"), ("listed", "narrow", "light"), ("model", "wide", "light"))
CASES = [
    pytest.param(state, size, theme, marks=[] if (state, size, theme) in FAST else pytest.mark.slow)
    for state in STATES
    for size in SIZES
    for theme in ("dark", "light")
]


@pytest.mark.parametrize(("state", "size", "theme"), CASES)
def test_axe_finds_nothing_serious(visit, add, state, size, theme):
    with visit(size=SIZES[size], theme=theme) as page:
        STATES[state](page, add)
        page.wait_for_timeout(200)
        found = axe.Axe().run(page).response
        grave = [
            f"{fault['id']}: {node['html'][:120]} ({node['failureSummary'][:300]})"
            for fault in found["violations"]
            if fault["impact"] in GRAVE
            for node in fault["nodes"]
        ]
        assert grave == []
        page.said[:] = [line for line in page.said if "axe" not in line.lower()]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["start", "tumor", "model"])
def test_nothing_is_wider_than_the_screen(visit, add, state, size):
    with visit(size=SIZES[size]) as page:
        STATES[state](page, add)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wide = page.evaluate(TOO_WIDE)
        assert wide == []


def test_the_theme_is_dark_until_light_is_chosen_and_is_kept(visit):
    with visit() as page:
        page.evaluate("localStorage.clear()")
        paper = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(paper) == "rgb(10, 13, 17)"
        page.keyboard.press("l")
        assert page.evaluate(paper) == "rgb(238, 241, 244)"
        assert page.evaluate("localStorage.getItem('tumorscope.theme')") == "light"
