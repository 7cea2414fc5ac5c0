from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.core import seeds
from bpcli.data.datasets import Split
from bpcli.data.drawn.scraps import SCRAPS, shade
from bpcli.data.drawn.signs import all_signs
from bpcli.data.outliers import MAKERS, OUTLIER, clean, lying, with_outliers
from bpcli.data.picture.digit import layout


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


def test_clean_outliers_depend_on_the_seed_and_their_number_alone(small_split: Split) -> None:
    few, more, other = (
        with_outliers(small_split, count, seed, kinds="clean") for count, seed in ((9, 1), (18, 1), (9, 2))
    )
    n = len(small_split)
    np.testing.assert_array_equal(few.images, more.images[: n + 9])
    assert (few.images[n:] != other.images[n:]).any(axis=1).all()
    assert more.labels[n:].tolist() == [OUTLIER] * 18


@pytest.mark.parametrize("side", [20, 28, 64])
def test_clean_outliers_are_as_large_and_as_centred_as_digits(side: int) -> None:
    own = layout(side)
    made = clean(5 * len(SCRAPS), 3, side).reshape(-1, side, side)
    assert len({each.tobytes() for each in made}) == len(made)
    for each in made:
        rows, columns = (np.flatnonzero((each >= 64).any(axis=axis)) for axis in (1, 0))
        assert abs(max(np.ptp(rows), np.ptp(columns)) + 1 - own.box) <= 2 * own.scale
        assert 0.01 < each.mean() / 255 < 0.6


def test_shades_are_no_upright_strips() -> None:
    for index in range(40):
        ink = shade(seeds.stream(0, index))
        rows, columns = (np.flatnonzero((ink >= 0.25).any(axis=axis)) for axis in (1, 0))
        assert np.ptp(columns) + 1 >= (np.ptp(rows) + 1) / 2


def test_signs_are_no_letters_that_are_written_like_digits() -> None:
    names = {form.name for form in all_signs()}
    assert {"A", "H", "K", "plus", "arrow-left"} < names
    assert not names & set("BDIOSZ0123456789bglioqszd")


def test_without_a_digit_to_lay_down_there_are_the_others(small_split: Split) -> None:
    some = ~np.isin(small_split.labels, (3, 7))
    few = Split(small_split.images[some], small_split.labels[some])
    assert len(with_outliers(few, 12, 1)) == len(few) + 12
