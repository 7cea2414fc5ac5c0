"""Asynchronous successive halving (Li et al. 2018, arXiv:1810.05934): at each rung, the worse two thirds pause."""

from collections.abc import Collection, Sequence

from bpcli.storage.search_file import Search
from bpcli.storage.trials import Trial

_KEPT = 3  # one of so many goes on


def promoted(search: Search, trials: Sequence[Trial], busy: Collection[int], at_least: int = 0) -> Trial | None:
    """Return a paused trial that may go on, of those at the highest rung the best; None if none may.

    Args:
        search: with its rungs.
        trials: all of them.
        busy: the numbers of those that are under way.
        at_least: how many may go on from a rung, however few have reached it.
    """
    for rung in reversed(search.rungs):
        here = [trial for trial in trials if trial.epochs >= rung or trial.failed]
        good = [trial for trial in here if trial.epochs >= rung]
        good.sort(key=lambda trial: -trial.scores[rung - 1] if search.maximizes else trial.scores[rung - 1])
        for trial in good[: max(len(here) // _KEPT, at_least)]:
            if trial.epochs == rung and not (trial.finished or trial.failed or trial.number in busy):
                return trial
    return None


def pause(search: Search, trial: Trial) -> int | None:
    """Return the epochs after which a trial that goes on pauses again; None if it runs to its end."""
    return next((rung for rung in search.rungs if rung > trial.epochs), None)


def likely_epochs(search: Search) -> int:
    """Return how many epochs the trials take if a third of them, at least one, go on at each rung."""
    total, before, left = 0, 0, search.trials
    for rung in (*search.rungs, search.config.train.epochs):
        total += left * (rung - before)
        before, left = rung, max(left // _KEPT, 1)
    return total
