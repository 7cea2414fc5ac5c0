"""What is asked of a network's answers, against plain loops over them."""

import numpy as np
import pytest

from bpcli.report.predictions import (
    Predictions,
    calibration_error,
    cell,
    confident_mistakes,
    reliability,
    uncertain_hits,
)


@pytest.fixture
def given() -> Predictions:
    rng = np.random.default_rng(3)
    labels = rng.integers(10, size=300).astype(np.uint8)
    scores = rng.random((300, 10)).astype(np.float32)
    scores[np.arange(300), labels] += rng.random(300) < 0.6
    return Predictions(np.zeros((300, 784), np.uint8), labels, np.minimum(scores, 1.2), 0.5)


def margin(row: list[float]) -> float:
    first, second = sorted(row, reverse=True)[:2]
    return first - second


def test_the_most_confident_mistakes(given: Predictions) -> None:
    wrong = [i for i, row in enumerate(given.scores.tolist()) if row.index(max(row)) != given.labels[i]]
    expected = sorted(wrong, key=lambda i: -max(given.scores[i].tolist()))
    assert confident_mistakes(given, 20).tolist() == expected[:20]
    assert len(confident_mistakes(given, 1000)) == len(wrong)


def test_the_least_certain_right_answers(given: Predictions) -> None:
    right = [i for i, row in enumerate(given.scores.tolist()) if row.index(max(row)) == given.labels[i]]
    expected = sorted(right, key=lambda i: np.float32(margin(given.scores[i].tolist())))
    assert uncertain_hits(given, 20).tolist() == expected[:20]


def test_every_image_is_in_one_cell(given: Predictions) -> None:
    cells = {(label, digit): cell(given, label, digit).tolist() for label in range(10) for digit in range(10)}
    assert sorted(i for inside in cells.values() for i in inside) == list(range(300))
    for (label, digit), inside in cells.items():
        assert all(given.labels[i] == label and given.scores[i].argmax() == digit for i in inside)
        shown = [max(given.scores[i].tolist()) for i in inside]
        assert shown == sorted(shown)


def test_reliability_counts_each_answer_in_its_bin(given: Predictions) -> None:
    bins = reliability(given)
    for number, each in enumerate(bins):
        tops = [(min(max(row), 1.0), i) for i, row in enumerate(given.scores.tolist())]
        inside = [(top, i) for top, i in tops if min(int(top * 10), 9) == number]
        right = sum(given.scores[i].argmax() == given.labels[i] for _, i in inside)
        assert (each.right, each.wrong) == (right, len(inside) - right)
        if inside:
            assert each.score == pytest.approx(np.mean([top for top, _ in inside]))
            assert each.accuracy == pytest.approx(right / len(inside))
        else:
            assert each.score is each.accuracy is None


def test_the_calibration_error_of_answers_that_claim_too_much() -> None:
    labels = np.array([0, 0, 0, 0, 1], np.uint8)  # answers of score 0.9 that are right four times in five
    scores = np.full((5, 10), 0.1, np.float32)
    scores[:, 0] = 0.9
    given = Predictions(np.zeros((5, 784), np.uint8), labels, scores, 0.0)
    assert calibration_error(reliability(given)) == pytest.approx(0.1)
