"""What the page asks and is allowed: the key where the server wants one, nothing but this server, the policy kept."""

from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
INLINE = """() => {
    const tag = document.createElement('script');
    tag.textContent = 'window.ran = 1';
    document.body.append(tag);
}"""
KEY = "correct horse battery staple"


@pytest.fixture(scope="module")
def locked(served):
    return served(TUMORSCOPE_API_KEY=KEY)


def test_the_page_asks_for_the_key_once_and_keeps_it_in_memory_only(visit, locked, add):
    with visit(at=locked) as page:
        page.get_by_label("API key").fill("wrong key, wrong key")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The server did not take that key")
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Use this key").click()
        expect(page.locator(".sample img")).to_have_count(11)
        add(page, "phantom_glioma.png")
        assert "Tumor likely: glioma" in page.locator(".answer").inner_text()
        stored = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
        assert KEY not in stored
        page.reload()
        page.get_by_label("API key").wait_for()


def test_without_a_key_a_file_waits_for_nothing_and_says_so(visit, locked, scans):
    with visit(at=locked) as page:
        page.get_by_label("API key").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.locator("#files").set_input_files(scans["phantom_glioma.png"])
        page.get_by_label("API key").wait_for()
        page.keyboard.press("Escape")
        expect(page.locator(".answer .message")).to_have_text("The server asks for a key, and none was given.")
        page.locator(".answer").get_by_role("button", name="Try again").click()
        page.get_by_label("API key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator(".answer .said")).to_contain_text("Tumor likely: glioma")


def test_who_gives_no_key_is_not_asked_again_for_each_file(visit, locked, scans):
    with visit(at=locked) as page:
        page.get_by_label("API key").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.locator("#files").set_input_files([scans["phantom_glioma.png"]] * 9)
        page.get_by_label("API key").wait_for()
        page.keyboard.press("Escape")
        expect(page.locator(".chip", has_text="Failed")).to_have_text("Failed 9")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_whole_session_asks_nobody_else_and_breaks_no_policy(visit, add, choose):
    with visit() as page:  # the fixture looks at every request and every line of the console
        policy = page.evaluate("fetch('/').then((answer) => answer.headers.get('content-security-policy'))")
        add(page, "phantom_glioma.png", "noise.png")
        choose(page, "noise.png")
        for key in "chio+?":
            page.keyboard.press(key)
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        page.locator(".nav").get_by_text("Model").click()
        page.locator(".tile").first.wait_for()
        page.locator(".nav").get_by_text("Scans").click()
        expect(page.locator(".list-row")).to_have_count(2)  # the session outlives a look at another page
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_the_browser_runs_nothing_that_was_written_into_the_page(visit):
    with visit() as page:
        page.evaluate(INLINE)
        assert page.evaluate("() => window.ran") is None
        assert "inline script" in page.said.pop()


def test_the_first_page_is_loaded_in_one_go():
    """Every module that the scans page needs is named in the head, so that the browser asks for all at once."""
    folder = Path(__file__).parents[3] / "src" / "tumorscope" / "serve" / "page"
    needed, waiting = set(), ["app.js", "scans.js"]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        text = (folder / name).read_text(encoding="utf-8")
        for line in text.splitlines():
            if line.startswith(("import ", "export {", "import{")) and ('from "' in line or 'from"' in line):
                target = line.split("from", 1)[1].split('"')[1]
                waiting.append((Path(name).parent / target).as_posix())
    head = (folder / "index.html").read_text(encoding="utf-8")
    missing = [name for name in sorted(needed - {"app.js"}) if f'modulepreload" href="/assets/{name}"' not in head]
    assert missing == []
