"""The training loop: a generator of events over a state that is exactly what a checkpoint saves."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from math import inf, isfinite
from time import perf_counter

import numpy as np

from bpcli import model as models
from bpcli.config import Config
from bpcli.core import seeds
from bpcli.core.processes import WorkerLost
from bpcli.core.threads import Interrupted, ThreadGroup, never_stop
from bpcli.data.datasets import DataSet
from bpcli.errors import TrainingError
from bpcli.inference.doubts import best_guess, doubt
from bpcli.inference.evaluation import Evaluated, Score, evaluate
from bpcli.model import Model
from bpcli.storage.state import State
from bpcli.training import builders
from bpcli.training.events import CheckpointDue, DeadUnits, EpochEnd, Event, Finished, Step, Views
from bpcli.training.live import LiveTrainer
from bpcli.training.trainer import BatchMetrics, Order, watched_layers

SHOWN = 0.1  # seconds between two reports of steps


def train(
    config: Config, state: State, data: DataSet, threads: ThreadGroup, should_stop: Callable[[], bool] = never_stop
) -> Generator[Event, None, None]:
    """Train from the state on, to the configuration's last epoch or until patience ends.

    The state is consistent after each `EpochEnd` and `CheckpointDue`, and whenever this generator has been closed.

    Args:
        config: the run's configuration.
        state: where the run stands; changed in place.
        data: what to train and to validate on, upright; the validation split may be empty.
        threads: the threads that do the work.
        should_stop: called between two steps, and between parts of a validation; True ends the training with a last
            `CheckpointDue`.

    Raises:
        TrainingError: the loss or a parameter is no longer finite; the state is then useless.
    """
    model = models.build(config, data.spec, state.parameters).for_upright()
    trainer = LiveTrainer(model, state, data.training, builders.workers(threads))
    while state.epoch < config.train.epochs and not _out_of_patience(config, state):
        start = perf_counter()
        if (yield from _steps(config, state, trainer, len(data.training), should_stop)):
            return
        rate = trainer.learning_rate(state.epoch, trainer.steps - 1)
        _require_finite(state, rate)
        try:
            validated = evaluate(model, data.validation, threads, should_stop) if len(data.validation) else None
        except Interrupted:
            yield CheckpointDue(state.epoch, state.step)
            return
        end = _epoch_end(model, state, rate, validated, data, perf_counter() - start)
        _require_finite_losses(state, end)
        _finish(state, end)
        yield end
    yield Finished(
        state.epoch,
        state.best_epoch,
        state.best_metrics,
        _warning(config, state, data),
        _dead(model, state, state.epoch - 1),
    )


def _steps(
    config: Config, state: State, trainer: LiveTrainer, images: int, should_stop: Callable[[], bool]
) -> Generator[Step | CheckpointDue, None, bool]:
    """Do the remaining steps of the state's epoch; pause whenever a checkpoint is due.

    Returns:
        Whether `should_stop` ended them.
    """
    order = seeds.order(config.seed, state.epoch, images)
    while state.step < trainer.steps:
        yield from _steps_until(_due(config), should_stop, state, trainer, order)
        stopped = should_stop()
        if stopped or state.step < trainer.steps:
            _require_finite(state, trainer.learning_rate(state.epoch, state.step - 1))
            yield CheckpointDue(state.epoch, state.step)
        if stopped:
            return True
    return False


def _steps_until(
    due: float, should_stop: Callable[[], bool], state: State, trainer: LiveTrainer, order: Order
) -> Iterator[Step]:
    """Do the next steps of the epoch, until it ends or a checkpoint is due.

    Raises:
        TrainingError: the loss of a batch is not finite, or a worker was lost.
    """
    pause = _Pause(due, should_stop)
    try:
        with closing(trainer.run(state.epoch, order, state.step, pause.report)) as reports:
            for batches in reports:
                yield _noted(state, trainer, batches)
                if pause.now():
                    return
    except WorkerLost as error:
        raise TrainingError(
            f"{error}, in epoch {state.epoch + 1}; --resume goes on from the last checkpoint, and -s train.threads=1 "
            "needs no other process"
        ) from error


class _Pause:
    """The times of reports, several times a second, and of the next pause."""

    def __init__(self, due: float, should_stop: Callable[[], bool]) -> None:
        self._due, self._should_stop, self._next = due, should_stop, perf_counter()

    def report(self) -> bool:
        """Return whether it is time to report."""
        if perf_counter() < self._next and not self.now():
            return False
        self._next = perf_counter() + SHOWN
        return True

    def now(self) -> bool:
        """Return whether it is time to pause."""
        return perf_counter() >= self._due or self._should_stop()


def _noted(state: State, trainer: LiveTrainer, batches: list[BatchMetrics]) -> Step:
    """Add the batches that are done to the state, and return their event.

    Raises:
        TrainingError: the loss of a batch is not finite.
    """
    for batch in batches:
        if not isfinite(batch.loss):
            raise _divergence(state.epoch, state.step, trainer.learning_rate(state.epoch, state.step), "the loss")
        state.loss_sum += batch.loss
        state.correct += batch.correct
        state.step += 1
    images, loss = sum(batch.images for batch in batches), sum(batch.loss for batch in batches)
    correct = sum(batch.correct for batch in batches)
    return Step(state.epoch, state.step - 1, trainer.steps, loss / images, correct / images)


def _due(config: Config) -> float:
    """Return when, by `perf_counter`, the next checkpoint within an epoch is due."""
    minutes = config.train.checkpoint_minutes
    return inf if minutes is None else perf_counter() + 60 * minutes


def _epoch_end(
    model: Model, state: State, rate: float, evaluated: Evaluated | None, data: DataSet, seconds: float
) -> EpochEnd:
    images = len(data.training)
    penalty, validated = _penalty(model, images), evaluated and evaluated.score
    is_best = validated is None or validated.accuracy > state.best_accuracy
    trained = Score(state.loss_sum / images + penalty, state.correct / images)
    validated = validated and Score(validated.loss + penalty, validated.accuracy)
    best_epoch = state.epoch if is_best else state.best_epoch
    views = Views(model, data.training, data.validation, evaluated and evaluated.scores)
    dead = _dead(model, state, state.epoch)
    return EpochEnd(state.epoch, model.config.train.epochs, rate, trained, validated, seconds, best_epoch, views, dead)


def _dead(model: Model, state: State, epoch: int) -> DeadUnits | None:
    """Return the units that were dead in an epoch; None if there are none that could die."""
    units = sum(units for _, units in watched_layers(model.network))
    return DeadUnits(units, state.last_fired(epoch)) if units else None


def _finish(state: State, end: EpochEnd) -> None:
    """Move the state from the end of an epoch to the start of the next."""
    state.metrics = end.metrics
    if end.is_best:
        state.best_epoch, state.best_metrics = end.epoch, end.metrics
        state.best_accuracy = end.validation.accuracy if end.validation else -1.0
        np.copyto(state.best, state.parameters)
    state.epoch, state.step, state.loss_sum, state.correct = end.epoch + 1, 0, 0.0, 0


def _warning(config: Config, state: State, data: DataSet) -> str:
    """Return why the network that is kept, or the last one, should not be trusted, or ""."""
    labels = (data.validation if len(data.validation) else data.training).labels
    guessed = best_guess(labels, len(data.spec.classes))
    if text := doubt(config, data.spec, state.best_metrics, guessed):
        return f"this run learned nothing: {text}"
    if text := doubt(config, data.spec, state.metrics, guessed):
        return f"this run unlearned everything after epoch {state.best_epoch + 1}, whose network is kept: {text}"
    return ""


def _require_finite(state: State, rate: float) -> None:
    if not state.is_finite:
        raise _divergence(state.epoch, state.step - 1, rate, "a parameter")


def _require_finite_losses(state: State, end: EpochEnd) -> None:
    """Refuse an epoch whose parameters are finite, but so large that a loss is not."""
    for score, what in ((end.train, "the training loss"), (end.validation, "the validation loss")):
        if score and not isfinite(score.loss):
            raise _divergence(state.epoch, state.step - 1, end.learning_rate, what)


def _divergence(epoch: int, step: int, rate: float, what: str) -> TrainingError:
    return TrainingError(
        f"{what} is no longer finite at epoch {epoch + 1}, step {step + 1}, with the learning rate {rate:g}: training "
        "has diverged; a lower optimizer.learning_rate usually helps, or schedule.warmup=1"
    )


def _penalty(model: Model, images: int) -> float:
    """Return the loss term of weight decay, λ/2n·Σw², if it is wanted, else 0 (Nielsen, chapter 3, equation 85)."""
    if not model.config.train.penalty_in_loss:
        return 0.0
    squares = sum(float(np.vdot(layer.weight, layer.weight)) for layer in model.layers)
    return model.config.optimizer.weight_decay / (2 * images) * squares


def _out_of_patience(config: Config, state: State) -> bool:
    patience = config.train.patience
    return patience is not None and state.best_epoch >= 0 and state.epoch - 1 - state.best_epoch >= patience
