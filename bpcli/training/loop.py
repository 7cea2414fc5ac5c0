"""The training loop: a generator of events over a state that is exactly what a checkpoint saves."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from math import inf, isfinite
from time import perf_counter

import numpy as np

from bpcli.config import Config
from bpcli.core import parameters, seeds
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.types import Array
from bpcli.data.mnist import Split
from bpcli.errors import TrainingError
from bpcli.training import problem
from bpcli.training.evaluation import Interrupted, evaluate, never
from bpcli.training.events import EpochEnd, Event, Finished, Paused, Score, Step
from bpcli.training.session import Order, Session
from bpcli.training.team import Team

SHOWN = 0.1  # seconds between two looks at what the steps gave


@dataclass(slots=True)
class State:
    """Where a run stands; training changes it in place.

    Attributes:
        parameters: all weights and biases, one vector (`core.parameters`).
        velocity: of the same layout.
        best: the parameters of the best epoch so far.
        epoch: the epoch that is under way or next, from 0.
        step: the steps of it that are done.
        loss_sum, correct: over the images of these steps.
        best_epoch: −1 before the first epoch's end.
        best_accuracy: on the validation split, after `best_epoch`; −1 without one.
        figures: of the last epoch that ended, as in metrics.csv.
        best_figures: of `best_epoch`, likewise.
    """

    parameters: Array
    velocity: Array
    best: Array
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    best_epoch: int = -1
    best_accuracy: float = -1.0
    figures: Mapping[str, float] = field(default_factory=dict)
    best_figures: Mapping[str, float] = field(default_factory=dict)


def first_state(config: Config) -> State:
    """The state before the first step: weights drawn from the seed, no velocity.

    Raises:
        ConfigError: the machine has too little memory for the network, or a checkpoint too little room.
    """
    problem.require_memory(config)
    problem.require_checkpoint(config)
    sizes = problem.network(config).sizes
    vector = np.zeros(parameters.count(sizes), np.float32)
    rng = seeds.stream(config.seed, seeds.INITIALIZATION)
    initialize(parameters.views(vector, sizes), INITIALIZERS[config.model.init], rng)
    return State(vector, np.zeros_like(vector), vector.copy())


def train(
    config: Config,
    state: State,
    training: Split,
    validation: Split,
    team: Team,
    stopping: Callable[[], bool] = never,
) -> Generator[Event, None, None]:
    """Trains from the state on, to the configuration's last epoch or until patience ends.

    The state is consistent after each `EpochEnd` and `Paused`, and whenever this generator has been closed.

    Args:
        config: the run's configuration.
        state: where it stands; changed in place.
        training: what to train on.
        validation: what to validate on; may be empty.
        team: who does it.
        stopping: asked between two steps, and between parts of a validation, whether to end with a last `Paused`.

    Raises:
        TrainingError: the loss or a parameter is not finite any more; the state is of no use then.
    """
    session = Session(config, state.parameters, state.velocity, training, team)
    while state.epoch < config.train.epochs and not _out_of_patience(config, state):
        start = perf_counter()
        if (yield from _steps(config, state, session, len(training), stopping)):
            return
        rate = session.learning_rate(state.epoch, session.steps - 1)
        _require_finite(state, rate)
        try:
            score = _score(config, state, validation, team, stopping) if len(validation) else None
        except Interrupted:
            yield Paused(state.epoch, state.step)
            return
        is_best = score is None or score.accuracy > state.best_accuracy
        penalty = _penalty(config, state, len(training))
        trained = Score(state.loss_sum / len(training) + penalty, state.correct / len(training))
        validated = score and Score(score.loss + penalty, score.accuracy)
        seconds = perf_counter() - start
        end = EpochEnd(state.epoch, config.train.epochs, rate, trained, validated, seconds, is_best)
        _finish(state, end)
        yield end
    yield Finished(state.epoch, state.best_epoch, state.best_figures)


def _steps(
    config: Config, state: State, session: Session, images: int, stopping: Callable[[], bool]
) -> Generator[Step | Paused, None, bool]:
    """The steps of the state's epoch that are not yet done, with a pause whenever a checkpoint is due.

    Returns:
        Whether `stopping` has ended them.
    """
    order = seeds.order(config.seed, state.epoch, images)
    while state.step < session.steps:
        yield from _steps_until(stopping, _due(config), state, session, order)
        stopped = stopping()
        if stopped or state.step < session.steps:
            _require_finite(state, session.learning_rate(state.epoch, state.step - 1))
            yield Paused(state.epoch, state.step)
        if stopped:
            return True
    return False


def _steps_until(
    stopping: Callable[[], bool], due: float, state: State, session: Session, order: Order
) -> Iterator[Step]:
    """The next steps of the epoch: to its end, or until it's time to pause; told of a few times a second."""
    shown = perf_counter()
    with closing(session.run(state.epoch, order, state.step)) as steps:
        for step in steps:
            now = perf_counter()
            if now >= min(due, shown) or session.full or step == session.steps - 1 or stopping():
                yield _tallied(state, session)
                if now >= due or stopping():
                    return
                shown = now + SHOWN


