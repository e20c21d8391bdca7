"""Which epoch of a training is kept."""

import numpy as np
import pandas as pd
import pytest

from tumorscope.training.curves import kept_epoch


@pytest.mark.parametrize(
    ("losses", "kept"),
    [([0.9, 0.4, 0.6], 1), ([0.5, 0.4, 0.4], 2), ([np.nan, 0.5, np.nan, 0.7], 1), ([np.inf, 0.5], 1)],
)
def test_the_lowest_loss_is_kept_of_equals_the_last_and_never_one_that_is_no_number(losses, kept):
    assert kept_epoch(pd.DataFrame({"val_loss": losses})) == kept
