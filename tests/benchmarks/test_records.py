"""The figures of the records: counted by hand, and a test whose values stand in every table of Student's t."""

import numpy as np
import pytest

from benchmarks.records import Member, comparison, count_errors, p_value, table, together


def _scores(answers: list[int]) -> np.ndarray:
    return np.eye(10)[answers]


def test_errors_are_counted_on_each_half() -> None:
    labels = np.array([1, 2, 3, 4], np.uint8)
    assert count_errors(_scores([1, 0, 0, 4]), labels) == (2, 1, 1)
    assert count_errors(_scores([0, 0, 3, 4]), labels) == (2, 2, 0)


@pytest.mark.parametrize(("freedom", "t", "p"), [(19, 2.539, 0.01), (4, 2.132, 0.05), (1, 6.314, 0.05), (9, 0.0, 0.5)])
def test_p_values_are_those_of_the_tables(freedom: int, t: float, p: float) -> None:
    n = freedom + 1
    sample = np.arange(n) - (n - 1) / 2
    sample = sample / sample.std(ddof=1) * np.sqrt(n) + t  # its t is its mean
    assert p_value(sample.tolist(), 0.0) == pytest.approx(p, abs=1e-4)
    assert p_value((-sample).tolist(), 0.0) == pytest.approx(1 - p, abs=1e-4)


def test_a_committee_is_right_where_its_members_are_on_the_mean() -> None:
    labels = np.array([1, 2], np.uint8)
    one = Member("one", 1.5, 0.9 * _scores([1, 3]))
    other = Member("other", 2.0, 0.8 * _scores([0, 3]) + 0.95 * _scores([0, 2]))
    rows = table([one, other, together([one, other])], labels)
    assert rows[2] == "| one | 1 | 1.26 to 98.74 % | 0 | 1 | 1.5 |"
    assert rows[4] == "| together | 2 | 15.81 to 100.00 % | 1 | 1 | 3.5 |"


def test_recipes_are_compared_by_pairs_of_runs_and_by_what_each_image_costs_them() -> None:
    labels = np.zeros(12, np.uint8)
    answers = {"a0": [0] * 12, "a1": [1] + [0] * 11, "b0": [0] + [1] * 4 + [0] * 7, "b1": [1] * 4 + [0] * 8}
    a0, a1, b0, b1 = (Member(name, 1.0, _scores(each)) for name, each in answers.items())
    rows = comparison([a0, a1], [b0, b1], labels)
    assert rows[2:4] == ["| a0 | b0 | 0 | 4 | 0.125 |", "| a1 | b1 | 0 | 3 | 0.25 |"]
    # the differences are 0, 2, 2, 2 and 1: of the 16 choices of signs two have a sum of 7 or -7
    assert rows[-1].endswith("mean error 4.167 % against 33.333 %: p = 0.125")
