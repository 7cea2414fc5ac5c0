"""The sampler: Optuna is shown our trials and nothing else, and finds the better settings of a known function."""

from dataclasses import replace
from math import log

import pytest

from bpcli import config as configuration
from bpcli.storage.search_file import Choice, Range, Search
from bpcli.storage.trials import Trial

pytestmark = pytest.mark.cluster

SPACE: dict[str, Range | Choice] = {
    "optimizer.learning_rate": Range(0.005, 1.0, log=True), "train.batch_size": Range(32, 512, log=True),
    "model.hidden": Choice(([8], [16, 16])),
}  # fmt: skip


def search(seed: int = 0) -> Search:
    return Search(configuration.load(), "validation_accuracy", 60, (), seed, SPACE)


def height(values: dict[str, object]) -> float:
    """A hill over the learning rate; the other keys change little, or nothing."""
    rate, size = float(str(values["optimizer.learning_rate"])), float(str(values["train.batch_size"]))
    return 1 - log(rate / 0.08) ** 2 / 10 - log(size / 100) ** 2 / 1000


def climbed(seed: int, trials: int) -> list[Trial]:
    from bpcli.search import tpe

    found: list[Trial] = []
    for number in range(trials):
        values = tpe.sample(search(seed), found)
        found.append(Trial(number, values, (height(values),), finished=True))
    return found


def test_it_climbs_and_says_what_mattered() -> None:
    from bpcli.search import tpe

    found = climbed(0, 50)
    first, last = ([trial.scores[-1] for trial in part] for part in (found[:10], found[-20:]))
    assert sum(last) / 20 > max(sum(first) / 10, 0.9)
    for trial in found:
        assert isinstance(trial.values["train.batch_size"], int)
        assert trial.values["model.hidden"] in ([8], [16, 16])
        assert search().trial(trial.values).train.batch_size == trial.values["train.batch_size"]
    mattered = tpe.importances(search(), found)
    assert next(iter(mattered)) == "optimizer.learning_rate"
    assert sum(mattered.values()) == pytest.approx(1)


def test_the_same_trials_and_number_give_the_same_values() -> None:
    from bpcli.search import tpe

    found = climbed(1, 20)
    assert tpe.sample(search(1), found) == tpe.sample(search(1), list(found))
    assert tpe.sample(search(1), found) != tpe.sample(search(2), found)
    assert climbed(1, 20) == found
    assert len({str(trial.values) for trial in found}) == 20


def test_trials_that_failed_pause_or_run_are_shown_too() -> None:
    from bpcli.search import tpe

    found = climbed(3, 12)
    mixed = [
        *found, Trial(12, found[0].values, failed="diverged"), Trial(13, found[1].values, (0.5,)),
        Trial(14, found[2].values),
    ]  # fmt: skip
    assert tpe.sample(search(3), mixed).keys() == SPACE.keys()
    assert tpe.importances(search(3), mixed[:5]) == {}


def test_a_range_of_fractions_is_searched_where_the_usual_value_is_an_integer() -> None:
    from bpcli.search import tpe

    some = replace(search(), space={"schedule.warmup": Range(0.2, 0.8, log=True)})
    warmup = tpe.sample(some, [])["schedule.warmup"]
    assert isinstance(warmup, float)
    assert 0.2 <= warmup <= 0.8
