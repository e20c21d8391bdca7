"""Take a picture of each state of the audit page and the evaluation page, wide and narrow, in a real browser.

    python tools/screenshots_reports.py OUT [--only STATE ...] [--docs]

Needs the extras `train`, `serve` and `test`, and Chromium (the path in CHROMIUM, else /usr/bin/chromium). The audit is
of the demo's phantom with planted leaks, the run is a training of the recipe `smoke` on the phantom. `--docs` writes
those that the documentation shows into docs/images.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from camera import SIZES, browsing, read_arguments, serving, write_docs
from playwright.sync_api import Page

from tumorscope.catalog.phantom import write_phantom
from tumorscope.demo import plant_leaks
from tumorscope.training import train

AUDIT_MS = 180_000
SLICES = 240


def main() -> None:
    """Take every picture, or those that `--only` names."""
    arguments = read_arguments(__doc__, STATES)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        data, runs = _prepare(Path(folder))
        with serving("--data-root", data, "--runs", runs) as full, serving() as bare:
            for name in arguments.only or STATES:
                for width, (across, down) in SIZES.items():
                    context = browser.new_context(viewport={"width": across, "height": down}, reduced_motion="reduce")
                    context.set_default_timeout(AUDIT_MS)
                    page = context.new_page()
                    page.goto(f"{bare if name.startswith('no-') else full}/{STATES[name][0]}")
                    STATES[name][1](page)
                    page.wait_for_timeout(600)  # pictures are fetched and drawn
                    path = arguments.out / f"{name}-{width}.png"
                    page.screenshot(path=path)
                    print(path)
                    context.close()
    if arguments.docs:
        write_docs(arguments.out, DOCS)


def _start(page: Page) -> None:
    page.locator(".folder").first.wait_for()


def _chosen(page: Page) -> None:
    page.get_by_role("button", name="planted").click()
    page.get_by_role("button", name="Training").wait_for()


def _running(page: Page) -> None:
    _chosen(page)
    page.get_by_role("button", name="Audit planted").click()
    page.locator(".steps .past").nth(1).wait_for()


def _done(page: Page) -> None:
    _running(page)
    page.locator(".pair img").nth(11).wait_for()


def _twins(page: Page) -> None:
    _done(page)
    page.get_by_label("Kind").select_option("near")
    _bring_up(page, "Twins, side by side")


def _floors(page: Page) -> None:
    _done(page)
    _bring_up(page, "What a score on this data has to beat")


def _files(page: Page) -> None:
    _done(page)
    page.locator("main").evaluate("page => page.scrollTo(0, page.scrollHeight)")


def _failed(page: Page) -> None:
    page.get_by_role("button", name="mixed").click()
    page.get_by_role("button", name="Audit mixed").click()
    page.locator("[role=alert]").wait_for()


def _bad_zip(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "slices.zip", "mimeType": "application/zip", "buffer": b"no zip"}
    )
    page.locator("[role=alert]").wait_for()


def _light_audit(page: Page) -> None:
    _done(page)
    page.locator("[data-theme-button]").click()


def _waiting(page: Page) -> None:
    page.locator(".empty").wait_for()


def _list(page: Page) -> None:
    page.locator("a.run").first.wait_for()


def _run(page: Page) -> None:
    page.locator(".tiles").wait_for()


def _learned(page: Page) -> None:
    _run(page)
    _bring_up(page, "How it learned")


def _matrix(page: Page) -> None:
    _run(page)
    _bring_up(page, "Which is taken for which")


def _curves(page: Page) -> None:
    _run(page)
    _bring_up(page, "Curves and calibration")


def _mistakes(page: Page) -> None:
    _run(page)
    if page.locator("button.cell").count():
        page.locator("button.cell").first.click()
    page.locator(".shot img").first.wait_for()


def _light_run(page: Page) -> None:
    _run(page)
    page.locator("[data-theme-button]").click()


def _unfinished(page: Page) -> None:
    page.locator("svg .line.main").first.wait_for()


def _broken(page: Page) -> None:
    page.locator("[role=alert]").wait_for()


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "audit-start": ("#/audit", _start), "audit-chosen": ("#/audit", _chosen), "audit-running": ("#/audit", _running),
    "audit-done": ("#/audit", _done), "audit-twins": ("#/audit", _twins), "audit-floors": ("#/audit", _floors),
    "audit-files": ("#/audit", _files), "audit-failed": ("#/audit", _failed), "audit-bad-zip": ("#/audit", _bad_zip),
    "audit-light": ("#/audit", _light_audit), "no-roots": ("#/audit", _waiting), "no-runs": ("#/runs", _waiting),
    "runs": ("#/runs", _list), "run": ("#/runs?name=smoke", _run), "run-learned": ("#/runs?name=smoke", _learned),
    "run-matrix": ("#/runs?name=smoke", _matrix), "run-curves": ("#/runs?name=smoke", _curves),
    "run-mistakes": ("#/runs?name=smoke", _mistakes), "run-light": ("#/runs?name=smoke", _light_run),
    "run-unfinished": ("#/runs?name=unfinished", _unfinished), "run-broken": ("#/runs?name=broken", _broken),
}  # fmt: skip
DOCS = {"page-audit": "audit-done-wide", "page-runs": "run-wide"}


def _prepare(folder: Path) -> tuple[Path, Path]:
    """Make the data root and the folder of runs."""
    data, runs = folder / "data", folder / "runs"
    plant_leaks(data / "planted")
    for name in ("glioma/deeper", "other"):
        (data / "mixed" / name).mkdir(parents=True)
    write_phantom(data / "shapes", SLICES, seed=5)
    train(data / "shapes", recipe="smoke", out=runs / "smoke")
    for name, files in {"unfinished": ("recipe.yaml", "log.csv"), "broken": ("recipe.yaml", "log.csv")}.items():
        (runs / name).mkdir()
        for file in files:
            (runs / name / file).write_bytes((runs / "smoke" / file).read_bytes())
    (runs / "broken" / "metrics.json").write_text("{")
    return data, runs


def _bring_up(page: Page, title: str) -> None:
    part = page.locator("section", has=page.get_by_role("heading", name=title))
    part.first.evaluate("part => part.closest('main').scrollTo(0, part.offsetTop - 12)")


if __name__ == "__main__":
    main()
