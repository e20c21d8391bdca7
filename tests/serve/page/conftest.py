"""A real browser on a real server. Whatever a test does, the page must ask nobody else and break no policy."""

import base64
import os
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from tumorscope.samples import example_scans

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDE, NARROW = (1280, 800), (390, 844)
TIMEOUT_MS = 15_000


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}; name one in CHROMIUM")
    with playwright.sync_playwright() as running:
        playwright.expect.set_options(timeout=TIMEOUT_MS)
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(served):
    return served()


@pytest.fixture
def visit(browser, address):
    """Return a context manager that opens the page; it fails where the page asked elsewhere or broke the policy."""

    @contextmanager
    def opened(path="/", *, at=address, size=WIDE, theme="dark", **context):
        place = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", accept_downloads=True, **context
        )
        place.set_default_timeout(TIMEOUT_MS)
        place.add_init_script(f"localStorage.setItem('tumorscope.theme', '{theme}')")
        page = place.new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.said = said
        try:
            page.goto(at + path)
            page.locator("#content:not([aria-busy])").wait_for()
            yield page
        finally:
            place.close()
        foreign = [url for url in asked if urlsplit(url).scheme not in ("data", "blob") and not url.startswith(at)]
        assert foreign == []
        expected = ("Failed to load resource",)  # what a test provokes: a 401, a 404, a 429
        assert [line for line in said if not any(text in line for text in expected)] == []

    return opened


@pytest.fixture
def page(visit):
    with visit() as page:
        yield page


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """Pictures by name: the examples, and what is no scan."""
    folder = tmp_path_factory.mktemp("scans")
    files = {path.name: path for path in example_scans().glob("*.png")}
    glioma = cv2.imread(str(files["phantom_glioma.png"]), cv2.IMREAD_GRAYSCALE)
    noise = np.random.default_rng(1).integers(0, 256, (256, 256), dtype=np.uint8)
    pictures = {
        "noise.png": noise,
        "black.png": np.zeros((128, 128), np.uint8),
        "small.png": cv2.resize(glioma, (56, 56), interpolation=cv2.INTER_AREA),
        "deep.png": glioma.astype(np.uint16) * 200 + 3000,
        "three sequences.tif": np.stack([glioma, glioma // 2, 255 - glioma], axis=-1),
    }
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
        files[name] = folder / name
    clear = cv2.imread(str(files["phantom_notumor.png"]), cv2.IMREAD_GRAYSCALE)
    cv2.imwritemulti(str(folder / "stack.tif"), [clear, clear, glioma, clear, clear])
    files["stack.tif"] = folder / "stack.tif"
    texts = {
        "cut short.png": files["phantom_glioma.png"].read_bytes()[:900],
        "junk.exe": b"MZ\x90\x00junk",
        "empty.png": b"",
    }
    for name, content in texts.items():
        (folder / name).write_bytes(content)
        files[name] = folder / name
    return files


@pytest.fixture
def add(scans):
    """Return a function that gives files to a page by its file field, and waits until all are read."""

    def give(page, *names):
        before = page.locator(".chip").first.inner_text().split() if page.locator(".chip").count() else ["All", "0"]
        page.locator("#files").set_input_files([scans.get(name, name) for name in names])
        all_read(page, int(before[1].replace(",", "")) + len(names))

    return give


def all_read(page, count):
    page.locator(".chip", has_text=f"All {count:,}").wait_for()
    page.locator(".list .progress").wait_for(state="detached")


@pytest.fixture
def finished():
    """Return a function that waits until so many files are read."""
    return all_read


@pytest.fixture
def choose():
    """Return a function that shows a scan by its name, and gives the text of the answer."""

    def show(page, name):
        page.locator(f'.row-main:has(.name[title="{name}"])').click()
        page.locator(".answer .said").wait_for()
        page.locator(f'.corner.top.left .name[title="{name}"], .over-film:has-text("No picture")').first.wait_for()
        return page.locator(".answer").inner_text()

    return show


@pytest.fixture
def loaded():
    """Return a function that waits until so many pictures are there, each with its pixels."""
    seen = """([selector, count]) => {
        const all = [...document.querySelectorAll(selector)];
        return all.length === count && all.every((one) => one.complete && one.naturalWidth);
    }"""
    return lambda page, selector, count: page.wait_for_function(seen, arg=[selector, count])


@pytest.fixture
def drawn():
    """Return a function that waits until a pane shows its slice: decoded, so that pointers find it."""

    def wait(page, number=0):
        page.locator(f'[data-pane="{number}"] .corner').first.wait_for()

    return wait


@pytest.fixture
def film(drawn):
    """Return a function that gives what a pane shows, uint8 ``(height, width, 3)``."""

    def read(page, number=0):
        drawn(page, number)
        page.wait_for_timeout(120)  # what was changed just now is drawn with the next frames
        url = page.evaluate("number => document.querySelectorAll('.film')[number].toDataURL('image/png')", number)
        content = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
        return cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    return read
