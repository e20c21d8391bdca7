"""Measure the twin finder: against the truth of the Cheng set, on planted twins, and how it grows.

    python benchmarks/twins.py truth ../shared/data      # masoud against cheng_3064/index.csv, without the atlas
    python benchmarks/twins.py planted ../shared/data    # copies made of pictures that no index knows
    python benchmarks/twins.py known ../shared/data      # the atlas and the compact fingerprints
    python benchmarks/twins.py growth 10000 20000 40000 100000

The thresholds were chosen on other pictures than `planted` takes (its `--part 0`). Part 1 judged an earlier way of
comparing, which a better one then replaced; so reported is part 2, of pictures that neither has drawn.
Writes ``benchmarks/results/twins_<what>.json``, of planted copies with the part in its name.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.files.atomic import write_json
from tumorscope.scans import read_slice
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.fingerprints import Fingerprints, pack_prints, unpack_prints
from tumorscope.twins.search import find_compact_twins, find_twins

RESULTS = Path(__file__).parent / "results"
Gray = NDArray[np.float32]
SETS = {
    "radiopaedia_44": ("*/*.jpg", 400),
    "brats_slices": ("*/t*z*.jpg", 250),
    "lgg_kaggle_3m": ("*/*[0-9].tif", 200),
    "healthy_t1": ("*/*.jpg", 100),
    "open_ms": ("*/*.jpg", 50),
}
"""Files by set, and how many pictures are drawn of each."""
NEARLY_BLACK = 5.0
"""Mean gray level."""
SAME_PICTURE = 0.995
"""Two drawn pictures that correlate so, whole or cut to the head, are copies already: pairs between them are left out.
Cut to the head, copies with another margin have 0.996 and more, the nearest neighbors of a patient 0.984."""
HEAD_SIDE = 128


def main() -> None:
    """Measure one thing and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("truth", "planted", "known", "growth"))
    parser.add_argument("rest", nargs="+", help="the data folder, or the sizes")
    parser.add_argument("--part", type=int, default=2, help="0: thresholds were chosen on it; 1 and 2: other pictures")
    given = parser.parse_args()
    if given.what == "growth":
        result = {"sizes": [growth(int(size)) for size in given.rest]}
    else:
        result = {"truth": truth, "planted": lambda data: planted(data, given.part), "known": known}[given.what](
            Path(given.rest[0])
        )
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores of {platform.machine()}, load {os.getloadavg()[0]:.1f}",
        "command": " ".join(["python", "benchmarks/twins.py", *(Path(word).name for word in sys.argv[1:])]),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }
    name = f"planted_{given.part}" if given.what == "planted" else given.what
    write_json(RESULTS / f"twins_{name}.json", about | result)
    print(pd.Series(result).to_string())


