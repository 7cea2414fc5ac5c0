"""What the units of a network do: which are used most, which never fire, how weights and gradients are spread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpcli.core import parameters
from bpcli.core.network import Buffers, Network, Worker
from bpcli.core.parameters import Layer
from bpcli.core.pixels import NORMALIZATIONS, normalize
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import Split
from bpcli.training import problem
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.evaluation import CHUNK, one_hot

FLAT = 0.01  # a unit whose derivative never exceeds this (leaky ReLU's leak) hardly learns: it is dead
BARS = 48  # of a histogram

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many numbers lie between each two edges: `counts` (n,), `edges` (n + 1,)."""

    counts: NDArray[np.int64]
    edges: Reals


@dataclass(frozen=True, slots=True)
class Activity:
    """What the units of a hidden layer did over some images, each (units,).

    Attributes:
        strength: the mean of |a|.
        fired: the share of images with a > 0.
        steepest: the largest derivative f'(z).
    """

    strength: Reals
    fired: Reals
    steepest: Reals

    @property
    def dead(self) -> NDArray[np.bool_]:
        """The units that no image moved onto a slope: they can't learn any more."""
        return self.steepest <= FLAT


def layers(loaded: Checkpoint) -> tuple[Layer, ...]:
    """The layers of a checkpoint's network."""
    return parameters.views(loaded.parameters, problem.network(loaded.config).sizes)


def inputs(loaded: Checkpoint, images: Bytes) -> Array:
    """Images (n, 784) as the network takes them."""
    x = np.empty(images.shape, np.float32)
    normalize(problem.prepared(loaded.config, images), NORMALIZATIONS[loaded.config.data.normalize], x)
    return x


@np.errstate(over="ignore", invalid="ignore")
def activity(loaded: Checkpoint, images: Bytes) -> list[Activity]:
    """What each hidden layer does over the images (n, 784)."""
    network = problem.network(loaded.config)
    sums = [np.zeros((2, width)) for width in network.sizes[1:-1]]
    steepest = [np.zeros(width) for width in network.sizes[1:-1]]
    for hidden in _hidden(network, layers(loaded), loaded, images):
        for index, a in enumerate(hidden):
            sums[index] += abs(a).sum(axis=0), (a > 0).sum(axis=0)
            np.maximum(steepest[index], _slopes(network, index, a).max(axis=0), out=steepest[index])
    means = [total / len(images) for total in sums]
    return [Activity(strength, fired, slope) for (strength, fired), slope in zip(means, steepest, strict=True)]


def _hidden(
    network: Network, weights: Sequence[Layer], loaded: Checkpoint, images: Bytes
) -> Iterator[tuple[Array, ...]]:
    """The a of every hidden layer, chunk by chunk; overwritten by the next."""
    buffers = Buffers.allocate(network, min(CHUNK, len(images)), np.float32, backward=False)
    for start in range(0, len(images), CHUNK):
        x = inputs(loaded, images[start : start + CHUNK])
        room = buffers.first(len(x))
        Worker(network, weights, room).forward(x)
        yield room.hidden


def _slopes(network: Network, index: int, a: Array) -> Array:
    activation = network.hidden[index]
    slopes = np.empty(a.shape, activation.slope_dtype or a.dtype)
    activation.slope(a, slopes)
    return slopes


def use(active: Activity, above: Layer) -> Reals:
    """How much each unit says (units,): its mean |a| times the length of its outgoing weights."""
    lengths: Reals = np.linalg.norm(above.weight.astype(np.float64), axis=1)
    return active.strength * lengths


def gradient(loaded: Checkpoint, sample: Split) -> tuple[Layer, ...]:
    """The gradient of the sample's mean loss, laid out as the layers."""
    network = problem.network(loaded.config)
    flat = np.zeros_like(loaded.parameters)
    gradients = parameters.views(flat, network.sizes)
    buffers = Buffers.allocate(network, len(sample), np.float32)
    worker = Worker(network, layers(loaded), buffers, gradients)
    x = inputs(loaded, sample.images)
    with np.errstate(over="ignore", invalid="ignore"):
        worker.forward(x)
        worker.backward(x, one_hot(sample.labels, np.dtype(np.float32)))
    return gradients


def spread(values: Array, bars: int = BARS) -> Histogram:
    """The histogram of some numbers, symmetrical about zero."""
    reach = float(abs(values).max()) or 1.0
    counts, edges = np.histogram(values, bars, (-reach, reach))
    return Histogram(counts, edges)


def magnitudes(values: Array, bars: int = BARS) -> tuple[Histogram, int]:
    """The histogram of log₁₀|value| over the numbers that are not zero, and how many are zero."""
    sizes = abs(values[values != 0]).astype(np.float64)
    counts, edges = np.histogram(np.log10(sizes), bars) if len(sizes) else np.histogram([], bars, (-1, 0))
    return Histogram(counts, edges), int(values.size - len(sizes))
