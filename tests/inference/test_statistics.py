"""Intervals and tests beside those of SciPy, and beside a count of all cases."""

import statistics
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from bpcli.inference.statistics import binomial_interval, mcnemar, sign_flip_p, statistics_of


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_statistics(values: list[int]) -> None:
    found = statistics_of(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert (found.min, found.max) == (min(values), max(values))
    if len(values) == 1:
        assert found.sd is None
    else:
        assert found.sd == pytest.approx(np.std(values, ddof=1), abs=1e-9)
        assert found.sd == pytest.approx(statistics.stdev(values))


@pytest.mark.parametrize(
    ("k", "n", "level"),
    [(0, 1, 0.95), (1, 1, 0.95), (0, 50, 0.95), (50, 50, 0.95), (25, 50, 0.9), (38, 10_000, 0.95),
     (9_962, 10_000, 0.95), (5_000, 10_000, 0.99), (3, 697_932, 0.95), (600, 60_000, 0.5)],
)  # fmt: skip
def test_an_interval_is_that_of_scipy(k: int, n: int, level: float) -> None:
    theirs = binomtest(k, n).proportion_ci(level, method="exact")
    assert binomial_interval(k, n, level) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-15)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_the_rate_and_mirrors_its_complement(case: tuple[int, int]) -> None:
    k, n = case
    low, high = binomial_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert binomial_interval(n - k, n) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("n01", "n10"), [(0, 0), (1, 0), (5, 5), (12, 3), (3, 12), (40, 61), (2_000, 1_500)])
def test_mcnemar_is_the_binomial_test_of_the_images_on_which_two_differ(n01: int, n10: int) -> None:
    first = np.repeat([True, False, True, False], [n01, n10, 20, 300])
    second = np.repeat([False, True, True, False], [n01, n10, 20, 300])
    found = mcnemar(first, second)
    assert (found.n01, found.n10) == (n01, n10)
    assert found.p == pytest.approx(binomtest(n01, n01 + n10).pvalue if n01 + n10 else 1.0, rel=1e-9)


@given(st.lists(st.integers(-3, 3), max_size=9))
def test_signs_are_flipped_in_every_way(differences: list[int]) -> None:
    sums = [abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
            for signs in product((-1, 1), repeat=len(differences))]  # fmt: skip
    expected = np.mean([each >= abs(sum(differences)) for each in sums])
    assert sign_flip_p(np.array(differences, int)) == pytest.approx(expected)
