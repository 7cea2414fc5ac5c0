"""Which options are the digits of a line, and when digits are clearly several."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.picture.prepare import Line, Option, Prepared
from bpcli.inference.numbers import CLEAR, are_several, best_path, worth

NOTHING = Prepared(None, "", {})


def option(start: int, stop: int, crossed: float = 0.0, shortness: float = 0.0) -> Option:
    return Option(start, stop, (start, 0, stop, 1), NOTHING, crossed, shortness)


def line(segments: int) -> Line:
    """All runs of some segments, in an odd order."""
    return [option(start, stop, start % 3 / 10) for stop in range(segments, 0, -1) for start in range(stop)]


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_best_path_is_worth_most_of_all_that_cover_the_line(segments: int, seed: int) -> None:
    options = line(segments)
    scores = np.random.default_rng(seed).random(len(options)).tolist()
    paths = []
    for borders in product([False, True], repeat=segments - 1):
        ends = [0, *(place for place, border in enumerate(borders, 1) if border), segments]
        spans = list(pairwise(ends))
        paths.append([next(index for index, each in enumerate(options) if each[:2] == span) for span in spans])
    values = [sum(worth(options[index], scores[index]) for index in path) for path in paths]
    assert best_path(options, scores) == paths[int(np.argmax(values))]


def test_two_sure_halves_are_worth_more_than_a_doubtful_whole_and_less_than_a_sure_one() -> None:
    whole, *halves = [option(0, 2), option(0, 1, 0.1), option(1, 2, 0.1)]
    assert best_path([whole, *halves], [0.3, 0.99, 0.99]) == [1, 2]
    assert best_path([whole, *halves], [0.999, 0.6, 0.6]) == [0]


@pytest.mark.parametrize("score", [0.0, 1e-9, 0.5, 1.0])
def test_an_option_is_worth_more_the_likelier_the_higher_and_the_less_it_is_cut(score: float) -> None:
    clean = worth(option(0, 1), score)
    assert np.isfinite(clean)
    assert clean > worth(option(0, 1, crossed=0.1), score)
    assert clean > worth(option(0, 1, shortness=0.1), score)
    assert worth(option(0, 1), 0.9) > worth(option(0, 1), 0.8)


def test_several_are_two_neighbours_that_are_sure_and_alike() -> None:
    high, low = (0, 0, 10, 30), (12, 20, 22, 30)
    assert are_several([low, high, high], [0.1, CLEAR, CLEAR])
    assert not are_several([high, high], [CLEAR, CLEAR - 0.01])
    assert not are_several([high, low], [1.0, 1.0])
    assert not are_several([high, low, high], [1.0, 1.0, 1.0])
    assert not are_several([high, (4, 20, 14, 50)], [1.0, 1.0])  # a bowl and its tail
    assert not are_several([high], [1.0])
    assert not are_several([], [])