def _tallied(state: State, session: Session) -> Step:
    """Brings the state up to the steps that are done.

    Raises:
        TrainingError: the loss of one of them is not finite.
    """
    tallies = session.tallies()
    for tally in tallies:
        if not isfinite(tally.loss):
            raise _divergence(state.epoch, state.step, session.learning_rate(state.epoch, state.step), "the loss")
        state.loss_sum += tally.loss
        state.correct += tally.correct
        state.step += 1
    loss = sum(tally.loss for tally in tallies) / sum(tally.images for tally in tallies)
    return Step(state.epoch, state.step - 1, session.steps, loss)


def _due(config: Config) -> float:
    """When, by `perf_counter`, the next checkpoint within an epoch is due."""
    minutes = config.train.checkpoint_minutes
    return inf if minutes is None else perf_counter() + 60 * minutes


def _finish(state: State, end: EpochEnd) -> None:
    """Takes the state from the end of an epoch to the start of the next."""
    state.figures = end.figures
    if end.is_best:
        state.best_epoch, state.best_figures = end.epoch, end.figures
        state.best_accuracy = end.validation.accuracy if end.validation else -1.0
        np.copyto(state.best, state.parameters)
    state.epoch, state.step, state.loss_sum, state.correct = end.epoch + 1, 0, 0.0, 0


def is_finite(state: State) -> bool:
    """Whether every parameter and velocity is a finite number."""
    return bool(np.isfinite(state.parameters).all() and np.isfinite(state.velocity).all())


def _require_finite(state: State, rate: float) -> None:
    if not is_finite(state):
        raise _divergence(state.epoch, state.step - 1, rate, "a parameter")


def _divergence(epoch: int, step: int, rate: float, what: str) -> TrainingError:
    return TrainingError(
        f"{what} is no longer finite at epoch {epoch + 1}, step {step + 1}, with the learning rate {rate:g}: training "
        "has diverged; a lower optimizer.learning_rate usually helps, or schedule.warmup=1"
    )


def _score(config: Config, state: State, split: Split, team: Team, stopping: Callable[[], bool]) -> Score:
    network = problem.network(config)
    layers = parameters.views(state.parameters, network.sizes)
    return evaluate(network, layers, split, NORMALIZATIONS[config.data.normalize], team, stopping)


def _penalty(config: Config, state: State, images: int) -> float:
    """The weight decay's term of the loss, λ/2n·Σw², if it is asked for (Nielsen, chapter 3, equation 85)."""
    if not config.train.penalty_in_loss:
        return 0.0
    layers = parameters.views(state.parameters, problem.network(config).sizes)
    squares = sum(float(np.vdot(layer.weight, layer.weight)) for layer in layers)
    return config.optimizer.weight_decay / (2 * images) * squares


def _out_of_patience(config: Config, state: State) -> bool:
    patience = config.train.patience
    return patience is not None and state.best_epoch >= 0 and state.epoch - 1 - state.best_epoch >= patience
