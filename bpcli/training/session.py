"""The steps of a run: batches gathered, sent forward and back, and the parameters moved, by a team of workers."""

from collections.abc import Generator
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.distortions import Distorter, distorters, draw
from bpcli.core.network import Buffers, Part, Worker
from bpcli.core.optimizers import blocks, settle
from bpcli.core.pixels import NORMALIZATIONS, normalize
from bpcli.core.schedules import rate
from bpcli.core.types import Array
from bpcli.data.mnist import CLASSES, Split
from bpcli.training import problem
from bpcli.training.evaluation import one_hot
from bpcli.training.team import Team

Order: TypeAlias = NDArray[np.intp]

_SETTLING = 128  # steps between two looks at velocities that have become negligible
_NOTED = 8192  # images of which the logits are kept until somebody asks for the losses


class Tally(NamedTuple):
    """What came out of one step, before it moved the parameters.

    Attributes:
        images: how many it took.
        loss: the sum of their losses.
        correct: how many of them got the highest score for their label.
    """

    images: int
    loss: float
    correct: int


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
        sizes, size, team, dtype = self._network.sizes, self._size, self._team.size, vector.dtype
        self._layers, speeds, self._gradients = (
            parameters.views(flat, sizes) for flat in (vector, velocity, np.empty_like(vector))
        )
        self._blocks = [blocks(self._layers, speeds, self._gradients, Part(k, team)) for k in range(team)]
        self._buffers = Buffers.allocate(self._network, size, dtype, workers=team)
        # three in turn: workers fill the next batch's while some are at this one and others still at the one before
        self._x = np.empty((3, size, sizes[0]), dtype)
        self._y = np.empty((3, size, CLASSES), dtype)
        self._pixels = np.empty((size, sizes[0]), np.uint8)
        self._targets = one_hot(self._training.labels, dtype)
        self._workers: dict[tuple[int, int], Worker] = {}
        # what the steps that nobody has asked about gave
        self._logits = np.empty((max(_NOTED // size, 1), size, CLASSES), dtype)
        self._noted: list[Order] = []

    def _prepared(self) -> list[Distorter]:
        """What distorts each worker's images."""
        most, team = -(-self._size // self._team.size), self._team.size
        return distorters(self._ranges, self._seed, self._normalization, most, team)

    def learning_rate(self, epoch: int, step: int) -> float:
        """η at one step."""
        return self._learning_rate * rate(self._schedule, epoch, step, self.steps)

    def run(self, epoch: int, order: Order, first: int) -> Generator[int, None, None]:
        """Does the steps of an epoch from the step `first` on, and yields each when it is done.

        `tallies` must be called at least whenever `full`. The parameters are consistent when the last step is done or
        the generator is closed; in between, other workers may still be at work on theirs.
        """
        self._noted = []

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
                yield step

    @property
    def full(self) -> bool:
        """Whether there is no room to note another step."""
        return len(self._noted) == len(self._logits)

    @np.errstate(over="ignore", invalid="ignore")  # the loop finds what is not finite, and says so once
    def tallies(self) -> list[Tally]:
        """What came out of each step since the last call, the same however many steps a call is about.

        Calculated for many steps at once, for these are many small calls to NumPy, while other workers wait.
        """
        noted, self._noted = self._noted, []
        chosen, sizes = np.concatenate(noted), [len(batch) for batch in noted]
        logits = self._logits[: len(sizes)].reshape(-1, CLASSES)[: len(chosen)]
        scores = np.empty_like(logits)
        self._network.output.value(logits, scores)
        losses = self._network.output.loss(logits, scores, self._targets.take(chosen, axis=0))
        hits = scores.argmax(axis=1) == self._training.labels[chosen]
        starts = [0, *accumulate(sizes)]
        return [
            Tally(end - start, float(losses[start:end].sum()), int(np.count_nonzero(hits[start:end])))
            for start, end in pairwise(starts)
        ]

    @np.errstate(over="ignore", invalid="ignore")
    def _advance(self, k: int, epoch: int, step: int, order: Order) -> None:
        """Worker k's part of one step."""
        self._fill(k, epoch, step + 1, order)
        batch = self._batch(step, order)
        n, learning_rate = len(batch), self.learning_rate(epoch, step)
        worker, x, y = self._worker(k, n), self._x[step % 3, :n], self._y[step % 3, :n]
        worker.forward(x, turn=step % 2)
        if k == 0:
            self._logits[len(self._noted), :n] = worker.logits
            self._noted.append(batch)
        worker.backward(x, y, -learning_rate)
        for block in self._blocks[k]:
            self._optimizer.step(block, learning_rate)
            if step % _SETTLING == 0:
                settle(block)

    def _batch(self, step: int, order: Order) -> Order:
        """The places of a step's images in the training split; none after the last step."""
        return order[step * self._size : (step + 1) * self._size]

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
        batch = self._batch(step, order)
        if not len(batch):
            return
        mine = Part(k, self._team.size).slice(len(batch))
        chosen, pixels = batch[mine], self._pixels[mine]
        self._training.images.take(chosen, axis=0, out=pixels, mode="clip")
        self._targets.take(chosen, axis=0, out=self._y[step % 3, mine], mode="clip")
        x = self._x[step % 3, mine]
        if self._distorters:
            draws = draw(self._ranges, self._seed, epoch, step, len(batch))
            self._distorters[k](pixels, draws.rows(mine), x)
        else:
            normalize(pixels, self._normalization, x)
