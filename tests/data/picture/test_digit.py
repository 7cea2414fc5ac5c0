import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.digit import (
    BOX,
    FINE,
    THICKEST,
    THINNEST,
    centred,
    crop,
    fit,
    is_normalised,
    layout,
    stroke_width,
    thicken,
    thin,
    weigh,
)

Grey = NDArray[np.float32]
MNIST = layout(28)
SIDES = [8, 20, 28, 64]


def ring(width: float, side: int = BOX * FINE) -> Grey:
    """A ring that fills its square, its stroke `width` pixels of the box wide."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(x, y)
    middle = side / 2 - width * FINE / 2
    return np.asarray(np.clip(width * FINE / 2 + 0.5 - abs(radius - middle), 0, 1), np.float32)


def test_cropping_keeps_the_ink_and_drops_its_faint_rim() -> None:
    ink = np.zeros((9, 9), np.float32)
    ink[2:5, 3:7], ink[5, 3:7] = 1, 0.1
    np.testing.assert_array_equal(crop(ink), np.ones((3, 4)))


@given(height=st.integers(1, 200), width=st.integers(1, 200))
def test_the_longest_side_fits_and_proportions_stay(height: int, width: int) -> None:
    fitted = fit(np.ones((height, width), np.float32), BOX)
    assert max(fitted.shape) == BOX
    assert min(fitted.shape) == max(1, round(min(height, width) * BOX / max(height, width)))
    np.testing.assert_allclose(fitted, 1, atol=1e-5)


@pytest.mark.parametrize("width", [1.0, 2.5, 5.0])
def test_the_width_of_a_stroke_is_measured(width: float) -> None:
    assert stroke_width(ring(width)) / FINE == pytest.approx(width, rel=0.08)


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0, 3.0, 5.0, 6.5])
def test_strokes_are_brought_to_the_weight_of_mnist(width: float) -> None:
    weighed = stroke_width(weigh(ring(width), MNIST)) / FINE
    assert THINNEST - 0.3 <= weighed <= THICKEST + 0.3


def test_the_layout_of_mnist_is_mnists_and_others_are_in_proportion() -> None:
    assert MNIST == (28, BOX, THINNEST, THICKEST)
    assert [layout(side).box for side in SIDES] == [6, 14, 20, 46]
    for own in map(layout, range(8, 65)):
        assert own.box == pytest.approx(own.side * 20 / 28, abs=0.5)
        assert own.thinnest / own.box == pytest.approx(THINNEST / BOX)
        assert own.thickest / own.box == pytest.approx(THICKEST / BOX)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("width", [0.5, 5.0])
def test_strokes_keep_their_share_of_a_box_of_any_size(side: int, width: float) -> None:
    own = layout(side)
    weighed = stroke_width(weigh(ring(width * own.scale, own.box * FINE), own)) / FINE
    assert own.thinnest - 0.3 <= weighed <= own.thickest + 0.3


def test_a_stroke_of_normal_weight_is_left_as_it_is() -> None:
    np.testing.assert_array_equal(weigh(ring(2.5), MNIST), ring(2.5))


def test_thickening_and_thinning_a_bar_undo_each_other() -> None:
    bar = np.zeros((20, 20), np.float32)
    bar[5:15, 8:12] = 1
    np.testing.assert_array_equal(crop(thin(thicken(bar, 1), 1)), crop(bar))
    assert stroke_width(thicken(bar, 1)) > stroke_width(bar)


@given(st.integers(8, 64), st.floats(0, 1), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_the_centre_of_mass_comes_to_the_middle(side: int, high: float, wide: float, seed: int) -> None:
    height, width = (max(1, round(share * layout(side).box)) for share in (high, wide))
    ink = 0.5 + 0.5 * np.random.default_rng(seed).random((height, width), np.float32)
    pixels = centred(ink, side)
    assert pixels.shape == (side, side)
    np.testing.assert_array_equal(pixels[pixels > 0], np.rint(255 * ink)[np.rint(255 * ink) > 0])
    centre = np.array([pixels.sum(axis=1 - axis) @ np.arange(side) for axis in (0, 1)]) / pixels.sum()
    assert np.all(abs(centre - side / 2) <= 0.51 + 0.05)


def test_the_digits_of_mnist_are_normalised_and_what_is_not_in_their_box_is_not() -> None:
    images = read_split(resources.mnist(), "test", 0).images.reshape(-1, 28, 28)
    assert all(is_normalised(image, MNIST) for image in images[:2000])
    assert not any(is_normalised(np.roll(image, 2, axis=1), MNIST) for image in images[:200])
    assert not any(is_normalised(255 - image, MNIST) for image in images[:200])
    assert not is_normalised(np.zeros((28, 28), np.uint8), MNIST)
    assert not is_normalised(np.zeros((30, 30), np.uint8), MNIST)
    assert not any(is_normalised(image, layout(30)) for image in images[:200])
