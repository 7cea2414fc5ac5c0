"""A network's predictions for labelled images, and statistics of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split
from bpcli.inference.evaluation import evaluate, metrics, mistakes
from bpcli.model import Model

BINS = 10  # of the reliability diagram

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Predictions:
    """A network's scores for the images of a split.

    Attributes:
        images: (n, side²).
        labels: (n,).
        scores: (n, classes).
        loss: the mean loss of the images.
    """

    images: Bytes
    labels: Bytes
    scores: Array
    loss: float

    @property
    def answers(self) -> Indices:
        """The answers (n,): for each image the class with the highest score."""
        answers: Indices = self.scores.argmax(axis=1)
        return answers

    @property
    def right(self) -> NDArray[np.bool_]:
        """The mask (n,) of the right answers."""
        right: NDArray[np.bool_] = self.answers == self.labels
        return right

    @property
    def winning(self) -> Array:
        """The score (n,) of each answer."""
        top: Array = self.scores.max(axis=1)
        return top

    @property
    def margins(self) -> Array:
        """The difference (n,) between each image's highest and second-highest score."""
        second, first = np.partition(self.scores, -2, axis=1)[:, -2:].T
        return np.asarray(first - second)


def predictions(model: Model, split: Split, threads: ThreadGroup) -> Predictions:
    """Return a network's predictions for a split that is not empty."""
    loss, scores, labels = evaluate(model, split, threads)
    return Predictions(split.images, labels, scores, loss)


def confident_mistakes(given: Predictions, most: int) -> Indices:
    """Return at most `most` wrong answers with the highest scores, highest first."""
    return np.array([each.index for each in mistakes(given.scores, given.labels)[:most]], np.intp)


def uncertain_hits(given: Predictions, most: int) -> Indices:
    """Return at most `most` right answers with the smallest margins, smallest first."""
    right = np.flatnonzero(given.right)
    return right[np.argsort(given.margins[right], kind="stable")][:most]


def cell(given: Predictions, label: int, answer: int) -> Indices:
    """Return the images of one cell of the confusion matrix, the lowest score first."""
    inside = np.flatnonzero((given.labels == label) & (given.answers == answer))
    return inside[np.argsort(given.winning[inside], kind="stable")]


class Bin(NamedTuple):
    """The answers with scores in [low, high). `score` and `accuracy` are their means, or None if there are none."""

    low: float
    high: float
    right: int
    wrong: int
    score: float | None
    accuracy: float | None


def reliability(given: Predictions, bins: int = BINS) -> list[Bin]:
    """Return the accuracy of answers by score (Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 2).

    Identity outputs can give scores below 0 or above 1: these count as 0 or 1.
    """
    scores = np.clip(given.winning.astype(np.float64), 0, 1)
    places = np.minimum((scores * bins).astype(np.intp), bins - 1)
    return [_bin(scores[places == k], given.right[places == k], k / bins, (k + 1) / bins) for k in range(bins)]


def _bin(scores: NDArray[np.float64], right: NDArray[np.bool_], low: float, high: float) -> Bin:
    if not len(scores):
        return Bin(low, high, 0, 0, None, None)
    hits = int(right.sum())
    return Bin(low, high, hits, len(right) - hits, float(scores.mean()), hits / len(right))


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error: the mean of |score − accuracy| over bins, weighted by their answers."""
    total = sum(each.right + each.wrong for each in bins)
    gaps = ((each.right + each.wrong) * abs((each.score or 0) - (each.accuracy or 0)) for each in bins)
    return sum(gaps) / total


def summary(given: Predictions) -> dict[str, object]:
    """Return the metrics of `bpcli evaluate`."""
    return metrics(given.loss, given.scores, given.labels)
