"""Gradient descent with momentum, in place, in blocks that fit into the processor's cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.core.network import Part
from bpcli.core.parameters import Layer
from bpcli.core.types import Array

BLOCK = 64 * 1024  # numbers of a block: its w, v and g together fill 0.75 MB in float32
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
        """Moves a block's parameters by one step of the learning rate η; its gradient is used up."""
        w, v, g, decays = block
        if decays and self.decay:
            g += self.decay * w
        np.multiply(g, -learning_rate, out=g)
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
    """Some parameters with their velocity and gradient, arrays of one shape; `decays` if they are weights."""

    w: Array
    v: Array
    g: Array
    decays: bool


def blocks(
    parameters: Sequence[Layer], velocity: Sequence[Layer], gradients: Sequence[Layer], part: Part
) -> list[Block]:
    """The blocks that a worker updates: its units of the hidden layers, and what leads from them to the output."""
    found = []
    for index, (w, v, g) in enumerate(zip(parameters, velocity, gradients, strict=True)):
        last = index == len(parameters) - 1
        units = part.slice(w.weight.shape[0 if last else 1])
        weight = (units, slice(None)) if last else (slice(None), units)
        found += [Block(w.weight[at], v.weight[at], g.weight[at], True) for at in _pieces(w.weight[weight], weight)]
        bias = units if not last else slice(None)
        if not last or part.index == 0:
            found.append(Block(w.bias[bias], v.bias[bias], g.bias[bias], False))
    return found


def _pieces(weight: Array, where: tuple[slice, slice]) -> Iterator[tuple[slice, slice]]:
    """The place `where` of a weight matrix, cut into runs of rows of about `BLOCK` numbers."""
    rows, columns = where
    height = max(BLOCK // max(weight.shape[1], 1), 1)
    first = rows.start or 0
    for start in range(first, first + len(weight), height):
        yield slice(start, min(start + height, first + len(weight))), columns
