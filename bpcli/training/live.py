"""Training without the units that are provably dead. It changes the network by nothing but the order of sums.

A ReLU unit is silent for an image if z ≤ 0: then a = 0 and f'(z) = 0, and the image moves none of its weights. The
inputs of the first hidden layer are always the same. So if one of its units is silent for every image of an epoch, and
its weights stand still all the while, it is dead: silent for ever. Such units are left out from the next epoch on.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

import numpy as np

from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.threads import Group
from bpcli.core.types import Array, Flags
from bpcli.data.datasets import Split
from bpcli.model import Model
from bpcli.storage.state import State
from bpcli.training import builders
from bpcli.training.trainer import BatchMetrics, Order, Trainer


class LiveTrainer:
    """A `Trainer` of all units but the dead ones; it keeps the state's `silent_since` and `still_since`.

    Which units are left out follows from the state alone, so a run that goes on leaves out the same.

    Args:
        model: what to train; the steps change its parameters.
        state: of the run, with these parameters; the steps change it.
        training: upright images to train on.
        workers: the workers that do the steps.
    """

    def __init__(self, model: Model, state: State, training: Split, workers: Group) -> None:
        self._model, self._state, self._training, self._workers = model, state, training, workers
        self._whole = Trainer(model, state.optimizer_state, training, workers)
        self._may_skip = _may_skip(model.config)
        self._small: _Small | None = None
        self.steps, self.learning_rate = self._whole.steps, self._whole.learning_rate

    def run(
        self, epoch: int, order: Order, first: int, report: Callable[[], bool] = lambda: True
    ) -> Generator[list[BatchMetrics], None, None]:
        """Do the steps of an epoch from the step `first` on, as `Trainer.run`."""
        if first == 0:
            self._note_moving(epoch)
        live = self._live(epoch)
        if live.all():
            yield from self._run(self._whole, live, epoch, order, first, report)
            return
        small = self._without_dead(live)
        small.gather()
        try:
            yield from self._run(small.trainer, live, epoch, order, first, report)
        finally:
            small.scatter()

    def _run(
        self, trainer: Trainer, live: Flags, epoch: int, order: Order, first: int, report: Callable[[], bool]
    ) -> Generator[list[BatchMetrics], None, None]:
        """Do the steps, and note which units fired."""
        try:
            with closing(trainer.run(epoch, order, first, report)) as reports:
                yield from reports
        finally:
            self._state.silent_since[np.flatnonzero(live)[trainer.fired]] = epoch + 1

    def _note_moving(self, epoch: int) -> None:
        """Note at the start of an epoch which units of the first layer do not stand still."""
        still_since = self._state.still_since
        moving = _moving(self._model, *self._state.optimizer_state) if self._may_skip else slice(None)
        still_since[: self._first][moving] = epoch + 1

    def _live(self, epoch: int) -> Flags:
        """Return which hidden units are not dead, those of the first layer first."""
        live = np.ones(len(self._state.silent_since), np.bool_)
        if self._may_skip:
            since = np.maximum(self._state.silent_since, self._state.still_since)
            live[: self._first] = since[: self._first] >= epoch
        return live if live[: self._first].any() else np.ones_like(live)

    @property
    def _first(self) -> int:
        """The number of units of the first layer; 0 without a hidden layer."""
        return self._model.network.sizes[1] if self._model.network.hidden else 0

    def _without_dead(self, live: Flags) -> "_Small":
        """Return the network without its dead units; the one of the last call if the same are dead."""
        mine = live[: self._first]
        if self._small is None or not np.array_equal(self._small.live, mine):
            self._small = _Small(mine, self._model, self._state.optimizer_state, self._training, self._workers)
        return self._small


class _Small:
    """A network without some units of its first layer, and its trainer."""

    def __init__(
        self, live: Flags, model: Model, optimizer_state: tuple[Array, ...], training: Split, workers: Group
    ) -> None:
        inputs, _, *above = model.network.sizes
        network = replace(model.network, sizes=(inputs, int(live.sum()), *above))
        self.live, self._at = live, _of_units(live, model.network.sizes)
        self._whole = (model.parameters, *optimizer_state)
        self._mine = tuple(vector[self._at] for vector in self._whole)
        small = replace(model, network=network, parameters=self._mine[0])
        self.trainer = Trainer(small, self._mine[1:], training, workers)

    def gather(self) -> None:
        """Copy the parameters and the optimizer's state from the whole network."""
        for mine, whole in zip(self._mine, self._whole, strict=True):
            mine[:] = whole[self._at]

    def scatter(self) -> None:
        """Copy them back."""
        for mine, whole in zip(self._mine, self._whole, strict=True):
            whole[self._at] = mine


def _may_skip(config: Config) -> bool:
    """Return whether units of the first layer can be dead for good.

    With distortions, images differ in each epoch. Weight decay moves the weights of silent units. Adam moves them for
    thousands of steps. Masks of dropout depend on a unit's number.
    """
    relu = config.model.activations[:1] == ("relu",)
    plain = config.optimizer.kind == "momentum" and not config.optimizer.weight_decay and not config.model.dropout
    return relu and plain and not config.train.freeze and not builders.augment_ranges(config).any


def _moving(model: Model, velocity: Array) -> Flags:
    """Return for each unit of the first layer whether its velocity changes a bit of its weights, in or out, or bias."""
    change = model.parameters + velocity - model.parameters
    into, out, *_ = parameters.views(change, model.network.sizes)
    moving: Flags = into.weight.any(axis=0) | (into.bias != 0) | out.weight.any(axis=1)
    return moving


def _of_units(live: Flags, sizes: tuple[int, ...]) -> Flags:
    """Return which parameters are not of dead units of the first layer.

    The vector of those is laid out as that of the smaller network: layers are stored by unit (`core.parameters`).
    """
    kept = np.ones(parameters.count(sizes), np.float32)
    into, out, *_ = parameters.views(kept, sizes)
    into.weight[:, ~live] = into.bias[~live] = out.weight[~live] = 0
    return kept > 0
