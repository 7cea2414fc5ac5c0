import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.data.picture.background import darkness, is_light, paper_around, paper_between, paper_trend, sharpness

Grey = NDArray[np.float32]


def lamp(height: int = 90, width: int = 120) -> Grey:
    """Paper under a lamp: from 0.95 down to about 0.4."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    return np.asarray(0.95 - 0.3 * x - 0.25 * y**2, np.float32)


def cross(height: int = 90, width: int = 120, thick: int = 6) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.bool_)
    mask[20:70, 60 : 60 + thick] = mask[40 : 40 + thick, 30:90] = True
    return mask


def inked(paper: Grey, mask: NDArray[np.bool_], left: float) -> Grey:
    return np.asarray(np.where(mask, paper * left, paper), np.float32)


def test_the_trend_follows_the_lamp_and_not_the_ink() -> None:
    trend = paper_trend(inked(lamp(), cross(), 0.2))
    np.testing.assert_allclose(trend, lamp(), atol=0.1)
    assert abs(trend - lamp()).mean() < 0.03


def test_the_trend_of_bold_ink_on_flat_paper_is_flat() -> None:
    bold = inked(np.full((90, 120), 0.9, np.float32), cross(thick=25), 0.1)
    np.testing.assert_allclose(paper_trend(bold), 0.9, atol=0.02)


@pytest.mark.parametrize("tight", [False, True])
def test_light_ink_is_told_from_dark(tight: bool) -> None:
    paper = lamp()
    scene = inked(paper, cross(thick=6), 0.3)
    if tight:
        scene = scene[20:70, 30:90]
    assert not is_light(scene)
    assert is_light(1 - scene)


def test_a_lamp_alone_is_divided_out_whatever_the_ink() -> None:
    scene = inked(lamp(), cross(), 0.2)
    paper = paper_around(scene, paper_trend(scene), cross())
    np.testing.assert_allclose(paper, lamp(), rtol=0.08)
    np.testing.assert_allclose(darkness(scene, paper), np.where(cross(), 0.8, 0), atol=0.08)


def test_paper_below_a_blot_is_taken_from_around_it() -> None:
    blot = np.zeros((90, 120), np.bool_)
    blot[15:75, 20:100] = True
    scene = inked(np.full((90, 120), 0.8, np.float32), blot, 0.1)
    np.testing.assert_allclose(paper_around(scene, np.ones_like(scene), blot), 0.8, rtol=1e-3)


def test_where_all_is_ink_the_trend_is_the_paper() -> None:
    scene = np.full((5, 5), 0.5, np.float32)
    np.testing.assert_allclose(paper_around(scene, scene, np.ones((5, 5), np.bool_)), 0.5, rtol=1e-3)


def test_a_shadow_wider_than_strokes_is_paper_and_a_stroke_is_not() -> None:
    scene = np.full((96, 96), 0.9, np.float32)
    scene[:, 60:] = 0.5
    shadow = scene.copy()
    scene[20:70, 20:28] = 0.1
    np.testing.assert_allclose(paper_between(scene, 0.25), paper_between(shadow, 0.25), atol=1e-6)
    assert paper_between(scene, 0.25)[:, 70:].max() < 0.55


def test_sharpness_is_the_sum_over_the_four_neighbours() -> None:
    grey = np.array([[0, 1], [3, 7]], np.float32)
    np.testing.assert_array_equal(sharpness(grey), [[1 + 9, 1 + 36], [9 + 16, 36 + 16]])


def test_darkness_on_black_paper_stays_finite() -> None:
    assert np.isfinite(darkness(np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32))).all()
