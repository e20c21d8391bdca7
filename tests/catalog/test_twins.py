import numpy as np
import pytest

from tumorscope.catalog.fingerprints import fingerprint
from tumorscope.catalog.prints import Prints, pack_prints, unpack_prints
from tumorscope.catalog.twins import compact_baseline_labels, find_compact_twins, find_twins


def head(seed: int, side: int = 160) -> np.ndarray:
    """An ellipse filled with smooth structure, unlike for every seed."""
    import cv2

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 < 1
    texture = sum(cv2.resize(rng.normal(size=(k, k)), (side, side), interpolation=cv2.INTER_CUBIC) for k in (6, 12, 24))
    return np.where(inside, np.clip(120 + 40 * texture, 30, 255), 0).astype(np.float32)


def test_an_equal_picture_is_an_exact_twin_and_a_mirrored_one_is_near():
    prints = Prints.of([fingerprint(p) for p in (head(0), head(1), head(0), np.ascontiguousarray(head(1)[:, ::-1]))])
    pairs = find_twins(prints)
    assert pairs[["a", "b", "kind", "transform"]].to_numpy().tolist() == [
        [0, 2, "exact", "none"],
        [1, 3, "near", "mirror"],
    ]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_the_transform_makes_the_second_from_the_first(turns):
    first, second = head(0), np.ascontiguousarray(np.rot90(head(0), turns))
    pairs = find_twins(Prints.of([fingerprint(first)]), Prints.of([fingerprint(second)]))
    assert list(pairs["transform"]) == [f"turn{90 * turns}"]


def test_packed_prints_know_the_twins_and_labels_of_what_was_packed():
    prints = Prints.of([fingerprint(head(seed)) for seed in range(20)])
    labels = ["glioma", "notumor"] * 10
    text = pack_prints(prints, labels)
    compact, read = unpack_prints(text)
    asked = Prints.of([fingerprint(np.ascontiguousarray(head(seed)[:, ::-1])) for seed in range(19, 25)])
    assert read == labels
    assert text.isascii()
    assert len(text) < 300 * 20
    assert find_compact_twins(asked, compact).tolist() == [True] + [False] * 5
    assert compact_baseline_labels(prints, compact, labels) == labels
