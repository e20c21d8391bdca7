"""Take a picture of each state of the page, wide and narrow, from a real server in a real browser.

    python tools/screenshots.py OUT [--only STATE ...] [--docs]

Needs the extras `serve` and `test`, and Chromium (the path in CHROMIUM, else /usr/bin/chromium). What is shown are the
example scans and drawings of the phantom. `--docs` writes the four that the documentation shows into docs/images.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from camera import SIZES, browsing, read_arguments, serving, write_docs
from playwright.sync_api import Browser, Page

from tumorscope.catalog.phantom import draw_phantom
from tumorscope.samples import example_scans

DRAWN = 48
KEY = "a-key-that-nobody-uses-but-this-script"


@dataclass(frozen=True)
class Stage:
    """What a state is set up with: the page, the folder of the files, and the files by name."""

    page: Page
    folder: Path
    files: dict[str, Path]

    def add(self, *names: str) -> None:
        """Give files to the page, and wait until all are read."""
        before = self.page.locator(".list-row").count()
        self.page.locator("#files").set_input_files([self.files[name] for name in names])
        self.page.locator(".chip", has_text=f"All {before + len(names)}").wait_for()
        self.page.locator(".list .progress").wait_for(state="detached")

    def choose(self, name: str) -> None:
        """Show a scan."""
        self.page.locator(".row-main", has_text=name).click()
        self.page.locator(".answer .said").wait_for()


def main() -> None:
    """Take every picture, or those that `--only` names."""
    arguments = read_arguments(__doc__, STATES)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        files = _draw(Path(folder))
        with serving() as address, serving("--api-key", KEY) as locked:
            for name in arguments.only or STATES:
                for width in SIZES:
                    path = arguments.out / f"{name}-{width}.png"
                    _take(browser, locked if name == "key" else address, name, width, files, path)
                    print(path)
    if arguments.docs:
        write_docs(arguments.out, DOCS)


def _empty(stage: Stage) -> None:
    stage.page.locator(".sample img").last.wait_for()


def _sending(stage: Stage) -> None:
    stage.page.locator("#files").set_input_files(
        [path for name, path in stage.files.items() if name.startswith("drawn")]
    )
    stage.page.locator(".row-state.toned").nth(2).wait_for()


def _tumor(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("phantom_glioma.png")


def _kinds(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("mni152_axial_92_ring_painted.png")


def _clear(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("mni152_coronal_120.png")


def _unsure(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("mni152_axial_108.png")


def _refused(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("letter.png")


def _failed(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("cut short.png")


def _two(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("mni152_coronal_120.png")
    stage.page.keyboard.press("c")
    stage.page.locator('[data-pane="1"] .corner').first.wait_for()


def _overlays(stage: Stage) -> None:
    _tumor(stage)
    for key in "++++":
        stage.page.keyboard.press(key)
    stage.page.get_by_label("Heatmap opacity in percent").fill("75")
    box = stage.page.locator(".film").bounding_box()
    assert box is not None
    stage.page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.6)


def _window(stage: Stage) -> None:
    _kinds(stage)
    stage.page.keyboard.press("i")
    for key in "{{{{":
        stage.page.keyboard.press(key)


def _slices(stage: Stage) -> None:
    stage.page.get_by_role("button", name="Open all samples").click()
    stage.page.locator(".row-share").nth(5).wait_for()
    stage.page.get_by_label("More").click()
    stage.page.get_by_role("checkbox").check()
    stage.page.keyboard.press("Escape")
    stage.add("three sequences.tif")
    stage.page.get_by_label("Search by name").fill("three")
    stage.choose("three sequences.tif")


def _filter(stage: Stage) -> None:
    stage.add(*SOME)
    stage.page.locator(".chip", has_text="Tumor").first.click()
    stage.page.get_by_label("Order").select_option("tumor")


def _removed(stage: Stage) -> None:
    stage.add(*SOME)
    stage.choose("letter.png")
    stage.page.keyboard.press("Delete")
    stage.page.get_by_role("button", name="Undo").wait_for()


def _menu(stage: Stage) -> None:
    stage.add(*SOME)
    stage.page.get_by_label("More").click()


def _model(stage: Stage) -> None:
    stage.page.goto(stage.page.url.split("#")[0] + "#/model")
    stage.page.locator(".tile").first.wait_for()


def _model_end(stage: Stage) -> None:
    _model(stage)
    stage.page.locator(".page").evaluate("page => page.scrollTo(0, page.scrollHeight)")


def _help(stage: Stage) -> None:
    _tumor(stage)
    stage.page.keyboard.press("?")


def _downloads(stage: Stage) -> None:
    _tumor(stage)
    stage.page.keyboard.press("d")


def _term(stage: Stage) -> None:
    _kinds(stage)
    stage.page.locator(".answer .term", has_text="Prediction set").focus()
    stage.page.locator(".tip.shown").wait_for()


def _light(stage: Stage) -> None:
    _kinds(stage)
    stage.page.keyboard.press("l")


def _light_list(stage: Stage) -> None:
    stage.add(*SOME)
    stage.page.get_by_label("Switch to the light theme").click()


def _light_empty(stage: Stage) -> None:
    _empty(stage)
    stage.page.get_by_label("Switch to the light theme").click()


def _list(stage: Stage) -> None:
    stage.add(*SOME)


def _key(stage: Stage) -> None:
    stage.page.get_by_label("API key").wait_for()


def _report(stage: Stage) -> None:
    stage.add(*SOME)
    stage.page.keyboard.press("d")
    with stage.page.expect_download() as download:
        stage.page.get_by_role("button", name="Report").click()
    report = stage.folder / "report.html"
    download.value.save_as(report)
    stage.page.goto(report.as_uri())


SOME = (
    "mni152_axial_108.png", "mni152_axial_92_ring_painted.png", "mni152_coronal_120.png",
    "mni152_coronal_120_mass_painted.png", "phantom_glioma.png", "phantom_meningioma.png", "phantom_notumor.png",
    "letter.png", "cut short.png", "small.png",
)  # fmt: skip
STATES: dict[str, Callable[[Stage], None]] = {
    "empty": _empty, "sending": _sending, "list": _list, "tumor": _tumor, "kinds": _kinds, "clear": _clear,
    "unsure": _unsure, "refused": _refused, "failed": _failed, "two": _two, "overlays": _overlays, "window": _window,
    "slices": _slices, "filter": _filter, "removed": _removed, "menu": _menu, "model": _model,
    "model-end": _model_end, "help": _help,
    "downloads": _downloads, "term": _term, "light": _light, "light-list": _light_list, "light-empty": _light_empty,
    "key": _key, "report": _report,
}  # fmt: skip
DOCS = {
    "page-scan": "kinds-wide", "page-two": "two-wide", "page-model": "model-wide", "page-narrow": "tumor-narrow",
}  # fmt: skip


def _take(browser: Browser, address: str, name: str, width: str, files: dict[str, Path], path: Path) -> None:
    size = SIZES[width]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(address)
        page.locator(".start").wait_for()
        STATES[name](Stage(page, files["letter.png"].parent, files))
        page.wait_for_timeout(300)  # pictures are decoded and drawn
        page.screenshot(path=path)
    finally:
        context.close()


def _draw(folder: Path) -> dict[str, Path]:
    files = {path.name: path for path in example_scans().glob("*.png")}
    glioma = cv2.imread(str(files["phantom_glioma.png"]), cv2.IMREAD_GRAYSCALE)
    assert glioma is not None
    letter = np.full((320, 420), 245, np.uint8)
    for line in range(9):
        cv2.putText(letter, "Dear colleague, thank you", (24, 46 + 30 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 20, 1)
    pictures = {
        "letter.png": letter,
        "small.png": cv2.resize(glioma, (56, 56), interpolation=cv2.INTER_AREA),
        "three sequences.tif": np.stack([glioma, glioma // 2, 255 - glioma], axis=-1),
    }
    for number, drawn in enumerate(draw_phantom(DRAWN, seed=3)):
        pictures[f"drawn {number:02d} {drawn.sequence} {drawn.plane}.png"] = drawn.image
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
        files[name] = folder / name
    cut = files["cut short.png"] = folder / "cut short.png"
    cut.write_bytes(files["phantom_glioma.png"].read_bytes()[:900])
    return files


if __name__ == "__main__":
    main()
