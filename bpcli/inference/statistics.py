"""Statistics of errors: their spread over runs, the exact interval of an accuracy, and exact paired tests."""

from collections.abc import Sequence
from math import log, log1p
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95  # of all intervals
_HALVINGS = 60  # of the interval from 0 to 1

Reals = NDArray[np.float64]


class Statistics(NamedTuple):
    """Statistics of some numbers; the standard deviation is that of a sample (n - 1), None for a single number."""

    mean: float
    sd: float | None
    min: float
    max: float


class Interval(NamedTuple):
    """A confidence interval: both ends belong to it."""

    low: float
    high: float


class Comparison(NamedTuple):
    """The paired comparison of two networks on the same images.

    Attributes:
        n01: images that the first got wrong and the second right.
        n10: images that the second got wrong and the first right.
        p: how likely a difference as large would be if both were equally good.
    """

    n01: int
    n10: int
    p: float


def statistics_of(values: Sequence[float]) -> Statistics:
    """Return the statistics of one or more numbers."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Statistics(float(np.mean(values)), sd, min(values), max(values))


def binomial_interval(k: int, n: int, level: float = LEVEL) -> Interval:
    """Return the exact confidence interval of a probability, where something happened k times in n.

    At its lower end k or more, at its upper end k or fewer happen in (1 − level)/2 of all cases (Clopper, Pearson 1934,
    Biometrika 26, p. 404).
    """
    if 2 * k > n:
        low, high = binomial_interval(n - k, n, level)
        return Interval(1 - high, 1 - low)
    tail = (1 - level) / 2
    return Interval(_probability(k - 1, n, 1 - tail) if k else 0.0, _probability(k, n, tail))


def _probability(k: int, n: int, share: float) -> float:
    """Return the probability at which k or fewer of n happen in `share` of all cases, by bisection."""
    logs, happened = _log_choose(n, k), np.arange(k + 1)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        at_most = np.exp(logs + happened * log(p) + (n - happened) * log1p(-p)).sum()
        low, high = (p, high) if at_most > share else (low, p)
    return (low + high) / 2


def _log_choose(n: int, k: int) -> Reals:
    """Return the logarithms of the binomial coefficients of n over 0, 1, …, k."""
    ratios: Reals = np.log(np.arange(n, n - k, -1)) - np.log(np.arange(1, k + 1))
    return np.concatenate([np.zeros(1), np.cumsum(ratios)])


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Comparison:
    """Return McNemar's exact test, two-sided, of two networks (McNemar 1947, Psychometrika 12, p. 153).

    Args:
        first: whether the one got each image wrong, (n,).
        second: whether the other did, (n,).
    """
    n01, n10 = int((first & ~second).sum()), int((second & ~first).sum())
    return Comparison(n01, n10, sign_flip_p(first.astype(int) - second))


def sign_flip_p(differences: NDArray[np.integer[Any]]) -> float:
    """Return the exact two-sided p of paired whole differences: Fisher's randomization test for their sum.

    If two recipes were equally good, each image's difference might as well have the other sign. p is the share of all
    choices of signs whose sum is as far from 0 as the sum observed, or farther (Fisher 1935, The Design of Experiments,
    section 21). Where no difference exceeds 1, this is McNemar's exact test.
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    chances: Reals = np.ones(1)  # of the sums −t, −t + 2, …, t, where t is the sum of all sizes
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        flips = np.zeros(size * count + 1)
        flips[::size] = np.exp(_log_choose(count, count) - count * log(2))
        chances = np.convolve(chances, flips)
    farthest = (len(chances) - 1 - abs(int(differences.sum()))) // 2
    return min(1.0, 2 * float(chances[: farthest + 1].sum()))
