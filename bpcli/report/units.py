"""Statistics of a network's units: the most used, the dead ones, and the distributions of weights and gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpcli.core.network import Buffers, Hidden, forward
from bpcli.core.parameters import Layer
from bpcli.core.types import Array, Bytes
from bpcli.model import CHUNK, Model

FLAT = 0.01  # a unit whose derivative never exceeds this (leaky ReLU's leak) hardly learns: it is dead
BARS = 48  # bars of a histogram

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram: `counts` (n,) of the numbers between neighbouring `edges` (n + 1,)."""

    counts: NDArray[np.int64]
    edges: Reals


@dataclass(frozen=True, slots=True)
class Activity:
    """The activity of a hidden layer's units over some images; each array is (units,).

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
        """The mask of the dead units: their derivative is at most `FLAT` on every image, so they hardly learn."""
        return self.steepest <= FLAT


@np.errstate(over="ignore", invalid="ignore")
def activity(model: Model, images: Bytes) -> list[Activity]:
    """Return the activity of each hidden layer over the images (n, side²)."""
    widths = model.network.sizes[1:-1]
    sums, steepest = [np.zeros((2, width)) for width in widths], [np.zeros(width) for width in widths]
    for hidden in _hidden(model, images):
        for index, here in enumerate(hidden):
            sums[index] += abs(here.a).sum(axis=0), (here.a > 0).sum(axis=0)
            derivatives = model.network.hidden[index].derivative(here.kept, here.f_prime)
            np.maximum(steepest[index], derivatives.max(axis=0), out=steepest[index])
    means = [total / len(images) for total in sums]
    return [Activity(strength, fired, most) for (strength, fired), most in zip(means, steepest, strict=True)]


def _hidden(model: Model, images: Bytes) -> Iterator[tuple[Hidden, ...]]:
    """Yield the buffers of all hidden layers for each chunk of images; the next chunk overwrites them."""
    room = Buffers.allocate(model.network, min(CHUNK, len(images)), np.float32)
    for start in range(0, len(images), CHUNK):
        x = model.preprocessing.inputs(model.preprocessing.upright(images[start : start + CHUNK]))
        few = room.first(len(x))
        forward(model.network, model.layers, x, few)
        yield few.hidden


def use(active: Activity, above: Layer) -> Reals:
    """Return the use of each unit (units,): its mean |a| times the norm of its outgoing weights."""
    lengths: Reals = np.linalg.norm(above.weight.astype(np.float64), axis=1)
    return active.strength * lengths


def spread(values: Array, bars: int = BARS) -> Histogram:
    """Return the histogram of some numbers, with edges symmetric about zero."""
    reach = float(abs(values).max()) or 1.0
    counts, edges = np.histogram(values, bars, (-reach, reach))
    return Histogram(counts, edges)


def magnitudes(values: Array, bars: int = BARS) -> tuple[Histogram, int]:
    """Return the histogram of log₁₀|value| over the nonzero numbers, and the number of zeros."""
    sizes = abs(values[values != 0]).astype(np.float64)
    counts, edges = np.histogram(np.log10(sizes), bars) if len(sizes) else np.histogram([], bars, (-1, 0))
    return Histogram(counts, edges), int(values.size - len(sizes))
