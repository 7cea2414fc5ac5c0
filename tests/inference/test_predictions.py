"""Pictures of one digit and of several, as the network that comes with bpcli reads them."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bpcli import resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import read_split
from bpcli.data.picture.prepare import Prepared, prepare, prepare_all
from bpcli.data.scenes.look import LUMA, Look
from bpcli.data.scenes.numbers import number
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.predictions import default_min_score, predict_numbers, predict_pictures
from bpcli.storage import checkpoint

Grey = NDArray[np.float32]
LOADED = checkpoint.load(resources.pretrained())
TEST = read_split(resources.mnist(), "test", 0)
DIGITS = TEST.images.reshape(-1, 28, 28)
WITH = (Ensemble([LOADED.model]), default_min_score([LOADED]), ThreadGroup(1))


def row(*indices: int, touching: float, size: int = 60, seed: int = 0) -> tuple[Grey, bool]:
    """A number made of test digits, and whether some of them touch."""
    digits = [DIGITS[index] for index in indices]
    look = Look(size=size, margins=(20, 20, 20, 20))
    drawn, meeting = number(digits, look, np.random.default_rng(seed), touching=touching)
    return np.asarray(drawn @ LUMA / 255, np.float32), any(meeting)


def read(*pages: Grey) -> list[str]:
    ensemble, least, threads = WITH
    found = predict_numbers(ensemble, [prepare_all(page) for page in pages], least, threads)
    return ["".join(digit.answer.name or "?" for digit in digits) for digits in found]


def answers(*pictures: Prepared) -> list[str]:
    ensemble, least, threads = WITH
    return [each.name or each.reason for each in predict_pictures(ensemble, pictures, least, threads)]


def test_most_numbers_with_touching_digits_are_read_right() -> None:
    rows = [row(start, start + 1, start + 2, touching=1.0, seed=start) for start in range(0, 120, 3)]
    shown = ["".join(map(str, TEST.labels[start : start + 3])) for start in range(0, 120, 3)]
    touching = [place for place, (_, meeting) in enumerate(rows) if meeting]
    found = read(*(rows[place][0] for place in touching))
    assert len(touching) >= 12
    assert sum(answer == shown[place] for answer, place in zip(found, touching, strict=True)) >= 0.8 * len(touching)


@pytest.mark.parametrize("gap", [3, 0, -4])
def test_narrow_digits_are_neither_cut_in_halves_nor_taken_together(gap: int) -> None:
    page = np.zeros((60, 4), np.float32)
    for digit in (2, 4, 7):
        glyph = Image.fromarray(DIGITS[np.argmax(TEST.labels == digit)])
        glyph = glyph.crop(glyph.getbbox())
        ink = np.asarray(glyph.resize((round(1.8 * glyph.width), 60), Image.Resampling.BICUBIC), np.float32) / 255
        before = np.pad(page, ((0, 0), (0, ink.shape[1] + gap)))
        page = np.maximum(before, np.pad(ink, ((0, 0), (before.shape[1] - ink.shape[1], 0))))
    assert read(np.pad(1 - page, 20, constant_values=1)) == ["247"]


def test_a_number_is_none_and_says_how_many_digits_it_has_whatever_is_beside_it() -> None:
    one, several = prepare(row(0, touching=0)[0]), prepare(row(0, 1, 2, touching=0)[0])
    assert not one.lines
    assert answers(several, one, several) == [(says := "3 digits; --multi reads them all"), "7", says]


@pytest.mark.parametrize("shape", [(200, 200), (300, 80)])
def test_marks_side_by_side_that_the_network_takes_for_no_digits_are_not_called_several(shape: tuple[int, int]) -> None:
    marks = np.ones(shape, np.float32)
    marks[20:60, 10:70] = 0
    marks[24:56, 14:66] = 1
    marks[22:60, 38:42] = 1
    found = prepare(marks, "dark")
    assert found.lines
    alone = prepare(marks, "dark", several=False)
    assert not alone.lines
    np.testing.assert_array_equal(alone.pixels, found.pixels)
    assert "--multi" not in answers(found)[0]


def test_nothing_at_all_is_read_as_nothing() -> None:
    ensemble, least, threads = WITH
    assert predict_pictures(ensemble, [], least, threads) == []
    assert predict_numbers(ensemble, [[], prepare_all(np.ones((50, 90), np.float32))], least, threads) == [[], []]
