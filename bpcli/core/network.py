"""The network: forward and backward pass on matrices, whole or divided among workers.

A worker owns some units of every hidden layer: their columns of the weights, of the activations and of the δ. At the
output layer, which is narrow, it owns some rows of the batch instead. So each product is divided, each number is
written by one worker, and workers wait for each other only where one needs what the others wrote. One worker alone
owns everything, and the algorithm is the plain one.

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
    """What a batch leaves behind on its way through the network; every worker writes its part of each.

    Attributes:
        hidden: a of each hidden layer, (batch, units); z stands there first.
        logits: z of the output layer, (batch, 10).
        scores: p, (batch, 10).
        deltas: δ of each hidden layer and of the output layer.
    """

    hidden: tuple[Array, ...]
    logits: Array
    scores: Array
    deltas: tuple[Array, ...]

    @classmethod
    def allocate(cls, network: Network, rows: int, dtype: DTypeLike, *, backward: bool = True) -> "Buffers":
        """Room for `rows` images; without the δ if only the forward pass is wanted."""

        def room(width: int) -> Array:
            return np.zeros((rows, width), dtype)

        *hidden, classes = network.sizes[1:]
        deltas = tuple(map(room, network.sizes[1:])) if backward else ()
        return cls(tuple(map(room, hidden)), room(classes), room(classes), deltas)

    def first(self, rows: int) -> "Buffers":
        """The room of the first `rows` images: views."""
        return Buffers(
            tuple(a[:rows] for a in self.hidden),
            self.logits[:rows],
            self.scores[:rows],
            tuple(delta[:rows] for delta in self.deltas),
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
        rows: the rows of the batch that are this worker's at the output.
        logits, scores: z and p of those rows, (rows, 10), after `forward`.
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
        self.rows = part.slice(len(buffers.logits))
        self.logits, self.scores = buffers.logits[self.rows], buffers.scores[self.rows]
        self._up = [self._upward(index) for index in range(len(network.hidden))]
        if gradients:
            self._gradient = gradients[-1]
            self._down = [self._downward(index, gradients[index]) for index in range(len(network.hidden))]

    def forward(self, x: Array) -> None:
        """Fills the buffers with a, z and p for the images x, (batch, 784), of which all rows must be there."""
        a = x
        if not self._up:  # otherwise the first meeting below tells that the last step's updates are done
            self._meet()
        for layer in self._up:
            np.matmul(a, layer.weight, out=layer.a)  # z = a·W + b
            np.add(layer.a, layer.bias, out=layer.a)
            layer.activation.value(layer.a, layer.a)
            self._meet()
            a = layer.whole
        weight, bias = self._layers[-1]
        np.matmul(a[self.rows], weight, out=self.logits)
        np.add(self.logits, bias, out=self.logits)
        self._network.output.value(self.logits, self.scores)

    def backward(self, x: Array, y: Array) -> None:
        """Writes the gradient of the batch's mean loss, after `forward` of the same x.

        Once every worker has returned and met, all parameters may be changed; without meeting, a worker may change
        the parameters of its own units: nobody else reads them before the next `forward`'s first meeting.

        Args:
            x: the images, (batch, 784).
            y: the targets of this worker's rows, (rows, 10).
        """
        delta = self._buffers.deltas[-1]
        mine = delta[self.rows]
        self._network.output.delta(self.scores, y, mine)  # BP1
        mine *= 1 / len(delta)
        self._meet()
        a = self._up[-1].whole if self._up else x
        units = self._part.slice(a.shape[1])
        np.matmul(a[:, units].T, delta, out=self._gradient.weight[units])  # BP4
        if self._part.index == 0:
            np.add.reduce(delta, axis=0, out=self._gradient.bias)  # BP3
        for index in reversed(range(len(self._down))):
            layer = self._down[index]
            np.matmul(delta, layer.above.T, out=layer.delta)  # BP2
            layer.activation.slope(layer.a, layer.slope)
            np.multiply(layer.delta, layer.slope, out=layer.delta)
            if len(self._down) > 1:  # the layer below needs the whole δ, and nobody the old weights above any more
                self._meet()
            a = self._up[index - 1].whole if index else x
            np.matmul(a.T, layer.delta, out=layer.gradient.weight)  # BP4
            np.add.reduce(layer.delta, axis=0, out=layer.gradient.bias)  # BP3
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
            np.empty(self._up[index].a.shape, activation.slope_dtype or whole.dtype),
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
