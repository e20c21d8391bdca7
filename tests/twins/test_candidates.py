import numpy as np
import pytest

from tumorscope.twins.candidates import COMPARED, VIEWS, Described, find_candidates
from tumorscope.twins.shortlist import SHORTLIST
from tumorscope.twins.structure import TRANSFORMS, fold_spectra, spectra, transform_picture, transform_spectra


def pictures(count: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (count, 8, 8))
    return np.kron(coarse, np.ones((8, 8))).astype(np.uint8)


def described(drawn: np.ndarray) -> Described:
    return Described(spectra(drawn), spectra(drawn), np.zeros(len(drawn), bool))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_mirrors_and_turns_leave_folded_spectra_as_they_are(transform):
    values = spectra(pictures(5))
    np.testing.assert_allclose(
        fold_spectra(values, COMPARED), fold_spectra(transform_spectra(values, transform), COMPARED), atol=1e-5
    )


def test_folded_spectra_of_different_pictures_differ():
    folded = fold_spectra(spectra(pictures(20)), COMPARED)
    np.testing.assert_allclose(np.linalg.norm(folded, axis=1), 1, atol=1e-5)
    alike = folded @ folded.T - np.eye(20)
    assert alike.max() < 0.95


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_way_round_and_the_full_similarity_are_found(transform):
    drawn = pictures(30)
    copy = np.ascontiguousarray(transform_picture(drawn[7:8], transform)).astype(np.uint8)
    found = find_candidates(described(drawn), described(copy))
    best = found.take(np.array([found.score.argmax()]))
    assert (best.a[0], best.b[0], TRANSFORMS[best.transform[0]]) == (7, 0, transform)
    assert best.score[0] == pytest.approx(1, abs=1e-4)
    assert VIEWS[best.view[0]][1] == (0.0, 0.0, 0.0, 0.0)


def test_every_copy_is_among_the_candidates_of_a_set_larger_than_the_shortlist():
    drawn = pictures(10 * SHORTLIST)
    drawn[1::2] = drawn[::2, :, ::-1]
    found = find_candidates(described(drawn))
    assert (found.a < found.b).all()
    pairs = set(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert {(row, row + 1) for row in range(0, len(drawn), 2)} <= pairs
    assert len(pairs) == len(found)
