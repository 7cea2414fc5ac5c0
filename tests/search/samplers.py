"""Samplers for tests, which need no further package."""

from collections.abc import Mapping, Sequence

from bpcli.storage.search_file import Search
from bpcli.storage.trials import Trial


def near_the_best(search: Search, trials: Sequence[Trial]) -> Mapping[str, object]:
    """A rate that depends on every result so far, so that a search that forgets one goes another way."""
    total = sum(trial.score or 0.0 for trial in trials)
    return {"optimizer.learning_rate": 0.01 + total % 1 / 2}
