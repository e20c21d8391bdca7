from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tumorscope.errors import ModelFileError
from tumorscope.twins.fingerprint import fingerprint
from tumorscope.twins.fingerprints import Fingerprints, pack_prints, unpack_prints
from tumorscope.twins.search import TWIN, compact_baseline_labels, find_compact_twins, find_twins
from tumorscope.twins.structure import TRANSFORMS, compose, inverse, transform_picture

SIDE = 160


def head(seed: int, fine: int | None = None) -> np.ndarray:
    """An ellipse of smooth structure, unlike for every seed; `fine` changes the small structures alone."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 < 1
    texture = 25 * noise(seed, 6) + 25 * noise(seed + 1000, 12) + 20 * noise(fine or seed + 2000, 24)
    return np.where(inside, np.clip(120 + texture, 30, 250), 0).astype(np.float32)


def noise(seed: int, cells: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(cells, cells))
    return cv2.resize(values, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def jpeg(gray: np.ndarray, quality: int) -> np.ndarray:
    pixels = np.rint(np.clip(gray, 0, 255)).astype(np.uint8)
    code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32)


def prints_of(*pictures: np.ndarray) -> Fingerprints:
    return Fingerprints.of([fingerprint(np.ascontiguousarray(picture, np.float32)) for picture in pictures])


COPIES = {
    "resized to half": (lambda gray: cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), "none"),
    "recompressed": (lambda gray: jpeg(gray, 30), "none"),
    "stretched": (lambda gray: np.clip((gray - 20) * 1.4, 0, 255), "none"),
    "bent": (lambda gray: 255 * (gray / 255) ** 0.7, "none"),
    "mirrored and bent": (lambda gray: jpeg(255 * (gray[:, ::-1] / 255) ** 1.3, 60), "mirror"),
    "cut off its border": (lambda gray: gray[8:-8, 10:-6], "none"),
    "cut into the head": (lambda gray: gray[24:, :], "crop"),
    "cut into the head and turned": (lambda gray: np.rot90(gray[24:, :]), "turn90+crop"),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_a_twin_and_the_transform_is_named(name):
    make, transform = COPIES[name]
    pairs = find_twins(prints_of(head(0), head(1), head(2)), prints_of(make(head(1))))
    assert pairs[["a", "b", "kind", "transform"]].to_numpy().tolist() == [[1, 0, "near", transform]]
    assert TWIN <= pairs["similarity"][0] <= 1


def test_slices_that_differ_in_small_structures_alone_are_no_twins():
    neighbors = prints_of(*[head(5, fine) for fine in range(3001, 3005)])
    assert len(find_twins(neighbors)) == 0


def test_equal_pictures_are_exact_twins_and_every_pair_is_given():
    mirrored = head(1)[:, ::-1]
    pairs = find_twins(prints_of(head(0), head(1), head(0), mirrored, head(1)))
    assert pairs[["a", "b", "kind", "transform"]].to_numpy().tolist() == [
        [0, 2, "exact", "none"],
        [1, 3, "near", "mirror"],
        [1, 4, "exact", "none"],
        [3, 4, "near", "mirror"],
    ]
    assert (pairs.loc[pairs["kind"] == "exact", "similarity"] == 1).all()


def test_every_pair_of_a_large_group_is_found():
    copies = [jpeg(head(0)[:, ::-1] if quality % 2 else head(0), quality) for quality in range(40, 70)]
    pairs = find_twins(prints_of(*copies, *[head(seed) for seed in range(1, 20)]))
    assert len(pairs) == 30 * 29 // 2
    assert pairs["b"].max() == 29


def test_the_same_gray_levels_in_another_size_are_not_exact():
    flat = np.tile(np.arange(0, 200, 2, dtype=np.float32), (50, 1))
    first, second = prints_of(flat, flat.reshape(100, 50)).digests
    assert (first != second).any()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_transform_makes_the_second_from_the_first(transform):
    first = head(0)
    pairs = find_twins(prints_of(first), prints_of(transform_picture(first, transform)))
    assert list(pairs["transform"]) == ["none" if transform == "none" else transform]


def test_transforms_compose():
    assert compose("mirror", "mirror") == "none"
    assert compose("turn90", "turn180") == "turn270"
    assert all(compose(name, inverse(name)) == "none" for name in TRANSFORMS)
    assert compose("mirror", "turn90") == "mirror+turn90"


def test_empty_slices_are_told_and_are_nobodys_twins():
    black, gray = np.zeros((80, 80), np.float32), np.full((80, 80), 90, np.float32)
    nearly = black + np.random.default_rng(0).integers(0, 2, (80, 80))
    speck = black.copy()
    speck[40:44, 40:44] = 255
    prints = prints_of(black, gray, black, nearly, speck, speck)
    assert prints.empty.tolist() == [True, True, True, True, False, False]
    assert find_twins(prints)[["a", "b", "kind"]].to_numpy().tolist() == [[4, 5, "exact"]]
    assert find_twins(prints, prints_of(black, speck))[["a", "b"]].to_numpy().tolist() == [[4, 1], [5, 1]]


def test_a_slice_of_one_level_beyond_8_bits_is_empty():
    assert prints_of(np.full((80, 80), 700.0), np.full((80, 80), -3.0)).empty.all()


def test_pairs_of_many_identical_slices_grow_in_line_with_them():
    mirrored = head(0)[:, ::-1]
    pairs = find_twins(prints_of(*[head(0)] * 60, mirrored, *[head(1)] * 20))
    exact = pairs[pairs["kind"] == "exact"]
    assert exact.loc[exact["b"] < 60, ["a", "b"]].to_numpy().tolist() == [[0, row] for row in range(1, 60)]
    assert (exact["b"] >= 60).sum() == 20 * 19 // 2, "of few every pair"
    near = pairs[pairs["kind"] == "near"]
    assert near[["a", "b", "transform"]].to_numpy().tolist() == [[0, 60, "mirror"]]


def test_each_of_many_identical_slices_is_found_in_another_set():
    ours, theirs = prints_of(*[head(0)] * 30, head(1)), prints_of(*[head(0)] * 40, head(0)[:, ::-1])
    pairs = find_twins(ours, theirs)
    assert set(pairs["a"]) == set(range(30))
    assert set(pairs["b"]) == set(range(41))
    assert len(pairs) == (30 + 40 - 1) + 30


def test_slices_of_one_scan_are_never_pairs():
    slices = prints_of(head(0), head(0), head(0)[:, ::-1], head(0), head(1), jpeg(head(1), 60))
    pairs = find_twins(slices, scan=np.array([7, 7, 7, 2, 5, 5]))
    assert pairs[["a", "b", "kind"]].to_numpy().tolist() == [[0, 3, "exact"], [1, 3, "exact"], [2, 3, "near"]]


def test_identical_slices_of_the_firsts_scan_are_linked_elsewhere():
    scan = np.array([1] * 15 + [2] * 15)
    pairs = find_twins(prints_of(*[head(0)] * 30), scan=scan)
    assert (scan[pairs["a"]] != scan[pairs["b"]]).all()
    assert set(pairs["a"]) | set(pairs["b"]) == set(range(30))
    assert len(pairs) == 29


def test_one_slice_and_no_slice_have_no_twins():
    assert len(find_twins(prints_of(head(0)))) == 0
    assert len(find_twins(Fingerprints.of([]))) == 0
    assert len(find_twins(prints_of(head(0)), Fingerprints.of([]))) == 0
    assert len(find_twins(Fingerprints.of([]), prints_of(head(0)))) == 0


def test_progress_ends_with_all_done():
    told = []
    find_twins(prints_of(head(0), head(0)[:, ::-1]), progress=lambda *what: told.append(what))
    assert {what for what, _, _ in told} == {"comparing", "verifying"}
    assert all(done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2]


def test_fingerprints_are_the_same_from_any_thread():
    pictures = [head(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        threaded = Fingerprints.of(list(pool.map(fingerprint, pictures)))
    alone = prints_of(*pictures)
    for name in ("digests", "thumbs", "heads", "touching"):
        assert np.array_equal(getattr(threaded, name), getattr(alone, name))


def test_a_thumbnail_is_the_whole_picture():
    picture = np.zeros((128, 64), np.float32)
    picture[:64] = 200
    thumb = fingerprint(picture).thumb
    assert thumb.shape == (64, 64)
    assert (thumb[:32] == 200).all()
    assert (thumb[32:] == 0).all()


def test_prints_are_taken_and_put_together_by_row():
    prints = prints_of(*[head(seed) for seed in range(4)])
    again = Fingerprints.concat([prints.take([2, 3]), prints.take(np.array([True, False, False, False]))])
    assert len(again) == 3
    assert np.array_equal(again.heads, prints.heads[[2, 3, 0]])


@pytest.fixture(scope="module")
def packed():
    prints = prints_of(*[head(seed) for seed in range(20)])
    labels = ["glioma", "notumor"] * 10
    return prints, labels, pack_prints(prints, labels)


def test_packed_prints_are_small_and_keep_their_labels(packed):
    prints, labels, text = packed
    compact, read = unpack_prints(text)
    assert read == labels
    assert len(compact) == 20
    assert text.isascii()
    assert len(text) < 300 * 20
    assert compact_baseline_labels(prints, compact, labels) == labels


def test_packed_prints_know_twins_from_others(packed):
    compact, _ = unpack_prints(packed[2])
    copies = [head(0), head(1)[:, ::-1], np.rot90(head(2)), jpeg(head(3), 30), cv2.resize(head(4), (80, 80))]
    others = [head(seed) for seed in range(30, 36)]
    assert find_compact_twins(prints_of(*copies, *others), compact).tolist() == [True] * 5 + [False] * 6


@pytest.mark.parametrize("harm", [lambda t: "", lambda t: t[:-40], lambda t: t.replace('"format": 2', '"format": 9')])
def test_damaged_packed_prints_are_refused(packed, harm):
    with pytest.raises(ModelFileError, match="fingerprints"):
        unpack_prints(harm(packed[2]))


def test_as_many_labels_as_prints_are_packed():
    with pytest.raises(ValueError, match="1 fingerprints and 2 labels"):
        pack_prints(prints_of(head(0)), ["a", "b"])
