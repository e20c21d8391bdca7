import numpy as np
import pytest
from PIL import Image

from tumorscope.errors import ScanError
from tumorscope.inference.inputs import read_inputs
from tumorscope.preprocess import Spec

SEQUENCES = Spec(side=32, channels="lgg", crop=False, fit="stretch", window="none")
GRAY = np.random.default_rng(0).integers(30, 220, (32, 32)).astype(np.uint8)


def saved(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


def test_three_sequences_become_the_three_channels_of_one_input(tmp_path):
    planes = np.random.default_rng(1).integers(30, 220, (32, 32, 3)).astype(np.uint8)
    (item,) = read_inputs(saved(tmp_path / "slice.tif", planes), SEQUENCES)
    np.testing.assert_array_equal(item.image, planes)


def test_a_color_picture_of_one_sequence_is_taken_three_times(tmp_path):
    (item,) = read_inputs(saved(tmp_path / "slice.tif", np.dstack([GRAY] * 3)), SEQUENCES)
    np.testing.assert_array_equal(item.image, np.dstack([GRAY] * 3))


def test_a_gray_picture_does_not_hold_three_sequences(tmp_path):
    with pytest.raises(ScanError, match="needs three sequences"):
        read_inputs(saved(tmp_path / "slice.png", GRAY), SEQUENCES)
