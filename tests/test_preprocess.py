"""A slice becomes one input, whatever file, depth or scale it came in."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tumorscope.preprocess import Spec, head_box, level_percentiles, place, preprocess, preprocess_mask
from tumorscope.scans import read_slice


def _head(height=200, width=160, center=(90, 70), radii=(60, 40)):
    """Return uint8: a bright ellipse with shading inside on a dark, slightly noisy background."""
    noise = np.random.default_rng(1).integers(0, 6, (height, width)).astype(np.uint8)
    rows, columns = np.mgrid[:height, :width]
    inside = ((rows - center[0]) / radii[0]) ** 2 + ((columns - center[1]) / radii[1]) ** 2 <= 1
    shade = (120 + 80 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.uint8)
    return np.where(inside, shade, noise)


MODES = {
    "gray": Image.fromarray,
    "RGB": lambda g: Image.fromarray(np.dstack([g] * 3)),
    "RGBA": lambda g: Image.fromarray(np.dstack([g] * 3 + [np.full_like(g, 255)])),
    "palette": lambda g: (
        Image.fromarray(g).quantize(256) if len(np.unique(g)) < 256 else Image.fromarray(g).convert("P")
    ),
    "16 bits": lambda g: Image.fromarray(g.astype(np.uint16) * 257),
    "16 bits, other scale": lambda g: Image.fromarray(g.astype(np.uint16) * 100),
}


@pytest.mark.parametrize("spec", [Spec(), Spec(side=96, crop=False, fit="stretch"), Spec(side=224, window=(1, 99))])
@pytest.mark.parametrize("mode", MODES)
def test_one_picture_in_every_mode_gives_one_input(tmp_path, mode, spec):
    gray = _head()
    MODES[mode](gray).save(tmp_path / "scan.png")
    got = preprocess(read_slice(tmp_path / "scan.png"), spec)
    np.testing.assert_array_equal(got, preprocess(gray.astype(np.float32), spec))


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    side=st.integers(32, 100),
    crop=st.booleans(),
    fit=st.sampled_from(["letterbox", "stretch"]),
    channels=st.sampled_from(["gray", "lgg"]),
    seed=st.integers(0, 99),
)
def test_any_shape_gives_the_input_that_the_spec_asks_for(height, width, side, crop, fit, channels, seed):
    spec = Spec(side=side, crop=crop, fit=fit, channels=channels)
    shape = (height, width) if channels == "gray" else (height, width, 3)
    pixels = np.random.default_rng(seed).normal(0, 1000, shape).astype(np.float32)
    got, placed = preprocess(pixels, spec), place(pixels, spec)
    np.testing.assert_array_equal(preprocess(pixels, spec, placed), got)
    assert got.dtype == np.uint8
    assert got.shape == (side, side, spec.depth)
    for (top, left, tall, wide), (most_tall, most_wide) in (
        (placed.box, (height, width)),
        (placed.frame, (side, side)),
    ):
        assert 0 <= top < top + tall <= most_tall
        assert 0 <= left < left + wide <= most_wide
    outside = np.ones((side, side), bool)
    top, left, tall, wide = placed.frame
    outside[top : top + tall, left : left + wide] = False
    assert not got[outside].any()


@settings(max_examples=40, deadline=None)
@given(scale=st.sampled_from([0.5, 2.0, 64.0]), offset=st.integers(-512, 512), seed=st.integers(0, 99))
def test_scale_and_offset_of_the_scanner_make_no_difference(scale, offset, seed):
    gray = np.random.default_rng(seed).integers(0, 256, (40, 50)).astype(np.float32)
    one, other = (preprocess(values, Spec(side=64)) for values in (gray, gray * scale + offset))
    assert np.abs(one.astype(int) - other).max() <= 1


def test_the_window_spreads_the_head_over_all_levels():
    got = preprocess(_head().astype(np.float32) / 4 + 30, Spec(side=160))
    assert got.min() == 0
    assert got.max() == 255


def test_a_square_slice_of_the_right_side_is_left_as_it_is():
    gray = np.arange(32 * 32).reshape(32, 32) % 256
    got = preprocess(gray.astype(np.float32), Spec(side=32, crop=False, fit="stretch", window=(0, 100)))
    np.testing.assert_array_equal(got[..., 0], gray)


def test_without_a_window_eight_bits_stay_as_they_are():
    gray = np.random.default_rng(0).integers(40, 90, (32, 32)).astype(np.float32)
    got = preprocess(gray, Spec(side=32, crop=False, fit="stretch", window="none"))
    np.testing.assert_array_equal(got[..., 0], gray)


@pytest.mark.parametrize("shift", [-100, 1000])
def test_what_eight_bits_cannot_hold_gets_the_darkest_and_the_brightest_instead(shift):
    gray = np.random.default_rng(0).normal(shift, 50, (32, 32)).astype(np.float32)
    got, spread = (
        preprocess(gray, Spec(side=32, crop=False, fit="stretch", window=window)) for window in ("none", "minmax")
    )
    np.testing.assert_array_equal(got, spread)
    np.testing.assert_array_equal(spread[..., 0], np.rint((gray - gray.min()) * (255 / np.ptp(gray))))


def test_each_sequence_of_three_has_a_window_of_its_own():
    planes = np.stack([np.linspace(0, top, 32 * 32).reshape(32, 32) for top in (10, 100, 200)], axis=-1)
    spec = Spec(side=32, crop=False, fit="stretch", window="minmax", channels="lgg")
    assert preprocess(planes.astype(np.float32), spec).max(axis=(0, 1)).tolist() == [255, 255, 255]
    as_it_is = preprocess(planes.astype(np.float32), spec.model_copy(update={"window": "none"}))
    assert as_it_is.max(axis=(0, 1)).tolist() == [10, 100, 200]


@pytest.mark.parametrize("window", [[99.5, 0.5], [-1, 50], [0, 101], [1], "max", None, 5, ["a", "b"]])
def test_a_window_that_is_none_is_an_error(window):
    with pytest.raises(ValueError, match="two rising percentiles"):
        Spec(window=window)


def test_a_card_keeps_its_window():
    for window in ((1, 99), "minmax", "none"):
        assert Spec.model_validate_json(Spec(window=window).model_dump_json()).window == window
    assert Spec.model_validate({"side": 160, "window": [0.5, 99.5]}).window == (0.5, 99.5)


@pytest.mark.parametrize("level", [0, 37, 255])
def test_one_gray_level_is_black(level):
    assert not preprocess(np.full((50, 40), level, np.float32), Spec(side=64)).any()


def test_the_head_is_found_with_a_small_margin_and_specks_are_left_out():
    gray = np.zeros((200, 300), np.float32)
    gray[40:140, 100:180] = 150
    gray[190:192, 5:7] = 255  # a mark in the corner
    assert head_box(gray) == (38, 98, 104, 84)  # 2% of 100 pixels on each side
    assert head_box(np.zeros((7, 9), np.float32)) == (0, 0, 7, 9)


def test_letterbox_keeps_the_aspect_and_stretch_does_not():
    gray = np.ones((100, 50), np.float32)
    assert place(gray, Spec(side=64, crop=False)).frame == (0, 16, 64, 32)
    assert place(gray.T, Spec(side=64, crop=False)).frame == (16, 0, 32, 64)
    assert place(gray, Spec(side=64, crop=False, fit="stretch")).frame == (0, 0, 64, 64)


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
@pytest.mark.parametrize("crop", [True, False])
def test_a_place_in_the_input_is_found_again_in_the_slice(crop, fit):
    gray = _head()
    spec = Spec(side=160, crop=crop, fit=fit)
    placed = place(gray.astype(np.float32), spec)
    lesion = np.zeros_like(gray)
    cv2.circle(lesion, (80, 70), 12, 1, -1)
    there = preprocess_mask(lesion, placed)
    assert set(np.unique(there)) == {0, 255}
    back = placed.to_slice(there.astype(np.float32), gray.shape) >= 128
    shared = (back & (lesion > 0)).sum()
    assert 2 * shared / (back.sum() + lesion.sum()) > 0.95  # Dice


def test_nothing_of_the_input_falls_outside_the_box():
    gray = _head()
    placed = place(gray.astype(np.float32), Spec(side=160))
    back = placed.to_slice(np.ones((10, 10), np.float32), gray.shape)
    top, left, height, width = placed.box
    assert np.allclose(back[top : top + height, left : left + width], 1)
    assert back.sum() == pytest.approx(height * width)


def test_channels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="does not fit a spec of gray channels"):
        preprocess(np.zeros((9, 9, 3), np.float32), Spec())
    with pytest.raises(ValueError, match="does not fit a spec of lgg channels"):
        preprocess(np.zeros((9, 9), np.float32), Spec(channels="lgg"))


@given(st.integers(0, 10_000), st.integers(1, 256), st.integers(1, 40), st.integers(1, 40))
def test_percentiles_from_the_histogram_are_those_of_numpy(seed, levels, height, width):
    drawn = np.random.default_rng(seed).integers(0, levels, (height, width)).astype(np.uint8)
    assert level_percentiles(drawn) == tuple(np.percentile(drawn, (1, 98)))


def test_the_head_of_whole_and_of_broken_levels_is_the_same():
    whole = _head().astype(np.float32)
    assert head_box(whole) == head_box(whole + np.float32(0.25)) == (28, 28, 125, 85)
