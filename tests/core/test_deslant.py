"""Deslanting, held against the moments' definition, a slow loop and shapes of which the answer is known."""

from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli import resources
from bpcli.core.deslant import STEEPEST, deslant
from bpcli.data.datasets import read_split

DIGITS = read_split(resources.mnist(), "train", 0).images[:300]


def derivative(image: NDArray[np.uint8]) -> float:
    """μ₁₁/μ₀₂ by its definition."""
    y, x = np.indices((isqrt(image.size),) * 2)
    p = image.reshape(y.shape) / image.sum()
    down, right = y - (p * y).sum(), x - (p * x).sum()
    return float((p * down * right).sum() / (p * down * down).sum())


def slow(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The image with each row moved, pixel by pixel."""
    side = isqrt(image.size)
    rows = image.reshape(side, side).astype(float)
    lean = float(np.clip(derivative(image), -STEEPEST, STEEPEST))
    middle = sum(y * rows[y].sum() for y in range(side)) / rows.sum()
    found = np.zeros((side, side))
    for y in range(side):
        padded = np.pad(rows[y], 1)
        for x in range(side):
            found[y, x] = np.interp(x + lean * (y - middle), np.arange(-1, side + 1), padded, left=0.0, right=0.0)
    return found.ravel()


def bar(lean: float) -> NDArray[np.uint8]:
    """A stroke, 4 pixels wide and 20 high, that leans to the right by so many pixels for each pixel up."""
    image = np.zeros((28, 28))
    for y in range(4, 24):
        image[y] = np.clip(2.5 - abs(np.arange(28) - 13.5 - lean * (13.5 - y)), 0, 1)
    return np.rint(255 * image).astype(np.uint8).reshape(784)


def test_digits_are_what_a_slow_loop_makes_of_them() -> None:
    assert abs(deslant(DIGITS) - np.array([slow(image) for image in DIGITS])).max() <= 0.51


@pytest.mark.parametrize("side", [8, 20, 28, 64])
def test_images_of_any_side_are_what_a_slow_loop_makes_of_them(side: int) -> None:
    rng = np.random.default_rng(side)
    n = 200_704 // side**2 + 2  # more than one block
    images = rng.integers(256, size=(n, side, side)) * (rng.random((n, side, side)) < 0.2)
    images[:, side // 3 :, : side // 2] = 0  # as if leaning to the right
    pixels = images.reshape(n, -1).astype(np.uint8)
    found = deslant(pixels)
    for index in (0, 1, n - 2, n - 1):
        assert abs(found[index] - slow(pixels[index])).max() <= 0.51


def test_a_leaning_bar_stands_upright_after_it() -> None:
    upright = bar(0.0).astype(int)
    for lean in (-0.7, -0.3, 0.25, 0.6):
        found = deslant(bar(lean)[None])[0]
        assert abs(found - upright).mean() < 0.3 * abs(bar(lean) - upright).mean()
        assert (found.reshape(28, 28) > 128).any(axis=0).sum() == 4


def test_digits_lean_no_more_and_stay_where_they_are() -> None:
    upright = deslant(DIGITS)
    before, after = (np.array([abs(derivative(image)) for image in images]) for images in (DIGITS, upright))
    assert before.mean() > 0.2
    assert after[before < STEEPEST].max() < 0.03

    assert abs(_middles(DIGITS) - _middles(upright)).max() < 0.1


def _middles(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """x̄ of each image."""
    sums = images.reshape(-1, 28, 28).sum(axis=1)
    middles: NDArray[np.float64] = sums @ np.arange(28) / sums.sum(axis=1)
    return middles


def test_what_lies_flat_is_not_torn_apart() -> None:
    flat = np.zeros((1, 28, 28), np.uint8)
    flat[0, 13, 4:14] = flat[0, 14, 14:24] = 255  # μ₁₁/μ₀₂ is 10
    assert derivative(flat[0]) > 9
    assert int(deslant(flat.reshape(1, 784)).sum()) == pytest.approx(int(flat.sum()), rel=0.01)


def test_an_empty_image_stays_empty_and_one_image_is_an_image() -> None:
    assert not deslant(np.zeros((3, 784), np.uint8)).any()
    assert deslant(np.zeros((0, 784), np.uint8)).shape == (0, 784)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 600), st.integers(8, 64), st.integers(0, 2**32 - 1))
def test_each_image_is_dealt_with_by_itself(n: int, side: int, seed: int) -> None:
    images = np.random.default_rng(seed).integers(256, size=(n, side * side), dtype=np.uint8)
    before = images.copy()
    found = deslant(images)
    assert found.dtype == np.uint8
    assert np.array_equal(images, before)
    last = n - 1
    assert np.array_equal(found[last], deslant(images[last:])[0])
