"""Projective geometry against the definition of a homography."""

import numpy as np
import pytest
from PIL import Image

from bpcli.data.form.plane import flattened, homography, moved

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
SEEN = np.array([(3, 2), (9, 1), (8, 7), (2, 9)], np.float64)


def test_four_points_go_to_four_points_and_lines_to_lines() -> None:
    matrix = homography(SQUARE, SEEN)
    assert matrix is not None
    assert moved(matrix, SQUARE) == pytest.approx(SEEN)
    middle, (a, b, c, d) = moved(matrix, np.array([0.5, 0.5])), SEEN
    for one, other in ((a, c), (b, d)):
        across, along = middle - one, other - one
        assert across[0] * along[1] == pytest.approx(across[1] * along[0])


def test_a_flattened_part_is_what_a_scan_of_it_shows() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    to_pixels = np.array([(0, -1, 40), (1, 0, 0), (0, 0, 1)], np.float64)  # a quarter turn
    part = np.asarray(flattened(Image.fromarray(pixels), to_pixels, (5, 10, 25, 22), 1))
    assert np.array_equal(part, np.rot90(pixels, 1)[10:22, 5:25])
