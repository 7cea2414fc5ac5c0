import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.damage import despeckled, is_laid_out, mended, undotted, unlined, unstriped
from bpcli.data.picture.digit import layout
from bpcli.data.picture.prepare import prepare
from bpcli.data.scenes.corruptions import damaged

DIGITS = read_split(resources.mnist(), "train", 10_000).images[:60].reshape(-1, 28, 28)
OWN = layout(28)


def ink_of(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(picture / np.float32(255), np.float32)


def away(one: NDArray[np.float32], digit: NDArray[np.uint8]) -> float:
    """The light that differs from a digit's, as a share of the digit's own."""
    return float(abs(one - ink_of(digit)).sum() / ink_of(digit).sum())


@pytest.mark.parametrize("inverted", [False, True])
def test_a_sound_digit_is_the_same_object(inverted: bool) -> None:
    for digit in DIGITS:
        grey = ink_of(255 - digit if inverted else digit)
        assert mended(grey, OWN) is grey
        shifted = np.roll(grey, 2, axis=1)
        assert mended(shifted, OWN) is shifted


def test_pictures_of_another_side_are_left_alone() -> None:
    noisy = ink_of(damaged("impulse_noise", DIGITS[0], 0))
    wider = np.pad(noisy, ((0, 0), (0, 1)))
    assert mended(wider, OWN) is wider
    assert mended(noisy, layout(20)) is noisy


@pytest.mark.parametrize(
    ("kind", "left"), [("stripe", 0.02), ("impulse_noise", 0.25), ("dotted_line", 0.15), ("zigzag", 0.4)]
)
@pytest.mark.parametrize("inverted", [False, True])
def test_damage_is_mended(kind: str, left: float, inverted: bool) -> None:
    before, after = [], []
    for index, digit in enumerate(DIGITS):
        picture = damaged(kind, digit, index)
        before.append(away(ink_of(picture), digit))
        after.append(away(mended(ink_of(255 - picture if inverted else picture), OWN), digit))
    assert np.median(after) < left < np.median(before)


def test_each_repair_leaves_alone_what_has_no_such_damage() -> None:
    for index, digit in enumerate(DIGITS):
        for kind in ("clean", "translate", "scale"):
            ink = ink_of(damaged(kind, digit, index))
            for repaired in (unstriped(ink), despeckled(ink), undotted(ink, OWN), unlined(ink, OWN)):
                assert repaired is ink


def test_a_stroke_that_crosses_the_line_is_kept() -> None:
    ink = np.zeros((28, 28), np.float32)
    ink[4:24, 12:15] = 1
    struck = ink.copy()
    struck[13:15] = 1
    assert np.array_equal(unlined(struck, OWN), ink)


def test_digits_lie_as_mnists_do_unless_moved_or_made_smaller() -> None:
    assert np.mean([is_laid_out(ink_of(digit), OWN) for digit in DIGITS]) > 0.97
    assert np.mean([is_laid_out(np.roll(ink_of(digit), 4, axis=0), OWN) for digit in DIGITS]) < 0.1
    smaller = [is_laid_out(ink_of(damaged("scale", digit, 0)), OWN) for digit in DIGITS]
    assert np.mean(smaller) < 0.2
    assert not is_laid_out(np.zeros((28, 28), np.float32), OWN)


def test_a_mended_digit_shows_what_was_done() -> None:
    found = prepare(ink_of(damaged("stripe", DIGITS[0], 0)))
    assert list(found.steps) == ["picture", "mended"]
    assert found.pixels is not None
    assert away(ink_of(found.pixels), DIGITS[0]) < 0.02
    moved = np.roll(DIGITS[0], 4, axis=0)
    assert list(prepare(ink_of(damaged("impulse_noise", moved, 0))).steps) == [
        "picture", "mended", "ink", "digit", "strokes", "input"
    ]  # fmt: skip
