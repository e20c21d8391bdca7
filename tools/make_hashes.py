"""Make the lists in ``src/tumorscope/fetch/lists`` from the copies of the public sets beside the checkout.

    python tools/make_hashes.py ../shared/data

The copies are not all the published files, so a file is listed by what of it is still as published (the letters are
those of `tumorscope.fetch.checklist`): navoneel's were never touched (b); the pictures of masoud, sartaj, BRISC and LGG
were shrunk or compressed again (l); LGG's masks were stored anew without loss (p), for 90 of the 110 patients; BRISC's
masks were thresholded (n); the files of radiopaedia_44 have shorter names here, so only folders are counted (f).
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tumorscope.fetch.checklist import Checklist, Line, value_of, write_checklist

TARGET = Path(__file__).parents[1] / "src/tumorscope/fetch/lists"


def navoneel_253(data: Path) -> Iterator[Line]:
    """List every file by its bytes."""
    return _files(data / "navoneel_253", "b")


def masoud_7023(data: Path) -> Iterator[Line]:
    """List every file by its look."""
    return _files(data / "masoud_7023", "l")


def sartaj_3264(data: Path) -> Iterator[Line]:
    """List every file by its look; most lie under the name of their twin in masoud_7023."""
    for row in _rows(data / "sartaj_3264/index.csv"):
        twin = row["masoud_7023_file"]
        source = data / "masoud_7023" / twin if twin else data / "sartaj_3264" / row["file"]
        yield Line("l", value_of(source, "l"), row["file"])


def brisc2025(data: Path) -> Iterator[Line]:
    """List the pictures of both tasks by their look, the masks by name."""
    for row in _rows(data / "brisc2025/index.csv"):
        twin = row["masoud_7023_file"]
        source = data / "masoud_7023" / twin if twin else data / "brisc2025" / row["own_image"]
        look = value_of(source, "l")
        yield Line("l", look, f"classification_task/{row['split']}/{row['class']}/{row['file']}")
        if row["mask"]:
            task = f"segmentation_task/{row['split']}"
            yield Line("l", look, f"{task}/images/{row['file']}")
            yield Line("n", "-", f"{task}/masks/{Path(row['mask']).name}")


def lgg_kaggle_3m(data: Path) -> Iterator[Line]:
    """List slices by their look, masks by their pixels."""
    root = data / "lgg_kaggle_3m"
    for path in sorted(root.rglob("*.tif")):
        how = "p" if path.stem.endswith("_mask") else "l"
        yield Line(how, value_of(path, how), path.relative_to(root).as_posix())


def radiopaedia_44(data: Path) -> Iterator[Line]:
    """List the folders with the number of their files."""
    counts = Counter(row["path"].split("/")[0] for row in _rows(data / "radiopaedia_44/index.csv"))
    return (Line("f", str(count), folder) for folder, count in counts.items())


LISTS: dict[Callable[[Path], Iterator[Line]], bool] = {
    navoneel_253: True,
    masoud_7023: True,
    sartaj_3264: True,
    brisc2025: True,
    lgg_kaggle_3m: False,
    radiopaedia_44: False,
}
"""What lists a set, and whether the list is complete."""


def _files(root: Path, how: str) -> Iterator[Line]:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield Line(how, value_of(path, how), path.relative_to(root).as_posix())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    for lines_of, complete in LISTS.items():
        checklist = Checklist(tuple(lines_of(Path(sys.argv[1]))), complete)
        target = TARGET / f"{lines_of.__name__}.txt.gz"
        write_checklist(target, checklist)
        print(f"{lines_of.__name__}: {checklist}, {target.stat().st_size / 1e3:.0f} kB")
