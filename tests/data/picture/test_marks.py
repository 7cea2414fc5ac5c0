import numpy as np
from numpy.typing import NDArray

from bpcli.data.picture.marks import gaps, one_digit
from bpcli.data.picture.pieces import find_pieces

Mask = NDArray[np.bool_]


def page(*boxes: tuple[int, int, int, int]) -> Mask:
    """Filled rectangles (left, top, right, bottom) on a page of 100×100."""
    mask = np.zeros((100, 100), np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def kept(*boxes: tuple[int, int, int, int]) -> Mask:
    return one_digit(find_pieces(page(*boxes)))


BODY = (40, 30, 60, 70)


def test_a_bar_beside_the_body_belongs_to_the_digit() -> None:
    bar = (65, 30, 75, 34)
    np.testing.assert_array_equal(kept(BODY, bar), page(BODY, bar))


def test_pieces_are_joined_in_a_chain() -> None:
    chain = [(64, 40, 74, 60), (84, 40, 90, 60)]
    np.testing.assert_array_equal(kept(BODY, *chain), page(BODY, *chain))


def test_specks_and_what_lies_far_off_are_dropped() -> None:
    np.testing.assert_array_equal(kept(BODY, (65, 50, 67, 52), (5, 80, 15, 95)), page(BODY))


def test_a_frame_on_the_border_is_no_digit_but_a_digit_on_the_border_is() -> None:
    np.testing.assert_array_equal(kept(BODY, (0, 0, 100, 20)), page(BODY))
    tight = [(0, 0, 60, 100), (65, 30, 98, 40)]
    np.testing.assert_array_equal(kept(*tight), page(*tight))


def test_no_pieces_make_no_digit() -> None:
    assert not kept().any()


def test_gaps_are_measured_along_the_wider_axis() -> None:
    boxes = np.array([[0, 0, 10, 10], [13, 0, 20, 10], [5, 5, 8, 8], [12, 17, 15, 20]])
    np.testing.assert_array_equal(gaps(boxes[:1], boxes), [[0, 3, 0, 7]])
