from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.data.datasets import Split
from bpcli.data.outliers import MAKERS, OUTLIER, lying, with_outliers


def test_strangers_follow_the_digits_and_depend_on_the_seed_alone(small_split: Split) -> None:
    one, same, other = (with_outliers(small_split, 12, seed) for seed in (1, 1, 2))
    n = len(small_split)
    assert len(one) == n + 12
    np.testing.assert_array_equal(one.images[:n], small_split.images)
    np.testing.assert_array_equal(one.labels, [*small_split.labels, *[OUTLIER] * 12])
    np.testing.assert_array_equal(one.images, same.images)
    assert (one.images != other.images).any()


@pytest.mark.parametrize("side", [8, 20, 64])
def test_strangers_have_the_side_of_the_digits_and_the_label_that_is_asked_for(small_split: Split, side: int) -> None:
    digits = np.zeros((len(small_split), side, side), np.uint8)
    digits[:, 2:-2, 3:-3] = 200
    both = with_outliers(Split(digits.reshape(-1, side * side), small_split.labels), 12, 1, label=26)
    outliers = both.images[len(digits) :]
    assert outliers.shape == (12, side * side)
    assert 0.01 < outliers.mean() / 255 < 0.5
    assert both.labels[len(digits) :].tolist() == [26] * 12


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_strangers_have_as_much_ink_as_digits_may_have(
    small_split: Split, maker: Callable[[Split, np.random.Generator], NDArray[np.uint8]]
) -> None:
    rng = np.random.default_rng(0)
    made = np.stack([maker(small_split, rng) for _ in range(20)])
    assert made.shape == (20, 28, 28)
    assert made.dtype == np.uint8
    ink = made.mean(axis=(1, 2)) / 255
    assert ink.min() > 0.01
    assert ink.max() < 0.5
    assert len({each.tobytes() for each in made}) > 15


def test_a_digit_that_lies_is_one_of_those_that_are_none_then(small_split: Split) -> None:
    digits = small_split.images.reshape(-1, 28, 28)
    rng = np.random.default_rng(1)
    for _ in range(20):
        found = lying(small_split, rng)
        ways = (found[:, ::-1], np.rot90(found), np.rot90(found, 3))
        labels = {int(small_split.labels[i]) for i, digit in enumerate(digits) for way in ways if (digit == way).all()}
        assert labels
        assert labels <= {3, 7}
