import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.pieces import find_pieces
from bpcli.data.scenes.corruptions import CORRUPTIONS, damaged

DIGITS = read_split(resources.mnist(), "test", 0).images[:200].reshape(-1, 28, 28)


def middle(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The centre of mass (y, x)."""
    places = np.mgrid[: picture.shape[0], : picture.shape[1]].reshape(2, -1)
    return np.asarray(places @ picture.ravel() / picture.sum(dtype=np.int64))


def slope(picture: NDArray[np.uint8]) -> float:
    """The angle of the longest axis of the ink, clockwise from upright, in radians."""
    places = np.mgrid[: picture.shape[0], : picture.shape[1]].reshape(2, -1)
    (yy, xy), (_, xx) = np.cov(places, aweights=picture.ravel())
    return float(0.5 * np.arctan2(2 * xy, yy - xx))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_kind_digit_and_index_determine_a_damaged_picture(kind: str) -> None:
    one, same = damaged(kind, DIGITS[3], 2), damaged(kind, DIGITS[3], 2)
    assert one.shape == (28, 28)
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert np.array_equal(one, DIGITS[3]) == (kind == "clean")
    varied = any(not np.array_equal(one, damaged(kind, DIGITS[3], index)) for index in range(3, 9))
    assert varied == (kind not in {"clean", "scale", "brightness", "stripe", "canny_edges"})


def test_noise_is_as_strong_as_defined() -> None:
    white = np.full((28, 28), 255, np.uint8)
    struck = np.mean([damaged("impulse_noise", white, index) == 0 for index in range(40)])
    assert struck == pytest.approx(0.17 / 2, abs=0.006)
    counts = np.concatenate([damaged("shot_noise", white // 3, index) for index in range(40)])
    assert set(np.unique(counts)) == {0, 85, 170, 255}
    assert np.mean(counts == 0) == pytest.approx(np.exp(-1), abs=0.02)  # Poisson's share of none where one is expected


def test_digits_are_moved_turned_and_made_smaller_as_defined() -> None:
    ones = DIGITS[read_split(resources.mnist(), "test", 0).labels[:200] == 1]
    for index, digit in enumerate(ones):
        moved = middle(damaged("translate", digit, index)) - middle(digit)
        np.testing.assert_allclose(abs(moved), 3, atol=0.2)
        turned = slope(damaged("rotate", digit, index)) - slope(digit)
        assert abs(turned) == pytest.approx(0.4, abs=0.08)
        assert damaged("scale", digit, index).sum() == pytest.approx(0.49 * digit.sum(dtype=np.int64), rel=0.1)


def test_stripes_are_inverted_and_twice_is_none() -> None:
    once = damaged("stripe", DIGITS[0], 0)
    assert np.array_equal(damaged("stripe", once, 1), DIGITS[0])
    assert np.array_equal(once[:, 7:21], DIGITS[0][:, 7:21])
    assert np.array_equal(once[:, 21:], 255 - DIGITS[0][:, 21:])


def test_edges_of_a_disk_are_two_thin_rings_where_it_has_a_hole() -> None:
    away = np.hypot(*(np.mgrid[:28, :28] - 13.5))
    ring = np.where((away < 11) & (away > 5), 255, 0).astype(np.uint8)
    edges = damaged("canny_edges", ring, 0) > 0
    assert len(find_pieces(edges)) == 2
    assert set(np.rint(away[edges]).astype(int)) <= {4, 5, 6, 10, 11, 12}
    assert edges.sum() < 2 * 2 * np.pi * (11 + 5)


def test_lines_cross_the_picture_and_dots_have_gaps() -> None:
    black = np.zeros((28, 28), np.uint8)
    crossed = [(damaged("zigzag", black, index).max(axis=0)[3:24] > 100).sum() for index in range(20)]
    assert np.median(crossed) == 21  # some leave the picture at its top or its foot
    for index in range(20):
        used = damaged("dotted_line", black, index).max(axis=0) > 0
        assert not used[np.arange(28) % 4 < 2].any()
        assert used[[2, 3, 22, 23]].all()


def test_fog_and_light_leave_the_digit_brighter_than_what_is_around() -> None:
    for kind in ("fog", "brightness"):
        for index, digit in enumerate(DIGITS[:20]):
            found = damaged(kind, digit, index).astype(np.float64)
            assert found[digit > 200].mean() > found[digit == 0].mean() + 20
            assert found[digit == 0].mean() > 20
