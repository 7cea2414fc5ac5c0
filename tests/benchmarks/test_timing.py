from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.timing import Spread, in_turn, paired, spread


def test_the_spread_is_median_and_quartiles() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(2.0, 3.0, 4.0)


def test_one_number_has_no_spread() -> None:
    assert spread([0.25]) == Spread(0.25, 0.25, 0.25)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20), st.floats(1.1, 3.0))
def test_a_ratio_is_not_disturbed_by_a_machine_that_wanders(speeds: list[float], ratio: float) -> None:
    assert paired([ratio * speed for speed in speeds], speeds) == pytest.approx((ratio, ratio, ratio))


def test_a_missing_round_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="longer"):
        paired([1.0], [1.0, 2.0])


def test_everybody_has_a_turn_in_each_round_and_none_is_always_first() -> None:
    called: list[str] = []

    def named(name: str) -> Callable[[], float]:
        def note() -> float:
            called.append(name)
            return float(len(called))

        return note

    found = in_turn({name: named(name) for name in "abc"}, 4)
    assert "".join(called) == "abcbcacababc"
    assert found == {"a": [1, 6, 8, 10], "b": [2, 4, 9, 11], "c": [3, 5, 7, 12]}
