"""What happens in a run, as frozen records of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpcli.inference.evaluation import Score


@dataclass(frozen=True, slots=True)
class Started:
    """The data are read and the folder of the run is made.

    Attributes:
        folder: of the run.
        training, validation: the images of the splits.
        parameters: weights and biases of the network.
        epoch, step: where it goes on, each from 0.
    """

    folder: Path
    training: int
    validation: int
    parameters: int
    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the run that its owner should know; one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """Some batches are done; told of at most some times a second, and at the end of the epoch.

    Attributes:
        epoch: its epoch, from 0.
        step: the place of the last one in the epoch, from 0.
        steps: the steps of an epoch.
        loss: the mean over the images since the last such event, each before its batch's step.
    """

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """One epoch is done and validated.

    Attributes:
        epoch: the epoch, from 0.
        epochs: how many there will be.
        learning_rate: η of its first step after any warm-up.
        train: over the epoch's batches as they were trained on.
        validation: after the epoch; None without a validation split.
        seconds: what the epoch took, validation included.
        is_best: whether no epoch before was as good.
    """

    epoch: int
    epochs: int
    learning_rate: float
    train: Score
    validation: Score | None
    seconds: float
    is_best: bool

    @property
    def metrics(self) -> dict[str, float]:
        """The losses and accuracies by name: train_loss, train_accuracy, validation_loss, validation_accuracy."""
        scores = {"train": self.train, "validation": self.validation}
        return {
            f"{split}_{name}": value
            for split, score in scores.items()
            if score
            for name, value in (("loss", score.loss), ("accuracy", score.accuracy))
        }

    @property
    def row(self) -> dict[str, float]:
        """The epoch's numbers by the columns of metrics.csv."""
        return self.metrics | {"learning_rate": self.learning_rate, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class CheckpointDue:
    """Between two steps, everybody has stopped working on the state: it can be saved.

    Attributes:
        epoch: the epoch under way, from 0.
        step: the steps of it that are done.
    """

    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The last epoch is done, or the run has stopped early.

    Attributes:
        epochs: how many epochs were trained.
        best_epoch: the one whose parameters are the best, from 0.
        metrics: losses and accuracies of that epoch, by name, as in metrics.csv.
    """

    epochs: int
    best_epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tested:
    """The best epoch's network on the test split."""

    test: Score


@dataclass(frozen=True, slots=True)
class SeriesStarted:
    """The folder of a series is made, or it goes on there.

    Attributes:
        folder: of the series.
        seeds: one for each of its runs.
        finished: the seeds of those that need no more training.
    """

    folder: Path
    seeds: tuple[int, ...]
    finished: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MemberStarted:
    """What follows is about the run with this seed, the series' number `number` of `count`."""

    seed: int
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class SeriesEnded:
    """All runs of a series on the test split.

    Attributes:
        folder: of the series.
        members: the figures of each run by its seed, as `evaluation.metrics` gives them.
        committee: those of all runs together.
    """

    folder: Path
    members: Mapping[int, Mapping[str, Any]]
    committee: Mapping[str, Any]


Event = (
    Started | Notice | Step | EpochEnd | CheckpointDue | Finished | Tested | SeriesStarted | MemberStarted | SeriesEnded
)
