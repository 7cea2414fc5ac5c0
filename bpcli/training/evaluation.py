"""The network's scores for images, and how good they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.core.network import Buffers, Network, Worker
from bpcli.core.parameters import Layer
from bpcli.core.pixels import Normalization, normalize
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import CLASSES, Split
from bpcli.training.events import Score
from bpcli.training.team import Team

CHUNK = 512  # images a pass; the default network's buffers then stay within a few MB


class Interrupted(Exception):  # noqa: N818 (no error: somebody has asked for it)
    """Raised instead of an answer where the caller wants to stop."""


def never() -> bool:
    """What nobody wants to stop asks in vain."""
    return False


def predict(
    network: Network,
    layers: Sequence[Layer],
    images: Bytes,
    normalization: Normalization,
    team: Team | None = None,
    stopping: Callable[[], bool] = never,
) -> tuple[Array, Array]:
    """The logits and the scores of images, both (n, 10).

    Each worker of the team takes chunks of the images through the whole network by itself.

    Args:
        network: what the network is.
        layers: its parameters.
        images: (n, 784).
        normalization: of the pixels.
        team: who shares the work; by default one worker.
        stopping: asked after each chunk whether to leave the rest.

    Raises:
        Interrupted: that was so.
    """
    team = team or Team(1)
    dtype = layers[0].weight.dtype
    logits, scores = np.empty((2, len(images), CLASSES), dtype)

    @np.errstate(over="ignore", invalid="ignore")  # who diverged is told so by the loss
    def work(worker: int) -> None:
        buffers = Buffers.allocate(network, min(CHUNK, len(images)), dtype, backward=False)
        x = np.empty((min(CHUNK, len(images)), network.sizes[0]), dtype)
        for start in range(worker * CHUNK, len(images), team.size * CHUNK):
            pixels = images[start : start + CHUNK]
            n = len(pixels)
            normalize(pixels, normalization, x[:n])
            alone = Worker(network, layers, buffers.first(n))
            alone.forward(x[:n])
            logits[start : start + n], scores[start : start + n] = alone.logits, alone.scores
            if stopping():
                raise Interrupted

    team.each(work)
    return logits, scores


def evaluate(
    network: Network,
    layers: Sequence[Layer],
    split: Split,
    normalization: Normalization,
    team: Team | None = None,
    stopping: Callable[[], bool] = never,
) -> Score:
    """Mean loss and accuracy over a split.

    Raises:
        Interrupted: `stopping` said so before all was done.
    """
    logits, scores = predict(network, layers, split.images, normalization, team, stopping)
    hits = scores.argmax(axis=1) == split.labels
    return Score(mean_loss(network, logits, scores, split.labels), float(hits.mean()))


def figures(loss: float | None, scores: Array, labels: Bytes) -> dict[str, Any]:
    """What `bpcli evaluate` shows, as plain data.

    Args:
        loss: the mean loss; None where it has no meaning, as that of a committee.
        scores: (n, 10).
        labels: (n,).

    Returns:
        n, errors, accuracy, loss, precision and recall of each digit (0 where nothing was answered or nothing is
        there), and the confusion matrix: a row for each label, a column for each answer.
    """
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(confusion, (labels, scores.argmax(axis=1)), 1)
    hits = confusion.diagonal()
    return {
        "n": len(labels),
        "errors": int(len(labels) - hits.sum()),
        "accuracy": float(hits.sum() / len(labels)),
        "loss": loss,
        "precision": (hits / np.maximum(confusion.sum(axis=0), 1)).tolist(),
        "recall": (hits / np.maximum(confusion.sum(axis=1), 1)).tolist(),
        "confusion": confusion.tolist(),
    }


@np.errstate(over="ignore", invalid="ignore")
def mean_loss(network: Network, logits: Array, scores: Array, labels: Bytes) -> float:
    """The mean of the network's loss over labelled images, summed in float64."""
    targets = one_hot(labels, scores.dtype)
    return float(network.output.loss(logits, scores, targets).mean(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image that got the highest score for another digit than its label's.

    Attributes:
        index: of the image in its split.
        score: of the wrong digit.
    """

    index: int
    label: int
    prediction: int
    score: float


def mistakes(scores: Array, labels: Bytes) -> list[Mistake]:
    """The mistakes of a network, given scores (n, 10) and labels (n,); those of which it was surest come first."""
    predictions = scores.argmax(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    surest = wrong[np.argsort(-scores[wrong, predictions[wrong]], kind="stable")]
    return [Mistake(int(i), int(labels[i]), int(predictions[i]), float(scores[i, predictions[i]])) for i in surest]


def one_hot(labels: Bytes, dtype: np.dtype[Any]) -> Array:
    """The targets y of labels: (n, 10), 1 at the label and 0 elsewhere; nothing but 0 for strangers, labelled 10."""
    targets: Array = np.eye(CLASSES + 1, CLASSES, dtype=dtype)[labels]
    return targets
