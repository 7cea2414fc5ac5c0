"""The steps of a run: batches gathered, sent forward and back, and the parameters moved, by a team of workers."""

from collections.abc import Generator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.distortions import Distorter, draw, smooth_fields
from bpcli.core.network import Buffers, Part, Worker
from bpcli.core.optimizers import blocks, settle
from bpcli.core.pixels import NORMALIZATIONS, normalize
from bpcli.core.schedules import rate
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import CLASSES, Split
from bpcli.training import problem
from bpcli.training.team import Team

Order: TypeAlias = NDArray[np.intp]

_SETTLING = 128  # steps between two looks at velocities that have become negligible


class Session:
    """What the steps need, allocated once: buffers, gradients and, for each worker, its views of them.

    Args:
        config: the run's configuration.
        vector: the parameters, which the steps change.
        velocity: theirs, likewise.
        training: what to train on.
        team: who does it.

    Attributes:
        steps: the steps of an epoch; the last one takes what is left over.
        loss_sum, correct: over the images of the last step, before it moved the parameters.
    """

    def __init__(self, config: Config, vector: Array, velocity: Array, training: Split, team: Team) -> None:
        self._training, self._team = training, team
        self._network = problem.network(config)
        self._optimizer = problem.optimizer(config, len(training))
        self._schedule = problem.schedule(config)
        self._learning_rate = config.optimizer.learning_rate
        self._normalization = NORMALIZATIONS[config.data.normalize]
        self._size = min(config.train.batch_size, len(training))
        self.steps = -(-len(training) // self._size)
        self._seed, self._ranges = config.seed, problem.distortions(config)
        self._distorters = self._prepared() if self._ranges.any else []
        self._allocate(vector, velocity)

    def _allocate(self, vector: Array, velocity: Array) -> None:
        sizes, size, team = self._network.sizes, self._size, self._team.size
        self._layers, speeds, self._gradients = (
            parameters.views(flat, sizes) for flat in (vector, velocity, np.empty_like(vector))
        )
        self._blocks = [blocks(self._layers, speeds, self._gradients, Part(k, team)) for k in range(team)]
        self._buffers = Buffers.allocate(self._network, size, vector.dtype)
        # two of each, in turn: the workers fill one while the other is in use
        self._x = np.empty((2, size, sizes[0]), vector.dtype)
        self._y = np.empty((2, size, CLASSES), vector.dtype)
        self._pixels = np.empty((size, sizes[0]), np.uint8)
        self._targets = np.eye(CLASSES + 1, CLASSES, dtype=vector.dtype)  # none of them for strangers
        self._workers: dict[tuple[int, int], Worker] = {}
        self._loss_sums, self._hits = [0.0] * team, [0] * team

    def _prepared(self) -> list[Distorter]:
        """What distorts each worker's images."""
        ranges, most = self._ranges, -(-self._size // self._team.size)
        fields = smooth_fields(ranges, self._seed) if ranges.elastic_alpha else None
        return [Distorter(fields, ranges.stroke > 0, self._normalization, most) for _ in range(self._team.size)]

    def learning_rate(self, epoch: int, step: int) -> float:
        """η at one step."""
        return self._learning_rate * rate(self._schedule, epoch, step, self.steps)

    def run(self, epoch: int, order: Order, first: int) -> Generator[int, None, None]:
        """Does the steps of an epoch from the step `first` on, and yields after each how many images it took.

        The parameters are consistent when the last step is done or the generator is closed; in between, other
        workers may still be at work on theirs.
        """

        def work(worker: int) -> None:
            self._fill(worker, epoch, first, order)
            self._team.meet(worker)
            for step in range(first, self.steps):
                self._advance(worker, epoch, step, order)

        with self._team.helping(work):
            self._fill(0, epoch, first, order)
            self._team.meet(0)
            for step in range(first, self.steps):
                self._advance(0, epoch, step, order)
                yield self._count(step)

    @property
    def loss_sum(self) -> float:
        """The summed losses of the last step's images, before it moved the parameters."""
        return sum(self._loss_sums)

    @property
    def correct(self) -> int:
        """How many of the last step's images got the highest score for their label."""
        return sum(self._hits)

    def _count(self, step: int) -> int:
        return min(self._size, len(self._training) - step * self._size)

    @np.errstate(over="ignore", invalid="ignore")  # the loop finds what is not finite, and says so once
    def _advance(self, k: int, epoch: int, step: int, order: Order) -> None:
        """Worker k's part of one step."""
        n = self._count(step)
        worker = self._worker(k, n)
        x, y = self._x[step % 2, :n], self._y[step % 2, worker.rows]
        worker.forward(x)
        self._fill(k, epoch, step + 1, order)  # here, where the others would otherwise be waited for
        self._loss_sums[k] = float(self._network.output.loss(worker.logits, worker.scores, y).sum())
        self._hits[k] = int(np.count_nonzero(worker.scores.argmax(axis=1) == y.argmax(axis=1)))
        worker.backward(x, y)
        learning_rate = self.learning_rate(epoch, step)
        for block in self._blocks[k]:
            self._optimizer.step(block, learning_rate)
            if step % _SETTLING == 0:
                settle(block)

    def _worker(self, k: int, n: int) -> Worker:
        """Worker k with its views for batches of n; there are two such sizes, the usual and the last one's."""
        if (k, n) not in self._workers:
            self._workers[k, n] = Worker(
                self._network,
                self._layers,
                self._buffers.first(n),
                self._gradients,
                Part(k, self._team.size),
                self._team.meeting_of(k),
            )
        return self._workers[k, n]

    def _fill(self, k: int, epoch: int, step: int, order: Order) -> None:
        """Gathers worker k's rows of a step's batch, if there is such a step."""
        if step >= self.steps:
            return
        mine = Part(k, self._team.size).slice(self._count(step))
        chosen = order[step * self._size :][mine]
        pixels = self._pixels[mine]
        np.take(self._training.images, chosen, axis=0, out=pixels, mode="clip")
        self._show(k, epoch, step, pixels, self._x[step % 2, mine])
        self._y[step % 2, mine] = self._targets[self._training.labels[chosen]]

    def _show(self, k: int, epoch: int, step: int, pixels: Bytes, x: Array) -> None:
        """Writes worker k's images of a step to x, distorted where the configuration says so."""
        if not self._distorters:
            normalize(pixels, self._normalization, x)
            return
        n = self._count(step)
        draws = draw(self._ranges, self._seed, epoch, step, n)
        self._distorters[k](pixels, draws.rows(Part(k, self._team.size).slice(n)), x)
