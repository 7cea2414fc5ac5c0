"""The events of a run, as frozen records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.data.folder.remarks import Preparing, Remarks
from bpcli.inference.evaluation import Score, confusion
from bpcli.model import Model


@dataclass(frozen=True, slots=True)
class PicturesRead:
    """A folder of pictures is read.

    Attributes:
        classes: the names of the classes.
        counts: for each, its pictures in the training, the validation and the test split.
        remarks: what else was found.
    """

    classes: tuple[str, ...]
    counts: Sequence[Sequence[int]]
    remarks: Remarks


@dataclass(frozen=True, slots=True)
class Started:
    """The data are read and the folder of the run is made.

    Attributes:
        folder: of the run.
        training, validation: the number of images in the splits.
        parameters: the number of weights and biases.
        epochs: the number of epochs of the run, fewer if its patience ends.
        steps: the number of steps of an epoch.
        epoch, step: where the run starts or continues, each from 0.
        start: `name` and `sha256` of the network that it started from; None if the first weights were drawn.
    """

    folder: Path
    training: int
    validation: int
    parameters: int
    epochs: int
    steps: int
    epoch: int = 0
    step: int = 0
    start: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One line about the run that its user should know."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """Some batches are done; reported at most a few times a second, and at the end of the epoch.

    Attributes:
        epoch: its epoch, from 0.
        step: the index of the last one in the epoch, from 0.
        steps: the number of steps of an epoch.
        loss: the mean over the images since the last report, each computed before its batch's step.
        accuracy: over these images, likewise.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Views:
    """What the training works on, to be looked at until the next event is asked for.

    Attributes:
        model: the network after the epoch, for upright images.
        training, validation: the splits, upright.
        scores: of the network for the validation images, (n, classes); None without any.
    """

    model: Model
    training: Split
    validation: Split
    scores: Array | None


@dataclass(frozen=True, slots=True)
class DeadUnits:
    """The hidden units that fired on no training image of an epoch, of those with ReLU that training changes.

    Attributes:
        units: the number of those with ReLU that training changes.
        last_fired: how many of the dead ones fired last in each epoch, from 1; in 0 those that never fired.
    """

    units: int
    last_fired: Mapping[int, int]

    @property
    def count(self) -> int:
        """The number of dead units."""
        return sum(self.last_fired.values())


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """One epoch is done and validated.

    Attributes:
        epoch: the epoch, from 0.
        epochs: the number of epochs of the run.
        learning_rate: η of its last step.
        train: over the epoch's batches, each before its step.
        validation: after the epoch; None without a validation split.
        seconds: the duration of the epoch, validation included.
        best_epoch: the first of the best epochs so far, from 0; without validation, this epoch.
        views: what the training works on, if it can be looked at.
        dead: the dead units; None if there are none that could die.
    """

    epoch: int
    epochs: int
    learning_rate: float
    train: Score
    validation: Score | None
    seconds: float
    best_epoch: int
    views: Views | None = field(default=None, repr=False, compare=False)
    dead: DeadUnits | None = None

    @property
    def is_best(self) -> bool:
        """Whether no earlier epoch was as good."""
        return self.best_epoch == self.epoch

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
    def confusion(self) -> NDArray[np.int64] | None:
        """The confusion matrix of the validation images; None without any, or if they can't be looked at."""
        if self.views is None or self.views.scores is None:
            return None
        return confusion(self.views.scores, self.views.validation.labels)

    @property
    def row(self) -> dict[str, float]:
        """The epoch's numbers by the columns of metrics.csv."""
        dead = {"dead_units": self.dead.count} if self.dead else {}
        return self.metrics | dead | {"learning_rate": self.learning_rate, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class CheckpointDue:
    """A pause in which no thread works on the state, so that it can be saved.

    Attributes:
        epoch: the epoch under way, from 0.
        step: how many of its steps are done.
    """

    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The last epoch is done, or the run has stopped early.

    Attributes:
        epochs: the number of epochs trained.
        best_epoch: the epoch with the best parameters, from 0.
        metrics: losses and accuracies of that epoch, by name, as in metrics.csv.
        warning: why its network, or that of the last epoch, should not be trusted, or "".
        dead: the units that were dead in the last epoch; None if there are none that could die.
    """

    epochs: int
    best_epoch: int
    metrics: Mapping[str, float]
    warning: str = ""
    dead: DeadUnits | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """The score of the best epoch's network on the test split."""

    test: Score


@dataclass(frozen=True, slots=True)
class SeriesStarted:
    """A series begins or continues in its folder.

    Attributes:
        folder: of the series.
        seeds: one for each of its runs.
        finished: the seeds of the runs that are already finished.
    """

    folder: Path
    seeds: tuple[int, ...]
    finished: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MemberStarted:
    """The events that follow are of the run with this seed, number `number` of `count`."""

    seed: int
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class SeriesEnded:
    """The metrics of a series on the test split.

    Attributes:
        folder: of the series.
        members: the metrics of each run by its seed, as `evaluation.metrics` gives them.
        committee: those of all runs as one ensemble.
    """

    folder: Path
    members: Mapping[int, Mapping[str, Any]]
    committee: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run that a worker trains has ended, or pauses at a rung of a search.

    Attributes:
        name: of the run's folder.
        epochs: how many are trained.
        metrics: losses and accuracies of the best epoch, and of the test split if the run is finished, by name.
        failed: why the run can't go on, or "".
        finished: whether the run has been trained to its end.
    """

    name: str
    epochs: int
    metrics: Mapping[str, float]
    failed: str = ""
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """How the runs of a series or a search stand.

    Attributes:
        running, finished, failed: the number of runs that are under way, trained to their end, and given up.
        runs: the number of all runs.
        done: epochs that are trained.
        epochs: epochs that will likely have been trained at the end.
    """

    running: int
    finished: int
    failed: int
    runs: int
    done: int
    epochs: int


Event = (
    Preparing
    | PicturesRead
    | Started
    | Notice
    | Step
    | EpochEnd
    | CheckpointDue
    | Finished
    | Tested
    | SeriesStarted
    | MemberStarted
    | SeriesEnded
    | RunEnded
    | Tally
)


class Observer(Protocol):
    """Whoever is shown every event of a training, and then told that it has ended."""

    def handle(self, event: Event) -> None:
        """Note an event."""

    def close(self) -> None:
        """End, however the training did."""
