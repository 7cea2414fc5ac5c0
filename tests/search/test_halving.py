"""Successive halving on numbers alone: who goes on, and what that costs."""

from dataclasses import replace

import pytest

from bpcli import config as configuration
from bpcli.search import halving
from bpcli.storage.search_file import Range, Search
from bpcli.storage.trials import Trial

SEARCH = Search(
    configuration.load(), "validation_accuracy", 9, (1, 3), 0, {"optimizer.learning_rate": Range(0.01, 1.0)}
)


def trial(number: int, *scores: float, failed: str = "") -> Trial:
    return Trial(number, {}, scores, finished=len(scores) == 10, failed=failed)


def test_the_better_third_goes_on_the_best_first() -> None:
    trials = [trial(n, score) for n, score in enumerate((0.3, 0.9, 0.5, 0.8, 0.1, 0.2))]
    first = halving.promoted(SEARCH, trials, ())
    assert first is not None
    assert first.number == 1
    second = halving.promoted(SEARCH, trials, {1})
    assert second is not None
    assert second.number == 3
    assert halving.promoted(SEARCH, trials, {1, 3}) is None


def test_a_loss_is_better_where_it_is_smaller() -> None:
    trials = [trial(n, score) for n, score in enumerate((0.3, 0.9, 0.1))]
    found = halving.promoted(replace(SEARCH, metric="validation_loss"), trials, ())
    assert found is not None
    assert found.number == 2


def test_the_highest_rung_comes_first() -> None:
    upper = [trial(n, 0.5, 0.5, 0.5 + n / 100) for n in range(3)]
    found = halving.promoted(SEARCH, [*upper, *(trial(n, 0.9) for n in range(3, 9))], ())
    assert found is not None
    assert found.number == 2


def test_a_rung_counts_what_failed_before_it_as_worse() -> None:
    trials = [trial(0, 0.5), trial(1, failed="diverged"), trial(2, failed="diverged")]
    found = halving.promoted(SEARCH, trials, ())
    assert found is not None
    assert found.number == 0


def test_few_trials_go_on_only_at_the_end() -> None:
    trials = [trial(0, 0.5), trial(1, 0.6)]
    assert halving.promoted(SEARCH, trials, ()) is None
    found = halving.promoted(SEARCH, trials, (), at_least=1)
    assert found is not None
    assert found.number == 1


@pytest.mark.parametrize(("epochs", "expected"), [(0, 1), (1, 3), (2, 3), (3, None), (9, None)])
def test_it_pauses_at_the_next_rung(epochs: int, expected: int | None) -> None:
    assert halving.pause(SEARCH, trial(0, *[0.5] * epochs)) == expected


def test_the_epochs_of_a_search() -> None:
    assert halving.likely_epochs(SEARCH) == 9 * 1 + 3 * 2 + 1 * 7  # rungs 1 and 3, runs of ten epochs
    assert halving.likely_epochs(replace(SEARCH, rungs=())) == 90
