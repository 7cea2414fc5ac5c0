import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bpcli.data.picture.scale import bounds, grow, percentile, resize, shrink, smooth, unzoomed


def test_shrinking_keeps_the_mean_and_the_proportions() -> None:
    picture = np.random.default_rng(0).random((60, 40), np.float32)
    small = shrink(picture, 30)
    assert small.shape == (30, 20)
    np.testing.assert_allclose(small, picture.reshape(30, 2, 20, 2).mean(axis=(1, 3)), atol=1e-6)


@given(height=st.integers(1, 300), width=st.integers(1, 300), longest=st.integers(1, 100))
def test_no_side_is_longer_than_asked_or_vanishes(height: int, width: int, longest: int) -> None:
    small = shrink(np.zeros((height, width), np.float32), longest)
    assert max(small.shape) == min(longest, max(height, width))
    assert min(small.shape) >= 1


def test_resizing_names_width_before_height() -> None:
    assert resize(np.zeros((4, 6), np.float32), 3, 2, Image.Resampling.BOX).shape == (2, 3)


def test_smoothing_leaves_a_ramp_as_it_is_and_spreads_a_point() -> None:
    ramp = np.tile(np.arange(9, dtype=np.float32), (5, 1))
    np.testing.assert_allclose(smooth(ramp)[:, 1:-1], ramp[:, 1:-1])
    point = np.zeros((5, 5), np.float32)
    point[2, 2] = 16
    np.testing.assert_array_equal(smooth(point)[1:4, 1:4], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_a_mask_reaches_from_its_first_pixel_to_its_last() -> None:
    mask = np.zeros((6, 9), np.bool_)
    mask[2, 7] = mask[4, 1] = True
    assert bounds(mask) == (2, 1, 4, 7)
    assert bounds(mask.T[1:]) == (0, 2, 6, 4)


def test_growing_makes_an_octagon() -> None:
    point = np.zeros((7, 7), np.bool_)
    point[3, 3] = True
    assert grow(point, 0).sum() == 1
    assert grow(point, 1).sum() == 9
    grown = grow(point, 2)
    assert grown.sum() == 21
    np.testing.assert_array_equal(grown, grown.T)
    assert not grown[1, 1]


@given(height=st.integers(2, 12), width=st.integers(2, 12), factor=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_enlarging_by_squares_is_undone(height: int, width: int, factor: int, seed: int) -> None:
    small = np.random.default_rng(seed).random((height, width), np.float32)
    np.testing.assert_array_equal(unzoomed(np.kron(small, np.ones((factor, factor), np.float32))), small)


def test_a_blank_picture_stays_as_large_as_it_is() -> None:
    assert unzoomed(np.ones((12, 8), np.float32)).shape == (12, 8)


@given(values=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50), percent=st.integers(0, 100))
def test_a_percentile_is_numpys(values: list[float], percent: int) -> None:
    numbers = np.array(values, np.float32)
    assert percentile(numbers, percent) == pytest.approx(float(np.percentile(numbers, percent)), abs=1e-6)
