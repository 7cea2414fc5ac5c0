"""The network: forward and backward pass on matrices, whole or divided among workers.

A worker owns some units of every hidden layer: their columns of the weights, of the activations and of the δ. The
output layer is narrow: there each worker sums what its own units contribute, and what follows from the sums, p and δ of
(batch, 10), each calculates for itself. So each large product is divided, and workers wait for each other only where
one needs what the others wrote: with one hidden layer once a batch. One worker alone owns everything, and the algorithm
is the plain one.

The letters: x input, z weighted input, a activation, y target, p score, δ = ∂C/∂z; batches are rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bpcli.core.activations import Activation
from bpcli.core.losses import Output
from bpcli.core.parameters import Layer
from bpcli.core.types import Array


@dataclass(frozen=True, slots=True)
class Network:
    """What a network is, without its parameters.

    Attributes:
        sizes: the units of each layer, inputs first: 784, 1024, 10.
        hidden: the activation of each hidden layer.
        output: the output function with its loss.
    """

    sizes: tuple[int, ...]
    hidden: tuple[Activation, ...]
    output: Output


@dataclass(frozen=True, slots=True)
class Part:
    """One worker's part of anything that can be counted: part `index` of `of`."""

    index: int = 0
    of: int = 1

    def slice(self, n: int) -> slice:
        """This part of n things; the parts differ by one at most."""
        return slice(n * self.index // self.of, n * (self.index + 1) // self.of)


@dataclass(frozen=True, slots=True)
class Buffers:
    """What a batch leaves behind on its way through the network, as far as workers share it; each writes its part.

    The numbers of one unit lie side by side, as its weights do, so that a worker's units are one stretch of memory.

    Attributes:
        hidden: a of each hidden layer, (batch, units); z stands there first.
        deltas: δ of each hidden layer, likewise.
        sums: what each worker's units contribute to z of the output layer, (2, workers, batch, 10); two, in turn, for
            one worker may be at the next batch before another has read what was written for this one.
    """

    hidden: tuple[Array, ...]
    deltas: tuple[Array, ...]
    sums: Array

    @classmethod
    def allocate(
        cls, network: Network, rows: int, dtype: DTypeLike, *, workers: int = 1, backward: bool = True
    ) -> "Buffers":
        """Room for `rows` images; without the δ if only the forward pass is wanted."""

        def room(units: int) -> Array:
            return np.zeros((units, rows), dtype).T

        *hidden, classes = network.sizes[1:]
        deltas = tuple(map(room, hidden)) if backward else ()
        return cls(tuple(map(room, hidden)), deltas, np.zeros((2, workers, rows, classes), dtype))

    def first(self, rows: int) -> "Buffers":
        """The room of the first `rows` images: views."""
        return Buffers(
            tuple(a[:rows] for a in self.hidden), tuple(delta[:rows] for delta in self.deltas), self.sums[:, :, :rows]
        )


WHOLE = Part()


def alone() -> None:
    """How one worker waits for the others: not at all."""


class Worker:
    """One worker's way through the network and back, for batches of one size.

    Args:
        network: what the network is.
        layers: its parameters; read, never written here.
        buffers: room for the batch, shared by the workers.
        gradients: laid out as the parameters, where `backward` writes; empty if it is never called.
        part: which part is this worker's.
        meet: waits until every worker has come to the same call.

    Attributes:
        logits, scores: z and p of the batch, (batch, 10), after `forward`.
        delta: δ of the output layer, (batch, 10), after `backward`.
    """

    def __init__(
        self,
        network: Network,
        layers: Sequence[Layer],
        buffers: Buffers,
        gradients: Sequence[Layer] = (),
        part: Part = WHOLE,
        meet: Callable[[], None] = alone,
    ) -> None:
        self._network, self._layers, self._buffers, self._part, self._meet = (
            network,
            layers,
            buffers,
            part,
            meet,
        )
        self.logits, self.scores, self.delta = np.zeros((3, *buffers.sums.shape[2:]), buffers.sums.dtype)
        self._ones = np.ones(len(self.delta), self.delta.dtype)  # a product with which sums over the batch
        self._up = [self._upward(index) for index in range(len(network.hidden))]
        self._below = part.slice(network.sizes[-2])  # the units of the last layer but one that are this worker's
        self._output = Layer(layers[-1].weight[self._below], layers[-1].bias)
        if gradients:
            self._gradient = Layer(gradients[-1].weight[self._below], gradients[-1].bias)
            self._down = [self._downward(index, gradients[index]) for index in range(len(network.hidden))]

    def forward(self, x: Array, turn: int = 0) -> None:
        """Fills the buffers with a, and `logits` and `scores`, for the images x, (batch, 784).

        Args:
            x: the images, of which all must be there.
            turn: 0 and 1 alternately from batch to batch, if there are other workers.
        """
        a = x
        for index, layer in enumerate(self._up):
            if index:
                self._meet()
            np.matmul(a, layer.weight, out=layer.a)  # z = a·W + b
            np.add(layer.a, layer.bias, out=layer.a)
            layer.activation.value(layer.a.T, layer.a.T)  # in the order of memory
            a = layer.whole
        sums = self._buffers.sums[turn]
        mine = sums[self._part.index]
        np.matmul(a[:, self._below], self._output.weight, out=mine)
        if self._part.index == 0:
            np.add(mine, self._output.bias, out=mine)
        self._meet()
        np.add.reduce(sums, axis=0, out=self.logits)
        self._network.output.value(self.logits, self.scores)

    def backward(self, x: Array, y: Array, scale: float = 1.0) -> None:
        """Writes the gradient of the batch's mean loss, times a factor, after `forward` of the same x.

        When this returns, a worker may change the parameters of its own units, and the first one the output's biases:
        nobody else reads them before the next `forward` has met.

        Args:
            x: the images, (batch, 784).
            y: the targets, (batch, 10).
            scale: the factor; −η makes of the gradient the step that gradient descent takes.
        """
        delta = self.delta
        self._network.output.delta(self.scores, y, delta)  # BP1
        delta *= scale / len(delta)
        a = self._up[-1].a if self._up else x[:, self._below]
        np.matmul(a.T, delta, out=self._gradient.weight)  # BP4
        if self._part.index == 0:
            np.matmul(self._ones, delta, out=self._gradient.bias)  # BP3
        for index in reversed(range(len(self._down))):
            layer = self._down[index]
            np.matmul(delta, layer.above.T, out=layer.delta)  # BP2
            layer.activation.slope(layer.a.T, layer.slope.T)
            np.multiply(layer.delta, layer.slope, out=layer.delta)
            if len(self._down) > 1:  # the layer below needs the whole δ, and nobody the old weights above any more
                self._meet()
            a = self._up[index - 1].whole if index else x
            np.matmul(a.T, layer.delta, out=layer.gradient.weight)  # BP4
            np.matmul(self._ones, layer.delta, out=layer.gradient.bias)  # BP3
            delta = layer.whole

    def _upward(self, index: int) -> "_Up":
        (weight, bias), whole = self._layers[index], self._buffers.hidden[index]
        units = self._part.slice(whole.shape[1])
        return _Up(self._network.hidden[index], weight[:, units], bias[units], whole[:, units], whole)

    def _downward(self, index: int, gradient: Layer) -> "_Down":
        activation, whole = self._network.hidden[index], self._buffers.deltas[index]
        units = self._part.slice(whole.shape[1])
        return _Down(
            activation,
            self._layers[index + 1].weight[units],
            self._up[index].a,
            np.empty(self._up[index].a.T.shape, activation.slope_dtype or whole.dtype).T,
            whole[:, units],
            whole,
            Layer(gradient.weight[:, units], gradient.bias[units]),
        )


class _Up(NamedTuple):
    """A worker's units of a hidden layer in the forward pass."""

    activation: Activation
    weight: Array  # (fan_in, units)
    bias: Array  # (units,)
    a: Array  # (batch, units)
    whole: Array  # everybody's a


class _Down(NamedTuple):
    """A worker's units of a hidden layer in the backward pass."""

    activation: Activation
    above: Array  # (units, units above), the weights that lead up from these units
    a: Array  # (batch, units)
    slope: Any  # (batch, units), room for f'(z)
    delta: Array  # (batch, units)
    whole: Array  # everybody's δ
    gradient: Layer
