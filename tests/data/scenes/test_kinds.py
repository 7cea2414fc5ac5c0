import numpy as np
import pytest

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.read import read_picture
from bpcli.data.scenes.kinds import CONTRAST, KINDS, LARGEST, SMALLEST, scene, two_colours
from bpcli.data.scenes.look import LUMA, Look
from bpcli.data.scenes.numbers import number
from bpcli.data.scenes.paper import draw
from bpcli.data.scenes.strokes import coverage, skeleton

DIGITS = read_split(resources.mnist(), "test", 0).images.reshape(-1, 28, 28)


def looks(kind: str, count: int = 300) -> list[Look]:
    return [KINDS[kind](np.random.default_rng(index)) for index in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_digit_kind_and_index_give_the_same_file(kind: str) -> None:
    one, same, other = (scene(kind, DIGITS[3], index) for index in (2, 2, 3))
    assert one == same
    assert one != other
    assert np.ptp(read_picture(one)) > 0.15


def test_the_looks_cover_what_they_promise() -> None:
    sizes = [look.size for look in looks("size")]
    assert SMALLEST <= min(sizes) < 20
    assert 1000 < max(sizes) <= LARGEST
    assert {look.orientation for look in looks("exif")} == set(range(1, 9))
    assert len({look.file for look in looks("formats")}) == 17
    pens = [look.pen or 0 for look in looks("pen")]
    assert 0.01 <= min(pens) < 0.013
    assert 0.13 < max(pens) <= 0.16
    lines = {look.lines for look in looks("photograph")}
    assert lines == {"none", "ruled", "squared"}
    assert all(look.file == "jpeg 30" and look.noise and look.texture and look.lamp for look in looks("photograph"))
    assert all(abs(look.rotation) <= 10 for look in looks("rotation"))


def test_polarity_is_either_and_its_contrast_is_not_below_a_quarter() -> None:
    steps = np.array([(np.subtract(look.paper, look.ink)) @ LUMA for look in looks("polarity")])
    assert abs(steps).min() >= CONTRAST - 1e-6
    assert 0.4 < np.mean(steps > 0) < 0.6
    assert all((np.array(one) - other) @ LUMA >= CONTRAST for one, other in [two_colours(np.random.default_rng(0))])


@pytest.mark.parametrize("size", [14, 60, 300])
@pytest.mark.parametrize("pen", [None, 0.05])
def test_a_digit_is_as_large_as_asked(size: int, pen: float | None) -> None:
    assert max(coverage(DIGITS[0], Look(size=size, pen=pen)).shape) == pytest.approx(size, abs=2 + 0.12 * size)


def test_a_thicker_pen_leaves_more_ink() -> None:
    ink = [coverage(DIGITS[0], Look(size=200, pen=pen)).mean() for pen in (0.01, 0.04, 0.12)]
    assert ink[0] < 0.5 * ink[1]
    assert ink[1] < 0.5 * ink[2]


def test_a_skeleton_is_thin_and_in_one_piece_with_what_it_came_from() -> None:
    bar = np.zeros((20, 30), np.bool_)
    bar[5:15, 4:26] = True
    spine = skeleton(bar)
    assert spine[9:11].sum() == spine.sum() <= 24
    assert spine.sum() >= 10
    assert not (spine & ~bar).any()


def test_margins_paper_and_ink_are_where_they_belong() -> None:
    look = Look(size=40, margins=(5, 6, 7, 8), paper=(0.2, 0.8, 0.4), ink=(1.0, 0.0, 1.0))
    drawn = draw(DIGITS[0], look, np.random.default_rng(0))
    ink = coverage(DIGITS[0], look)
    assert drawn.shape == (ink.shape[0] + 14, ink.shape[1] + 12, 3)
    assert (drawn[0, 0] == [51, 204, 102]).all()
    full = np.argwhere(ink == 1)[0] + (6, 5)
    assert (drawn[tuple(full)] == [255, 0, 255]).all()


def test_a_number_tells_which_of_its_digits_touch() -> None:
    rng = np.random.default_rng(0)
    free, none = number(list(DIGITS[:6]), Look(size=60), rng)
    tight, meeting = number(list(DIGITS[:6]), Look(size=60), rng, touching=1.0)
    assert none == [False] * 5
    assert any(meeting)
    assert tight.shape[1] < free.shape[1]
