"""Widths, held against areas added up pixel by pixel and shapes of which the answer is known."""

from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli import resources
from bpcli.core.deslant import STEEPEST
from bpcli.core.width import set_width
from bpcli.data.datasets import read_split
from tests.core.test_deslant import bar, derivative

DIGITS = read_split(resources.mnist(), "train", 0).images[:300]


def area(row: NDArray[np.float64], left: float, right: float) -> float:
    """The ink of a row between two places, each pixel with the part of it that lies between them."""
    covered = (max(0.0, min(right, x + 1) - max(left, x)) for x in range(len(row)))
    return float(sum(ink * part for ink, part in zip(row, covered, strict=True)))


def slow(image: NDArray[np.uint8], width: int, deslanted: bool) -> NDArray[np.float64]:
    """The image with its box set to a width about its centre of mass, pixel by pixel."""
    side = isqrt(image.size)
    rows = image.reshape(side, side).astype(float)
    y, x = np.indices(rows.shape)
    lean = float(np.clip(derivative(image), -1, 1)) if deslanted else 0.0
    moves = lean * (np.arange(side) - (y * rows).sum() / rows.sum())
    places = (x - moves[:, None])[rows >= rows.max() / 4]
    scale = (places.max() - places.min() + 1) / width
    found, half = np.zeros(rows.shape), max(scale, 1) / 2
    for row in range(side):
        for column in range(side):
            middle = (x * rows).sum() / rows.sum() + (column - side / 2) * scale + moves[row] + 0.5
            found[row, column] = area(rows[row], middle - half, middle + half) / (2 * half)
    return found.ravel()


def widths(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many columns the ink of images of 28 pixels a side spans, without its faintest."""
    inked = images.reshape(-1, 28, 28).max(axis=1) >= 64
    found: NDArray[np.int64] = 28 - inked[:, ::-1].argmax(axis=1) - inked.argmax(axis=1)
    return found


@pytest.mark.parametrize("deslanted", [False, True])
@pytest.mark.parametrize("width", [4, 10, 20, 28])
def test_digits_are_what_a_slow_loop_makes_of_them(width: int, deslanted: bool) -> None:
    expected = np.array([slow(image, width, deslanted) for image in DIGITS[:40]])
    assert abs(set_width(DIGITS[:40], width, deslanted) - expected).max() <= 0.52


@pytest.mark.parametrize("side", [8, 21, 64])
def test_images_of_any_side_are_what_a_slow_loop_makes_of_them(side: int) -> None:
    rng = np.random.default_rng(side)
    n = 50_176 // side**2 + 2  # more than one block
    images = rng.integers(256, size=(n, side, side)) * (rng.random((n, side, side)) < 0.2)
    images[:, side // 3 :, : side // 2] = 0  # as if leaning to the right
    pixels = images.reshape(n, -1).astype(np.uint8)
    found = set_width(pixels, side // 2, deslanted=True)
    for index in (0, n - 1):
        assert abs(found[index] - slow(pixels[index], side // 2, True)).max() <= 0.52


@pytest.mark.parametrize("deslanted", [False, True])
def test_digits_have_the_width_and_lie_in_the_middle(deslanted: bool) -> None:
    for width in (10, 14, 20):
        found = set_width(DIGITS, width, deslanted)
        assert np.mean(abs(widths(found) - width) <= 1) > 0.95  # a thin 1 has blurred ends
        columns = found.reshape(-1, 28, 28).sum(axis=1)
        assert np.abs(columns @ np.arange(28) / columns.sum(axis=1) - 14).mean() < 0.05


def test_a_bar_becomes_a_bar_of_that_width() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 3:11] = 200
    for width in (4, 8, 16):
        found = set_width(image.reshape(1, -1), width).reshape(28, 28)
        first = 14 - width // 2
        edges = found[4:24, [first - 1, first + width]], found[4:24, first : first + width]
        assert found.sum(dtype=int) == pytest.approx(200 * 20 * width, rel=0.02)
        assert edges[0].max() <= 100
        assert edges[1].min() >= 100
        assert not found[:4].any()


def test_a_digit_that_has_the_width_and_the_place_stays_as_it_is() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 10:19] = np.random.default_rng(0).integers(100, 256, (20, 5))[:, [0, 1, 2, 3, 4, 3, 2, 1, 0]]
    assert np.array_equal(set_width(image.reshape(1, -1), 9), image.reshape(1, -1))


def test_slanted_digits_are_set_upright_in_the_same_step() -> None:
    lean = np.array([abs(derivative(image)) for image in set_width(DIGITS, 16, deslanted=True)])
    before = np.array([abs(derivative(image)) for image in DIGITS])
    assert before.mean() > 0.2
    assert lean[before < STEEPEST].max() < 0.05

    assert abs(derivative(set_width(bar(0.5)[None], 12, deslanted=True)[0])) < 0.02


def test_an_empty_image_stays_empty_and_one_image_is_an_image() -> None:
    for deslanted in (False, True):
        assert not set_width(np.zeros((3, 784), np.uint8), 12, deslanted).any()
        assert set_width(np.zeros((0, 784), np.uint8), 12, deslanted).shape == (0, 784)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.integers(8, 64), st.integers(4, 64), st.booleans(), st.integers(0, 2**32 - 1))
def test_each_image_is_dealt_with_by_itself(n: int, side: int, width: int, deslanted: bool, seed: int) -> None:
    images = np.random.default_rng(seed).integers(256, size=(n, side * side), dtype=np.uint8)
    before = images.copy()
    found = set_width(images, width, deslanted)
    assert found.dtype == np.uint8
    assert np.array_equal(images, before)
    assert np.array_equal(found[-1], set_width(images[-1:], width, deslanted)[0])
