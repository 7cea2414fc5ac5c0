import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli.data.picture.pieces import Pieces, crossing, find_pieces, most_pieces, on_border, ranks

Mask = NDArray[np.bool_]


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    return np.array(bits, np.bool_).reshape(height, width)


def flooded(mask: Mask) -> NDArray[np.int64]:
    """The pieces' numbers, by flood fill from each pixel in turn."""
    labels = np.zeros(mask.shape, np.int64)
    for start in map(tuple, np.argwhere(mask)):
        if labels[start]:
            continue
        number, todo = labels.max() + 1, [start]
        while todo:
            y, x = todo.pop()
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not labels[y, x]:
                labels[y, x] = number
                todo += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return labels


@given(masks())
def test_pieces_are_what_a_flood_fill_finds(mask: Mask) -> None:
    pieces = find_pieces(mask)
    np.testing.assert_array_equal(pieces.labels, flooded(mask))
    assert len(pieces) <= most_pieces(mask)
    for number, (box, area) in enumerate(zip(pieces.boxes, pieces.areas, strict=True), start=1):
        y, x = np.nonzero(pieces.labels == number)
        assert list(box) == [x.min(), y.min(), x.max() + 1, y.max() + 1]
        assert area == len(x)


def spiral(side: int) -> Mask:
    """One long line, wound inwards: its runs are all one piece, which the outermost learn last."""
    y, x = np.mgrid[:side, :side] - side // 2
    turns = np.maximum(abs(y), abs(x)) + (np.arctan2(y, x) + np.pi) / np.pi
    mask: Mask = turns.astype(int) % 2 == 0
    return mask


def test_a_spiral_is_found_as_by_flood_fill() -> None:
    np.testing.assert_array_equal(find_pieces(spiral(41)).labels, flooded(spiral(41)))


def test_an_empty_mask_has_no_pieces() -> None:
    assert len(find_pieces(np.zeros((3, 4), np.bool_))) == 0


def three() -> Pieces:
    mask = np.zeros((5, 7), np.bool_)
    mask[2, :3] = mask[:, 4] = mask[1, 6] = True
    return find_pieces(mask)


def test_only_the_chosen_pieces_are_masked() -> None:
    pieces = three()
    np.testing.assert_array_equal(pieces.only(pieces.areas == 3), pieces.labels == 3)


def test_pieces_on_the_border_and_across_the_picture_are_told() -> None:
    assert list(on_border(three())) == [True, True, True]
    assert list(crossing(three())) == [True, False, False]


@given(st.lists(st.integers(0, 20), max_size=40))
def test_ranks_are_those_of_unique_numbers(numbers: list[int]) -> None:
    given_ = np.array(numbers, np.int64)
    assert ranks(given_).tolist() == np.unique(given_, return_inverse=True)[1].tolist()
