"""Optimizers: they update the parameters from their gradient, in place and in blocks that fit into the cache.

To add one, write a class with `state_names`, `negligible` and `step`, and add a row to `OPTIMIZERS`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from bpcli.core.parameters import Layer
from bpcli.core.threads import Alone, Rank
from bpcli.core.types import Array

BLOCK = 128 * 1024  # numbers; in smaller blocks, passing on the interpreter lock costs more time than the cache saves


class Block(NamedTuple):
    """Some parameters with their gradient and the optimizer's state; all arrays have the same shape.

    Attributes:
        w: the parameters.
        g: their gradient, which a step overwrites.
        state: the optimizer's numbers for them, in the order of its `state_names`.
        decays: whether weight decay applies to them: it does to weights, not to biases.
    """

    w: Array
    g: Array
    state: tuple[Array, ...]
    decays: bool


class Optimizer(Protocol):
    """The update rule of a training step.

    Attributes:
        state_names: the name of each vector of its state, as in checkpoints.
        negligible: for each of these vectors, the size below which a number no longer has any effect.
    """

    state_names: ClassVar[tuple[str, ...]]
    negligible: ClassVar[tuple[float, ...]]

    def step(self, block: Block, learning_rate: float, t: int) -> None:
        """Update the parameters of a block.

        Args:
            block: the parameters to update.
            learning_rate: η.
            t: the number of the step in the run, from 1.
        """


@dataclass(frozen=True, slots=True)
class Momentum:
    """Gradient descent: v ← μ·v − η·(g + λ·w), λ on weights only; w ← w + v, or w + μ·v − η·g with Nesterov.

    Attributes:
        momentum: μ.
        decay: λ, the configuration's weight decay divided by the number of training images (Nielsen, chapter 3).
        nesterov: look ahead (Sutskever, Martens, Dahl, Hinton 2013, in the form of equation 7 of Bengio,
            Boulanger-Lewandowski, Pascanu 2012, arXiv:1212.0901).
    """

    state_names: ClassVar[tuple[str, ...]] = ("velocity",)
    negligible: ClassVar[tuple[float, ...]] = (1e-20,)  # smaller numbers vanish in a float32 sum with a parameter

    momentum: float
    decay: float = 0.0
    nesterov: bool = False

    def step(self, block: Block, learning_rate: float, t: int) -> None:
        """Update the parameters of a block, as `Optimizer.step`."""
        w, g, (v,), decays = block
        if decays and self.decay:
            g += self.decay * w
        g *= -learning_rate
        if self.momentum:
            v *= self.momentum
            v += g
        else:  # plain gradient descent, without a pass to multiply v
            v[...] = g
        if self.nesterov:
            w += g
            np.multiply(v, self.momentum, out=g)
            w += g
        else:
            w += v


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam (Kingma, Ba 2015, arXiv:1412.6980, algorithm 1): each parameter has a step size of its own.

    m ← β₁·m + (1 − β₁)·g; s ← β₂·s + (1 − β₂)·g²; w ← w − η·m̂/(√ŝ + ε), with m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ).

    Attributes:
        beta1, beta2, epsilon: β₁, β₂ and ε.
        decay: λ on weights, as in `Momentum`: λ·w is added to the gradient.
        decoupled: AdamW (Loshchilov, Hutter 2019, arXiv:1711.05101): before the step, w ← (1 − η·λ)·w instead.
    """

    state_names: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    negligible: ClassVar[tuple[float, ...]] = (1e-30, 1e-36)

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0
    decoupled: bool = False

    def step(self, block: Block, learning_rate: float, t: int) -> None:
        """Update the parameters of a block, as `Optimizer.step`."""
        w, g, (m, s), decays = block
        if decays and self.decay:
            if self.decoupled:
                w *= 1 - learning_rate * self.decay
            else:
                g += self.decay * w
        m *= self.beta1
        g *= 1 - self.beta1
        m += g
        s *= self.beta2
        g *= g
        g *= (1 - self.beta2) / (1 - self.beta1) ** 2  # now g is (1 − β₂)·g²
        s += g
        np.sqrt(s, out=g)
        g *= 1 / sqrt(1 - self.beta2**t)
        g += self.epsilon
        np.divide(m, g, out=g)
        g *= -learning_rate / (1 - self.beta1**t)
        w += g


OPTIMIZERS: dict[str, type[Momentum] | type[Adam]] = {"momentum": Momentum, "adam": Adam, "adamw": Adam}


def flush_denormals(optimizer: Optimizer, block: Block) -> None:
    """Set numbers of the state to zero if they are too small to have any effect.

    The velocity of a dead unit only shrinks: tenfold in 22 steps with μ = 0.9. After 800 steps it would be a denormal
    number. Processors compute many times more slowly with those: an epoch would take a third longer.
    """
    for vector, negligible in zip(block.state, optimizer.negligible, strict=True):
        vector[np.abs(vector) < negligible] = 0


def blocks(
    parameters: Sequence[Layer],
    gradients: Sequence[Layer],
    state: Sequence[Sequence[Layer]],
    me: Rank | Alone,
    frozen: int = 0,
) -> list[Block]:
    """Return the blocks that a thread updates: its hidden units, and the weights from them to the output.

    The first `frozen` layers have none.
    """
    found = []
    for index, (w, g, *s) in [*enumerate(zip(parameters, gradients, *state, strict=True))][frozen:]:
        if index < len(parameters) - 1:
            found += list(_hidden_blocks(w, g, s, me))
        else:
            found += list(_output_blocks(w, g, s, me))
    return found


def _hidden_blocks(w: Layer, g: Layer, state: Sequence[Layer], me: Rank | Alone) -> Iterator[Block]:
    mine = me.units(len(w.bias))
    units = range(len(w.bias))[mine]
    width = max(BLOCK // len(w.weight), 1)
    for start in range(units.start, units.stop, width):
        at = slice(start, min(start + width, units.stop))
        yield Block(w.weight[:, at], g.weight[:, at], tuple(s.weight[:, at] for s in state), True)
    yield Block(w.bias[mine], g.bias[mine], tuple(s.bias[mine] for s in state), False)


def _output_blocks(w: Layer, g: Layer, state: Sequence[Layer], me: Rank | Alone) -> Iterator[Block]:
    below = me.units(len(w.weight))
    yield Block(w.weight[below], g.weight[below], tuple(s.weight[below] for s in state), True)
    if me.first:
        yield Block(w.bias, g.bias, tuple(s.bias for s in state), False)
