"""Metrics of a network's scores for labelled images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.losses import Output
from bpcli.core.threads import ThreadGroup, never_stop
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split, SplitName, read_split
from bpcli.errors import CheckpointError
from bpcli.inference.statistics import binomial_interval
from bpcli.model import Model

HEADLINE = ("n", "errors", "accuracy", "loss", "accuracy_interval")  # the metrics that sum up all classes


@dataclass(frozen=True, slots=True)
class Score:
    """Mean loss and accuracy (a fraction) over some images."""

    loss: float
    accuracy: float


class Evaluated(NamedTuple):
    """A network's mean loss over a split, its scores (n, classes), and the labels (n,)."""

    loss: float
    scores: Array
    labels: Bytes

    @property
    def score(self) -> Score:
        """The loss and the accuracy."""
        return Score(self.loss, float((self.scores.argmax(axis=1) == self.labels).mean()))


def evaluate(
    model: Model, split: Split, threads: ThreadGroup | None = None, should_stop: Callable[[], bool] = never_stop
) -> Evaluated:
    """Return the loss and the scores of a network over a split.

    Raises:
        CheckpointError: the split is empty.
        Interrupted: `should_stop` returned True before all was done.
    """
    require_images(split)
    logits, scores = model.outputs(split.images, threads, should_stop)
    return Evaluated(mean_loss(model.network.output, logits, scores, split.labels), scores, split.labels)


def score(
    model: Model, split: Split, threads: ThreadGroup | None = None, should_stop: Callable[[], bool] = never_stop
) -> Score:
    """Return the mean loss and the accuracy of a network over a split, as `evaluate`."""
    return evaluate(model, split, threads, should_stop).score


def read_split_of(model: Model, name: SplitName) -> Split:
    """Return one split of the data that a network was trained on.

    Raises:
        DataError: a file is missing or malformed, or the images are not what the network expects.
    """
    data = model.config.data
    return read_split(data.place, name, data.validation, model.spec, test=data.test)


def require_images(split: Split) -> None:
    """Refuse a split without images.

    Raises:
        CheckpointError: the split is empty.
    """
    if not len(split):
        raise CheckpointError("this run kept no validation images; choose another --split")


def metrics(loss: float | None, scores: Array, labels: Bytes) -> dict[str, Any]:
    """Return the metrics that `bpcli evaluate` shows, as plain data.

    Args:
        loss: the mean loss; None where several networks together have none.
        scores: (n, classes).
        labels: (n,).

    Returns:
        n, errors, accuracy, loss, the exact 95 % interval of the accuracy, precision and recall of each class (0 for a
        class without answers or without images), and the confusion matrix: a row for each label, a column for each
        answer.
    """
    counts = confusion(scores, labels)
    hits = counts.diagonal()
    n, right = len(labels), int(hits.sum())
    return {
        "n": n,
        "errors": n - right,
        "accuracy": right / n,
        "loss": loss,
        "accuracy_interval": [*binomial_interval(right, n)],
        "precision": (hits / np.maximum(counts.sum(axis=0), 1)).tolist(),
        "recall": (hits / np.maximum(counts.sum(axis=1), 1)).tolist(),
        "confusion": counts.tolist(),
    }


def confusion(scores: Array, labels: Bytes) -> NDArray[np.int64]:
    """Return how often each label (a row) got each answer (a column), given scores (n, classes) and labels (n,)."""
    classes = scores.shape[1]
    pairs = labels.astype(np.intp) * classes + scores.argmax(axis=1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


@np.errstate(over="ignore", invalid="ignore")
def mean_loss(output: Output, logits: Array, scores: Array, labels: Bytes) -> float:
    """Return the mean loss over labelled images, summed in float64."""
    targets = one_hot(labels, scores.shape[1], scores.dtype)
    return float(output.loss(logits, scores, targets).mean(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image whose highest score is that of a wrong class.

    Attributes:
        index: of the image in its split.
        label, prediction: the indices of the classes.
        score: of the wrong class.
    """

    index: int
    label: int
    prediction: int
    score: float


def mistakes(scores: Array, labels: Bytes) -> Sequence[Mistake]:
    """Return the mistakes of a network, given scores (n, classes) and labels (n,), the most confident first."""
    predictions = scores.argmax(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    surest = wrong[np.argsort(-scores[wrong, predictions[wrong]], kind="stable")]
    return [Mistake(int(i), int(labels[i]), int(predictions[i]), float(scores[i, predictions[i]])) for i in surest]


def one_hot(labels: Bytes, classes: int, dtype: np.dtype[Any]) -> Array:
    """Return the targets y of labels, (n, classes): 1 at the label, else 0; all 0 for outliers, labelled `classes`."""
    targets: Array = np.eye(classes + 1, classes, dtype=dtype)[labels]
    return targets
