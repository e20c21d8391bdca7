import numpy as np
import pytest

pytest.importorskip("cv2")
from tumorscope.training.augment import augment
from tumorscope.training.recipe import AugmentRecipe
from tumorscope.training.transplant import transplant

NONE = AugmentRecipe(**dict.fromkeys(AugmentRecipe.model_fields, 0))


@pytest.fixture
def image():
    yy, xx = np.mgrid[:64, :64]
    return (200 * np.exp(-((yy - 30) ** 2 + (xx - 34) ** 2) / 300)).astype(np.uint8)[..., None]


def test_nothing_asked_changes_nothing(image):
    out, mask = augment(image, image[..., 0], NONE, np.random.default_rng(0))
    np.testing.assert_array_equal(out, image)
    np.testing.assert_array_equal(mask, image[..., 0])


def test_the_same_state_gives_the_same_picture_and_another_does_not(image):
    first, _ = augment(image, None, AugmentRecipe(), np.random.default_rng(1))
    again, _ = augment(image, None, AugmentRecipe(), np.random.default_rng(1))
    other, _ = augment(image, None, AugmentRecipe(), np.random.default_rng(2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_certain_flip_mirrors_image_and_mask_alike(image):
    recipe = NONE.model_copy(update={"flip": 1.0})
    out, mask = augment(image, image[..., 0], recipe, np.random.default_rng(0))
    np.testing.assert_array_equal(out, image[:, ::-1])
    np.testing.assert_array_equal(mask, image[:, ::-1, 0])


def test_geometry_moves_the_mask_with_the_image(image):
    recipe = NONE.model_copy(update={"degrees": 40.0, "translate": 0.1, "scale": 0.2})
    mask = ((image[..., 0] > 100) * 255).astype(np.uint8)
    out, moved = augment(image, mask, recipe, np.random.default_rng(3))
    ours, theirs = out[..., 0] > 100, moved > 127
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.9


def _head(side=96):
    yy, xx = np.mgrid[:side, :side]
    return np.where((yy - 48) ** 2 + (xx - 48) ** 2 < 40**2, 100, 0).astype(np.uint8)


def test_a_transplanted_lesion_lies_in_the_head_is_visible_and_leaves_the_rest_alone():
    head = _head()
    donor, mask = head.copy(), np.zeros_like(head)
    donor[40:52, 30:42] = 220
    mask[40:52, 30:42] = 255
    done = 0
    for seed in range(20):
        planted = transplant(head, donor, mask, np.random.default_rng(seed))
        if planted is None:
            continue
        done += 1
        out, where = planted
        inside = where > 0
        assert inside.sum() > 20
        assert head[inside].min() > 0, "the lesion lies in the head"
        change = np.abs(out.astype(int) - head)
        assert change[inside].mean() >= 14
        far = np.hypot(*np.subtract(np.indices(head.shape), np.argwhere(inside).mean(axis=0)[:, None, None])) > 30
        assert change[far].max(initial=0) == 0
    assert done >= 12


def test_a_lesion_without_contrast_is_not_planted():
    head = _head()
    mask = np.zeros_like(head)
    mask[40:52, 40:52] = 255
    assert all(transplant(head, head, mask, np.random.default_rng(seed)) is None for seed in range(5))
