import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli.data.picture.pieces import find_pieces
from bpcli.data.picture.segment import Box, Found, lines, runs, separate, stacked
from tests.data.picture.uncut import uncut

Mask = NDArray[np.bool_]


def page(*boxes: Box, height: int = 200, width: int = 400) -> Mask:
    """Filled rectangles (left, top, right, bottom) on a page."""
    mask = np.zeros((height, width), np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def places(*boxes: Box) -> list[Box]:
    return [run.place.box for run in uncut(separate(find_pieces(page(*boxes))))]


ONE, TWO, THREE = (20, 20, 40, 60), (60, 22, 90, 63), (120, 18, 135, 55)


def test_digits_come_from_left_to_right() -> None:
    assert places(THREE, ONE, TWO) == [ONE, TWO, THREE]


def test_lines_come_from_the_top_even_if_they_slope() -> None:
    first = [(20 + 60 * n, 20 + 8 * n, 50 + 60 * n, 60 + 8 * n) for n in range(6)]
    second = [(left, top + 60, right, bottom + 60) for left, top, right, bottom in first]
    assert places(*second, *first) == first + second


def test_a_bar_is_joined_to_its_digit_and_a_dot_of_dirt_is_not() -> None:
    bar, dirt = (42, 20, 60, 25), (200, 100, 202, 102)
    assert places(ONE, bar, THREE, dirt) == [(20, 20, 60, 60), THREE]


def test_halves_above_each_other_are_one_digit() -> None:
    assert places(TWO, (120, 20, 140, 38), (118, 42, 140, 62)) == [TWO, (118, 20, 140, 62)]


def test_what_touches_may_be_cut_where_there_is_least_ink_whatever_the_slant() -> None:
    mask = page((100, 20, 130, 60), (138, 20, 168, 60))
    for y in range(20, 60):
        mask[y, 130:138] = y == 40
    leaning = np.array([np.roll(row, 40 - y // 2) for y, row in enumerate(mask)])
    for touching in (mask, leaning):
        (line,) = separate(find_pieces(touching))
        last = max(run.stop for run in line)
        halves = [
            (one, other)
            for one in line
            for other in line
            if one.start == 0 and one.stop == other.start and other.stop == last
        ]
        one, other = min(halves, key=lambda pair: pair[0].crossed)
        assert 0 < one.crossed == other.crossed <= 0.1
        assert 1190 <= one.place.mask.sum() <= 1210
        assert 1190 <= other.place.mask.sum() <= 1210


def test_runs_lie_in_the_mark_and_no_segment_is_without_ink() -> None:
    mark = Found((7, 9, 107, 49), np.random.default_rng(0).random((40, 100)) < 0.7)
    found = runs(mark, 40.0)
    assert len(found) > 10
    for run in found:
        left, top, right, bottom = run.place.box
        assert run.place.mask.shape == (bottom - top, right - left)
        assert run.place.mask[:, [0, -1]].any(axis=0).all()
        assert run.place.mask[[0, -1]].any(axis=1).all()
        assert not (run.place.mask & ~mark.mask[top - 9 : bottom - 9, left - 7 : right - 7]).any()


def test_a_long_tail_is_no_digit() -> None:
    assert places(ONE, (100, 20, 130, 60), (130, 55, 160, 60)) == [ONE, (100, 20, 160, 60)]


def test_a_frame_round_the_page_is_no_digit() -> None:
    frame = [(0, 0, 400, 4), (0, 196, 400, 200), (0, 0, 4, 200), (396, 0, 400, 200)]
    assert places(ONE, *frame) == [ONE]


def test_an_empty_page_has_none() -> None:
    assert places() == []


def test_the_masks_hold_the_ink_of_their_digit_only() -> None:
    slanted = np.zeros((60, 100), np.bool_)
    for y in range(50):
        slanted[5 + y, 40 - y // 2 : 44 - y // 2] = slanted[5 + y, 55 - y // 2 : 59 - y // 2] = True
    found = uncut(separate(find_pieces(slanted)))
    assert [run.place.mask.sum() for run in found] == [200, 200]


@given(st.permutations(range(6)))
def test_the_order_does_not_depend_on_the_order_of_discovery(order: list[int]) -> None:
    boxes = [(30 * n, 50 * row, 30 * n + 20, 50 * row + 40) for row in range(2) for n in range(3)]
    shuffled = [boxes[index] for index in order]
    assert [[shuffled[index] for index in line] for line in lines(shuffled)] == [boxes[:3], boxes[3:]]


def test_a_tall_stack_of_halves_and_a_long_chain_of_digits_need_no_recursion() -> None:
    halves = [(10 * n, 0, 10 * n + 8, 12) for n in range(1500)] + [(10 * n, 14, 10 * n + 8, 30) for n in range(1500)]
    groups = stacked([[index] for index in range(3000)], np.array(halves), 30.0)
    assert groups == [[n, n + 1500] for n in range(1500)]
    (whole,) = uncut([runs(Found((0, 0, 4000, 3), np.ones((3, 4000), np.bool_)), 3.0)])
    assert whole.place.mask.shape == (3, 4000)


def test_a_hair_is_a_digit_although_it_has_little_ink() -> None:
    assert places((100, 10, 101, 190)) == [(100, 10, 101, 190)]
