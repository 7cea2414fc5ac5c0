"""The steps of a run: a group of workers gathers each batch, does both passes and updates the parameters."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.distortions import Distorter, distorters, sample_transforms
from bpcli.core.dropout import write_mask
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.optimizers import BLOCK, Block, blocks, flush_denormals
from bpcli.core.schedules import rate
from bpcli.core.threads import Alone, Group, Rank
from bpcli.core.types import Array, Flags
from bpcli.data.datasets import Split
from bpcli.inference.evaluation import one_hot
from bpcli.model import Model
from bpcli.training import builders

Order: TypeAlias = NDArray[np.intp]

_FLUSH_EVERY = 128  # steps after which denormal numbers are removed from the optimizer's state
_NOTED = 8192  # images whose logits are kept until their losses are reported


class BatchMetrics(NamedTuple):
    """The metrics of one batch, computed before its step updated the parameters.

    Attributes:
        images: the number of its images.
        loss: the sum of their losses.
        correct: how many of them got the highest score for their label.
    """

    images: int
    loss: float
    correct: int


class _Shard(NamedTuple):
    """One worker's share: its number, its rank, the parameters that it updates, and its distorter."""

    worker: int
    me: Rank | Alone
    blocks: list[Block]
    distorter: Distorter | None


class Trainer:
    """The training steps; all buffers are allocated once.

    Args:
        model: what to train; the steps change its parameters.
        optimizer_state: the optimizer's vectors; the steps change them too.
        training: upright images to train on.
        workers: the workers that do the steps.

    Attributes:
        steps: the number of steps of an epoch; the last batch may be smaller.
        fired: whether each hidden unit has fired since `run` began, the first layer's units first; always True for
            units that are not watched, those of frozen layers and of other activations than ReLU.
    """

    def __init__(self, model: Model, optimizer_state: tuple[Array, ...], training: Split, workers: Group) -> None:
        config, self._model, self._training, self._workers = model.config, model, training, workers
        self._optimizer = builders.optimizer(config, len(training))
        self._schedule, self._learning_rate = builders.schedule(config), config.optimizer.learning_rate
        self._size = min(config.train.batch_size, len(training))
        self.steps = builders.steps(config, len(training))
        self._dropout = config.model.dropout
        self._seed, self._ranges = config.seed, builders.augment_ranges(config)
        self._distorters = self._make_distorters()
        self._allocate(optimizer_state)
        self.fired, self._watched = _watch(model.network, workers)

    def _allocate(self, optimizer_state: tuple[Array, ...]) -> None:
        net, size, dtype = self._model.network, self._size, self._model.parameters.dtype
        inputs, classes, zeros = net.sizes[0], net.sizes[-1], self._workers.zeros
        self._given = (self._model.parameters, *optimizer_state)
        vector, *state = self._kept = [self._workers.shared(vector) for vector in self._given]
        self._vectors = [vector, zeros(vector.shape, dtype), *state]
        self._layers, self._gradients, *self._state = (parameters.views(flat, net.sizes) for flat in self._vectors)
        room = Buffers.allocate(net, size, dtype, dropout=self._dropout > 0, zeros=zeros)
        last = len(self._training) - (self.steps - 1) * self._size
        self._rooms = {n: room.first(n) for n in (size, last)}
        # three in turn: one worker may fill the next batch's while others read this one's or the previous one's
        self._x, self._y = zeros((3, size, inputs), dtype), zeros((3, size, classes), dtype)
        self._pixels = np.empty((size, inputs), np.uint8)
        self._targets = one_hot(self._training.labels, classes, dtype)
        # the steps that are not reported yet: their images and logits
        self._noted: list[Order] = []
        self._logits = np.empty((max(_NOTED // size, 1), size, classes), dtype)

    def _make_distorters(self) -> list[Distorter | None]:
        """Return the distorter of each worker; None if nothing is distorted."""
        count = self._workers.size
        if not self._ranges.any:
            return [None] * count
        most, normalization = -(-self._size // count), self._model.preprocessing.normalization
        return [*distorters(self._ranges, self._seed, normalization, most, count, self._training.side)]

    def learning_rate(self, epoch: int, step: int) -> float:
        """Return η at one step."""
        return self._learning_rate * rate(self._schedule, epoch, step, self.steps)

    def run(
        self, epoch: int, order: Order, first: int, report: Callable[[], bool] = lambda: True
    ) -> Generator[list[BatchMetrics], None, None]:
        """Do the steps of an epoch from the step `first` on.

        The model's parameters and the optimizer's state are those after the steps when the last step is done or the
        generator is closed. In between, other workers may still be updating theirs.

        Args:
            epoch: from 0.
            order: the order of the images in this epoch.
            first: the step to begin with, from 0.
            report: called after each step; True makes this yield.

        Yields:
            The metrics of each step since the last yield. It also yields when the epoch ends, and when there is no room
            to note another step. The metrics don't depend on how often it yields.
        """
        self._noted = []
        for watched in self._watched.values():
            watched.fill(False)
        shards, steps = self._shards(), range(first, self.steps)

        def work(index: int) -> None:
            self._begin(shards[index], epoch, first, order)
            self._advance(shards[index], epoch, iter(steps), order, lambda: False)

        with self._shared(), self._workers.running(work):
            self._begin(shards[0], epoch, first, order)
            rest = iter(steps)
            while self._advance(shards[0], epoch, rest, order, lambda: report() or self._is_full):
                yield self._metrics()

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Bring the parameters and the optimizer's state to where the workers share them, and back at the end."""
        for kept, given in zip(self._kept, self._given, strict=True):
            np.copyto(kept, given)
        try:
            yield
        finally:
            for kept, given in zip(self._kept, self._given, strict=True):
                np.copyto(given, kept)

    @property
    def _is_full(self) -> bool:
        """Whether there is no room to note another step."""
        return len(self._noted) == len(self._logits)

    def _begin(self, shard: _Shard, epoch: int, step: int, order: Order) -> None:
        """Gather a worker's rows of the first batch, and wait until all workers have done so."""
        self._fill(shard, epoch, step, order)
        self._workers.barrier(shard.worker)

    @np.errstate(over="ignore", invalid="ignore")  # the training loop reports infinities and NaNs, once
    def _advance(
        self, shard: _Shard, epoch: int, steps: Iterator[int], order: Order, pause: Callable[[], bool]
    ) -> bool:
        """Do a worker's part of the next steps, until `pause` returns True or no step is left.

        Returns:
            Whether there was a step to do.
        """
        step = None
        for step in steps:
            self._step(shard, epoch, step, order)
            if pause():
                break
        return step is not None

    def _shards(self) -> list[_Shard]:
        ranks = self._workers.ranks(self._size, self._y.shape[2], self._y.dtype)
        return [
            _Shard(index, me, self._blocks(me), distorter)
            for index, (me, distorter) in enumerate(zip(ranks, self._distorters, strict=True))
        ]

    def _blocks(self, me: Rank | Alone) -> list[Block]:
        """Return what a worker updates. A small network without weight decay is one block: a step is fewer calls."""
        net = self._model.network
        first = parameters.count(net.sizes[: net.frozen + 1])
        w, g, *state = (vector[first:] for vector in self._vectors)
        if self._workers.size == 1 and not self._model.config.optimizer.weight_decay and w.size <= BLOCK:
            return [Block(w, g, tuple(state), decays=False)]
        return blocks(self._layers, self._gradients, self._state, me, net.frozen)

    @np.errstate(over="ignore", invalid="ignore")
    def _metrics(self) -> list[BatchMetrics]:
        """Return the metrics of each step since the last call.

        Many steps are done at once: each call to NumPy is small, and other workers wait meanwhile.
        """
        noted, self._noted = self._noted, []
        chosen, sizes = np.concatenate(noted), [len(batch) for batch in noted]
        logits = self._logits[: len(sizes)].reshape(-1, self._logits.shape[2])[: len(chosen)]
        output = self._model.network.output
        scores = output.value(logits)
        losses = output.loss(logits, scores, self._targets.take(chosen, axis=0))
        hits = scores.argmax(axis=1) == self._training.labels[chosen]
        starts = [0, *accumulate(sizes)]
        return [
            BatchMetrics(end - start, float(losses[start:end].sum()), int(np.count_nonzero(hits[start:end])))
            for start, end in pairwise(starts)
        ]

    def _step(self, shard: _Shard, epoch: int, step: int, order: Order) -> None:
        """Do a worker's part of one step."""
        self._fill(shard, epoch, step + 1, order)
        batch = self._batch(step, order)
        n, learning_rate, net = len(batch), self.learning_rate(epoch, step), self._model.network
        x, y, room = self._x[step % 3, :n], self._y[step % 3, :n], self._rooms[n]
        if self._dropout:
            self._draw_masks(shard, epoch, step, room)
        z = forward(net, self._layers, x, room, shard.me)
        if shard.me.first:
            self._logits[len(self._noted), :n] = z
            self._noted.append(batch)
        backward(net, self._layers, x, net.output.value(z), y, room, self._gradients, shard.me)
        for layer, fired in self._watched.items():
            units = shard.me.units(len(fired))
            _note_firing(room.hidden[layer].f_prime[:, units], fired[units])
        for block in shard.blocks:
            self._optimizer.step(block, learning_rate, epoch * self.steps + step + 1)
            if step % _FLUSH_EVERY == 0:
                flush_denormals(self._optimizer, block)

    def _draw_masks(self, shard: _Shard, epoch: int, step: int, room: Buffers) -> None:
        """Draw the dropout masks of a worker's hidden units for one step."""
        for layer, here in enumerate(room.hidden):
            units = shard.me.units(self._model.network.sizes[layer + 1])
            if here.mask is not None:
                write_mask(self._dropout, self._seed, epoch, step, layer, units, here.mask[:, units])

    def _batch(self, step: int, order: Order) -> Order:
        """Return the indices of a step's images in the training split; none after the last step."""
        return order[step * self._size : (step + 1) * self._size]

    def _fill(self, shard: _Shard, epoch: int, step: int, order: Order) -> None:
        """Gather a worker's rows of a step's batch, if there is such a step."""
        batch = self._batch(step, order)
        if not len(batch):
            return
        mine = self._workers.part(shard.worker, len(batch))
        chosen, pixels = batch[mine], self._pixels[mine]
        self._training.images.take(chosen, axis=0, out=pixels, mode="clip")
        self._targets.take(chosen, axis=0, out=self._y[step % 3, mine], mode="clip")
        x = self._x[step % 3, mine]
        if shard.distorter is None:
            self._model.preprocessing.normalize(pixels, x)
        else:
            transforms = sample_transforms(self._ranges, self._seed, epoch, step, len(batch))
            shard.distorter(pixels, transforms.rows(mine), x)


def _watch(net: Network, workers: Group) -> tuple[Flags, dict[int, Flags]]:
    """Return a flag for each hidden unit, and those of each layer that is watched as views, by its index."""
    fired = workers.zeros(sum(net.sizes[1:-1]), np.bool_).view(np.bool_)
    fired.fill(True)
    ends = [*accumulate(net.sizes[1:-1])]
    return fired, {layer: fired[ends[layer] - units : ends[layer]] for layer, units in watched_layers(net)}


def watched_layers(net: Network) -> list[tuple[int, int]]:
    """Return index and units of each hidden layer whose units can die and be noticed: ReLU, and not frozen."""
    layers = zip(net.hidden, net.sizes[1:-1], strict=True)
    return [(n, units) for n, (f, units) in enumerate(layers) if n >= net.frozen and f is ACTIVATIONS["relu"]]


def _note_firing(f_prime: NDArray[np.generic], fired: Flags) -> None:
    """Flag the units that fire on an image of a batch, (batch, units). Only those without a flag are looked at."""
    left = np.flatnonzero(~fired)
    if len(left):
        fired[left] = f_prime.T[left].any(axis=1)
