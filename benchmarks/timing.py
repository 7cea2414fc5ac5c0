"""Times of things that are done in turn: medians, quartiles, and ratios within a round.

A machine's speed wanders, by half and more within minutes. So whatever is compared is timed in the same round, soon
after one another, and what is reported of two is the median of the rounds' ratios, not the ratio of two medians.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles
from typing import NamedTuple, TypeVar

Key = TypeVar("Key", bound=str)


class Spread(NamedTuple):
    """The median of some numbers with their quartiles."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles of one number or more."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(low, median(values), high)


def paired(values: Sequence[float], others: Sequence[float]) -> Spread:
    """The spread of each value over the other one of its round."""
    return spread([value / other for value, other in zip(values, others, strict=True)])


def in_turn(timed: Mapping[Key, Callable[[], float]], rounds: int) -> dict[Key, list[float]]:
    """What each function returns in each round: seconds that something took.

    Each round begins with another one, so that nobody always comes after the same.
    """
    seconds: dict[Key, list[float]] = {name: [] for name in timed}
    names = list(timed)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            seconds[name].append(timed[name]())
    return seconds