def truth(data: Path) -> dict[str, Any]:
    """Compare the pairs found in masoud with the truth table, and count its leaks."""
    folder = data / "masoud_7023"
    files = sorted(folder.glob("*/*/*.jpg"))
    with timed() as reading:
        prints = Fingerprints.of([fingerprint(read_slice(file)) for file in files])
    with timed() as searching:
        pairs = find_twins(prints)
    index = _cheng_index(data, folder, files)
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    both, one = (index[a] >= 0) & (index[b] >= 0), (index[a] >= 0) != (index[b] >= 0)
    right = both & (index[a] == index[b])
    counts = np.unique(index[index >= 0], return_counts=True)[1]
    pairs_in_truth = int((counts * (counts - 1) // 2).sum())
    test = np.array([file.parts[-3] == "Testing" for file in files])
    return {
        "same_slice_pairs": pairs_in_truth,
        "same_slice_pairs_found": int(right.sum()),
        "recall": float(right.sum() / pairs_in_truth),
        "cheng_pairs_found": int(both.sum()),
        "precision": float(right.sum() / both.sum()),
        "pairs_of_a_cheng_slice_and_another": int(one.sum()),
        "test_files_with_exact_twin_in_training": _leaks(pairs[pairs["kind"] == "exact"], test),
        "test_files_with_near_twin_in_training": _leaks(pairs, test),
        "of_these_only_by_a_crop": _leaks(pairs, test) - _leaks(pairs[~pairs["transform"].str.contains("crop")], test),
        "pairs": len(pairs),
        "reading": reading,
        "searching": searching,
    }


def planted(data: Path, part: int) -> dict[str, Any]:
    """Plant one copy of every kind for each picture drawn, and look which are found among the pictures."""
    rng = np.random.default_rng(part)
    own, heads, copies, rows, files = [], [], [], [], _drawn(data, part)
    for row, file in enumerate(files):
        gray = read_slice(file)
        own.append(fingerprint(gray))
        heads.append(_head(gray))
        copies += [fingerprint(make(gray, rng)) for make in COPIES.values()]
        rows += [row] * len(COPIES)
    prints, source, kinds = Fingerprints.of(own), np.array(rows), np.tile(list(COPIES), len(own))
    pairs = find_twins(Fingerprints.of(copies), prints)
    hits = pairs["b"].to_numpy() == source[pairs["a"]]
    alike = _alike(prints.thumbs, np.stack(heads))
    wrong = ~hits & ~alike[source[pairs["a"]], pairs["b"]]
    found = np.isin(np.arange(len(copies)), pairs["a"][hits])
    return {
        "part": part,
        "pictures": len(own),
        "copies": len(copies),
        "recall": float(found.mean()),
        "recall_by_kind": {kind: float(found[kinds == kind].mean()) for kind in COPIES},
        "right_pairs": int(hits.sum()),
        "wrong_pairs": int(wrong.sum()),
        "precision": float(hits.sum() / (hits.sum() + wrong.sum())),
        "wrong_by_set": _by_set(files, data, source[pairs["a"][wrong]]),
    }


def known(data: Path) -> dict[str, Any]:
    """Ask the atlas about masoud, and the compact fingerprints of its training files about its test files."""
    folder = data / "masoud_7023"
    files = sorted(folder.glob("*/*/*.jpg"))
    prints = Fingerprints.of([fingerprint(read_slice(file)) for file in files])
    index = _cheng_index(data, folder, files)
    with timed() as atlas_time:
        said = load_atlas().recognize(prints)["index"].fillna(-1).to_numpy(int)
    test = np.array([file.parts[-3] == "Testing" for file in files])
    labels = [file.parts[-2] for file in files]
    text = pack_prints(prints.take(~test), [label for label, out in zip(labels, test, strict=True) if not out])
    with timed() as compact_time:
        twins = find_compact_twins(prints.take(test), unpack_prints(text)[0])
    return {
        "cheng_files": int((index >= 0).sum()),
        "recognized_right": int(((index >= 0) & (said == index)).sum()),
        "recognized_as_another_slice": int(((index >= 0) & (said >= 0) & (said != index)).sum()),
        "other_files": int((index < 0).sum()),
        "other_files_recognized": int(((index < 0) & (said >= 0)).sum()),
        "compact_bytes_a_slice": len(text) / int((~test).sum()),
        "test_files_with_compact_twin": int(twins.sum()),
        "atlas_time": atlas_time,
        "compact_time": compact_time,
    }


def growth(size: int) -> dict[str, Any]:
    """Search `size` synthetic fingerprints, of which every hundredth is a mirrored copy of the one before."""
    prints = synthetic(size)
    with timed() as searching:
        pairs = find_twins(prints)
    wanted = {(row - 1, row) for row in range(99, size, 100)}
    found = set(zip(pairs["a"], pairs["b"], strict=True))
    return {
        "slices": size,
        "planted": len(wanted),
        "found": len(wanted & found),
        "others": len(found - wanted),
        "searching": searching,
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def synthetic(size: int) -> Fingerprints:
    """Return fingerprints of smooth random structure inside an ellipse, as heads have."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    skull = ((x / 0.95) ** 2 + (y / 0.97) ** 2 < 1).astype(np.float32)
    shared = cv2.resize(rng.normal(size=(8, 8)).astype(np.float32), (64, 64), interpolation=cv2.INTER_CUBIC)
    heads = np.empty((size, 64, 64), np.uint8)
    for row in range(size):
        own = [cv2.resize(rng.normal(size=(k, k)).astype(np.float32), (64, 64)) for k in (8, 20)]
        heads[row] = np.clip((120 + 30 * shared + 30 * own[0] + 20 * own[1]) * skull, 0, 255)
    heads[99::100] = heads[98::100][: len(heads[99::100]), :, ::-1]
    thumbs = np.stack([np.pad(np.asarray(cv2.resize(head, (48, 48)), np.uint8), 8) for head in heads])
    digests = np.stack(
        [np.frombuffer(hashlib.blake2b(head.tobytes(), digest_size=16).digest(), np.uint8) for head in heads]
    )
    return Fingerprints(digests, thumbs, heads, np.zeros(size, bool))


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Fill the yielded dict with wall-clock and processor seconds."""
    spent: dict[str, float] = {}
    wall, processor = time.perf_counter(), time.process_time()
    yield spent
    spent["seconds"] = round(time.perf_counter() - wall, 1)
    spent["processor_seconds"] = round(time.process_time() - processor, 1)


def _recompressed(gray: NDArray[Any], quality: int) -> Gray:
    pixels = np.rint(np.clip(gray, 0, 255)).astype(np.uint8)
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32)


def _cropped(gray: Gray, rng: np.random.Generator) -> Gray:
    """Cut up to 10% off each axis, anywhere."""
    sides = []
    for length in gray.shape:
        cut = int(length * rng.uniform(0.02, 0.10))
        before = int(rng.integers(0, cut + 1))
        sides.append(slice(before, length - cut + before))
    return gray[tuple(sides)]


def _stretched(gray: Gray, rng: np.random.Generator) -> Gray:
    low, high = np.percentile(gray, (rng.uniform(1, 20), rng.uniform(95, 99.5)))
    return np.asarray((gray - low) * (255 / max(high - low, 10)), np.float32)


def _bent(gray: Gray, rng: np.random.Generator) -> Gray:
    return np.asarray(255 * (gray / 255) ** rng.uniform(0.7, 1.4), np.float32)


def _halved(gray: Gray) -> Gray:
    return np.asarray(cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)


COPIES: dict[str, Callable[[Gray, np.random.Generator], Gray]] = {
    "mirrored": lambda gray, _: _recompressed(gray[:, ::-1], 85),
    "turned": lambda gray, rng: _recompressed(np.rot90(gray, int(rng.integers(1, 4))), 85),
    "cropped": lambda gray, rng: _recompressed(_cropped(gray, rng), 85),
    "stretched": lambda gray, rng: _recompressed(_stretched(gray, rng), 85),
    "gamma": lambda gray, rng: _recompressed(_bent(gray, rng), 85),
    "quality 30": lambda gray, _: _recompressed(gray, 30),
    "half size": lambda gray, _: _recompressed(_halved(gray), 85),
    "mirrored, gamma, cropped, quality 40": lambda gray, rng: _recompressed(
        _bent(_cropped(np.ascontiguousarray(gray[:, ::-1]), rng), rng), 40
    ),
}


def _drawn(data: Path, part: int) -> list[Path]:
    """Draw pictures of one part; slices that are nearly black are not drawn, since there is nothing to find."""
    before = {file for earlier in range(2) for file in _drawn(data, earlier)} if part == 2 else set()
    rng = np.random.default_rng(2 if part == 2 else 0)
    out: list[Path] = []
    for name, (pattern, count) in SETS.items():
        files = [file for file in sorted((data / name).glob(pattern)) if file not in before]
        files = files if part == 2 else [file for file in files if _half(file) == part]
        out += _first_bright([files[i] for i in rng.permutation(len(files))], count)
    return out


def _first_bright(files: list[Path], count: int) -> list[Path]:
    out: list[Path] = []
    for file in files:
        if len(out) == count:
            break
        if read_slice(file).mean() > NEARLY_BLACK:
            out.append(file)
    return out


def _half(file: Path) -> int:
    return hashlib.sha256("/".join(file.parts[-2:]).encode()).digest()[0] % 2


def _alike(thumbs: NDArray[np.uint8], heads: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (_correlations(thumbs) > SAME_PICTURE) | (_correlations(heads) > SAME_PICTURE)


def _head(gray: Gray) -> Gray:
    """Cut to the largest bright part, found in another way than the twin finder does it."""
    bright = (gray > 0.15 * np.percentile(gray, 99)).astype(np.uint8)
    parts = cv2.connectedComponentsWithStats(bright)[2]
    left, top, width, height = parts[1 + parts[1:, cv2.CC_STAT_AREA].argmax(), :4]
    head = gray[top : top + height, left : left + width]
    return np.asarray(cv2.resize(head, (HEAD_SIDE, HEAD_SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _correlations(pictures: NDArray[Any]) -> NDArray[np.float32]:
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6
    return np.asarray(flat @ flat.T, np.float32)


def _by_set(files: list[Path], data: Path, rows: NDArray[np.int64]) -> dict[str, int]:
    names = np.array([file.relative_to(data).parts[0] for file in files])
    return {str(name): int(n) for name, n in zip(*np.unique(names[rows], return_counts=True), strict=True)}


def _cheng_index(data: Path, folder: Path, files: list[Path]) -> NDArray[np.int64]:
    table = pd.read_csv(data / "cheng_3064/index.csv")
    own = table[table["set"] == folder.name]
    index = dict(zip(own["path"], own["cheng_index"], strict=True))
    return np.array([index.get(file.relative_to(folder).as_posix(), -1) for file in files], np.int64)


def _leaks(pairs: pd.DataFrame, test: NDArray[np.bool_]) -> int:
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    return len(set(a[test[a] & ~test[b]]) | set(b[test[b] & ~test[a]]))


if __name__ == "__main__":
    main()
