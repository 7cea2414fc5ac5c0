"""Gradient descent with momentum, in place, in blocks that fit into the processor's cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.core.network import Part
from bpcli.core.parameters import Layer
from bpcli.core.types import Array

BLOCK = (
    128 * 1024
)  # numbers of a block; in smaller ones, handing the interpreter lock over costs more than the cache saves
NEGLIGIBLE = 1e-20  # beside any parameter that float32 can tell from zero in a sum with it


@dataclass(frozen=True, slots=True)
class Momentum:
    """The rule of a step: v ← μ·v − η·(g + λ·w), λ on weights only; w ← w + v, or w + μ·v − η·g with Nesterov.

    Attributes:
        momentum: μ.
        decay: λ here is the configuration's weight decay over the number of training images (Nielsen, chapter 3).
        nesterov: look ahead (Sutskever, Martens, Dahl, Hinton 2013, in the form of equation 7 of Bengio,
            Boulanger-Lewandowski, Pascanu 2012, arXiv:1212.0901).
    """

    momentum: float
    decay: float = 0.0
    nesterov: bool = False

    def step(self, block: "Block", learning_rate: float) -> None:
        """Moves a block's parameters by one step of the learning rate η; what stands in g is used up.

        Args:
            block: of which g is −η times the gradient.
            learning_rate: η, for the weight decay.
        """
        w, v, g, decays = block
        if decays and self.decay:
            g -= learning_rate * self.decay * w
        np.multiply(v, self.momentum, out=v)
        np.add(v, g, out=v)
        if self.nesterov:
            np.add(w, g, out=w)
            np.multiply(v, self.momentum, out=g)
            np.add(w, g, out=w)
        else:
            np.add(w, v, out=w)


def settle(block: "Block") -> None:
    """Sets velocities to zero that are too small ever to move a parameter.

    The velocity of a unit that has died only shrinks, tenfold in 22 steps with μ = 0.9. After 800 steps it would be a
    denormal number, with which processors calculate many times more slowly: an epoch would take a third longer.
    """
    block.v[np.abs(block.v) < NEGLIGIBLE] = 0


class Block(NamedTuple):
    """Some parameters w with their velocity v and, in g, −η times their gradient; `decays` if they are weights."""

    w: Array
    v: Array
    g: Array
    decays: bool


def blocks(
    parameters: Sequence[Layer], velocity: Sequence[Layer], gradients: Sequence[Layer], part: Part
) -> list[Block]:
    """The blocks that a worker updates: its units of the hidden layers, and what leads from them to the output."""
    found = []
    *hidden, output = zip(parameters, velocity, gradients, strict=True)
    for w, v, g in hidden:
        units = range(len(w.bias))[part.slice(len(w.bias))]
        runs = _runs(units, len(w.weight))
        found += [Block(w.weight[:, at], v.weight[:, at], g.weight[:, at], True) for at in runs]
        mine = slice(units.start, units.stop)
        found.append(Block(w.bias[mine], v.bias[mine], g.bias[mine], False))
    w, v, g = output
    below = part.slice(len(w.weight))
    found.append(Block(w.weight[below], v.weight[below], g.weight[below], True))
    if part.index == 0:
        found.append(Block(w.bias, v.bias, g.bias, False))
    return found


def _runs(units: range, fan_in: int) -> Iterator[slice]:
    """The units in runs whose weights are about `BLOCK` numbers."""
    width = max(BLOCK // fan_in, 1)
    for start in range(units.start, units.stop, width):
        yield slice(start, min(start + width, units.stop))
