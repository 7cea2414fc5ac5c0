import numpy as np
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.digit import layout
from bpcli.data.picture.outline import filled
from bpcli.data.picture.scale import grow
from bpcli.data.scenes.corruptions import damaged

DIGITS = read_split(resources.mnist(), "train", 10_000).images[:100].reshape(-1, 28, 28)
OWN = layout(28)


def circle(radius: float, width: float = 1.0) -> NDArray[np.bool_]:
    return np.asarray(abs(np.hypot(*(np.mgrid[:28, :28] - 13.5)) - radius) <= width / 2, np.bool_)


def test_a_ring_between_two_circles_is_filled_and_its_hole_is_not() -> None:
    found = filled((circle(10) | circle(6)).astype(np.float32), OWN) > 0.5
    away = np.hypot(*(np.mgrid[:28, :28] - 13.5))
    assert found[(away > 6) & (away < 10)].all()
    assert not found[(away < 5) | (away > 11)].any()


def test_the_wide_inside_of_a_thin_0_is_left_open() -> None:
    ink = circle(10).astype(np.float32)
    assert filled(ink, OWN) is ink


def test_outlines_become_the_digits_they_were_also_with_small_gaps() -> None:
    alike = []
    for digit in DIGITS:
        outline = damaged("canny_edges", digit, 0) > 0
        outline[np.unravel_index(np.flatnonzero(outline)[5], outline.shape)] = False
        found = filled(outline.astype(np.float32), OWN)
        alike.append(np.corrcoef(found.ravel(), grow(digit > 127, 1).ravel())[0, 1])
    assert np.mean(np.array(alike) > 0.8) > 0.85


def test_thin_digits_are_no_outlines() -> None:
    for digit in DIGITS:
        for ink in ((digit / np.float32(255)).astype(np.float32), (digit > 200).astype(np.float32)):
            assert filled(ink, OWN) is ink
