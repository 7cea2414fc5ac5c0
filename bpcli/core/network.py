"""The network: forward and backward pass on matrices, with the four equations of backpropagation.

Notation: x input, W weights, b biases, z = a·W + b weighted input, a = f(z) activation, p score, y target, C loss,
δ = ∂C/∂z. Each row of a matrix is one image of the batch. Nielsen, Neural Networks and Deep Learning, chapter 2,
derives the equations BP1 to BP4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bpcli.core.activations import Activation
from bpcli.core.losses import Output
from bpcli.core.parameters import Layer
from bpcli.core.threads import ALONE, Alone, Rank
from bpcli.core.types import Array


def forward(net: "Network", layers: Sequence[Layer], x: Array, room: "Buffers", me: Rank | Alone = ALONE) -> Array:
    """Return z of the output layer, (batch, classes). Write z and a of each hidden layer to `room`.

    Each thread computes its own units `u` of each hidden layer. The next layer needs the activations of all units, so
    the threads wait for each other at a barrier. The output layer has few units. There each thread multiplies only
    its own inputs by their weights, and `all_reduce` adds up the products.
    """
    inputs = x
    for l, f in enumerate(net.hidden):
        if l:
            me.barrier()
        u, here = me.units(net.sizes[l + 1]), room.hidden[l]
        z = np.matmul(inputs, layers[l].weight[:, u], out=here.z[:, u])
        z += layers[l].bias[u]  # z = a·W + b
        f.value(z, here.a[:, u])  # a = f(z)
        if here.mask is not None:
            np.multiply(here.a[:, u], here.mask[:, u], out=here.output[:, u])  # dropout
        inputs = here.output
    u = me.units(inputs.shape[1])
    z = inputs[:, u] @ layers[-1].weight[u]
    if me.first:
        z += layers[-1].bias
    return me.all_reduce(z)


def backward(
    net: "Network",
    layers: Sequence[Layer],
    x: Array,
    p: Array,
    y: Array,
    room: "Buffers",
    gradients: Sequence[Layer],
    me: Rank | Alone = ALONE,
) -> Array:
    """Write the gradient of the batch's mean loss to `gradients`. Call `forward` with the same x first.

    The frozen layers get none: the pass ends above them.

    Afterwards a thread may update the parameters of its own hidden units and the weights from them to the output. The
    first thread may also update the output biases. No other thread reads these before the next barrier.

    Returns:
        δ of the output layer, (batch, classes).
    """
    inputs = (x, *(here.output for here in room.hidden))
    output_delta = delta = net.output.delta(p, y)  # BP1: δ = ∂C/∂z of the output layer, for each image
    delta /= len(delta)  # C is the mean over the batch
    u = me.units(inputs[-1].shape[1])
    if me.first:
        np.matmul(room.ones, delta, out=gradients[-1].bias)  # BP3
    np.matmul(inputs[-1][:, u].T, delta, out=gradients[-1].weight[u])  # BP4
    for l in reversed(range(net.frozen, len(net.hidden))):
        u, here = me.units(net.sizes[l + 1]), room.hidden[l]
        mine = np.matmul(delta, layers[l + 1].weight[u].T, out=here.delta[:, u])  # BP2: δ = (δ·Wᵀ of the layer above)
        mine *= net.hidden[l].derivative(here.kept[:, u], here.f_prime[:, u])  # ⊙ f'(z)
        if here.mask is not None:
            mine *= here.mask[:, u]
        if len(net.hidden) > 1:  # the layer below needs δ of all units; from here on, no thread reads the weights above
            me.barrier()
        np.matmul(room.ones, mine, out=gradients[l].bias[u])  # BP3: ∂C/∂b = Σ δ over the batch
        np.matmul(inputs[l].T, mine, out=gradients[l].weight[:, u])  # BP4: ∂C/∂W = aᵀ·δ
        delta = here.delta
    if net.frozen == 1 and len(net.hidden) > 1:  # the next pass begins with the activations that were read last
        me.barrier()
    return output_delta


@dataclass(frozen=True, slots=True)
class Network:
    """The structure of a network, without its parameters.

    Attributes:
        sizes: the number of units of each layer, inputs first, such as (784, 1024, 10).
        hidden: the activation of each hidden layer.
        output: the output function with its loss.
        frozen: how many of the first hidden layers training leaves as they are.
    """

    sizes: tuple[int, ...]
    hidden: tuple[Activation, ...]
    output: Output
    frozen: int = 0


class Hidden(NamedTuple):
    """The arrays of one hidden layer for a batch; each array is (batch, units).

    Each unit's numbers are contiguous, as its weights are, so a thread's units form one block of memory.

    Attributes:
        z: the weighted inputs. Unless f' is computed from z, z and a are the same memory, and a overwrites z.
        a: the activations.
        output: the activations after dropout; a itself without dropout.
        f_prime: buffer for f'(z).
        delta: δ.
        kept: z or a, whichever f' is computed from.
        mask: the factors by which dropout multiplies a; None without dropout.
    """

    z: Array
    a: Array
    output: Array
    f_prime: NDArray[np.generic]
    delta: Array
    kept: Array
    mask: Array | None

    def first(self, rows: int) -> "Hidden":
        """Return the rows of the first `rows` images, as views."""
        return Hidden(*(None if array is None else array[:rows] for array in self))  # type: ignore[arg-type]


class Buffers(NamedTuple):
    """The arrays that the passes over a batch fill; threads share them.

    Attributes:
        hidden: those of each hidden layer.
        ones: (batch,), all 1; a product with it sums over the batch.
    """

    hidden: tuple[Hidden, ...]
    ones: Array

    @classmethod
    def allocate(
        cls,
        net: Network,
        rows: int,
        dtype: DTypeLike,
        *,
        backward: bool = True,
        dropout: bool = False,
        zeros: Callable[[tuple[int, int], DTypeLike], Array] = np.zeros,
    ) -> "Buffers":
        """Return buffers for `rows` images, made by `zeros`; without δ and f' if only the forward pass is wanted."""

        def room(units: int, dtype: DTypeLike) -> Array:
            return zeros((units, rows), dtype).T

        layers = zip(net.hidden, net.sizes[1:-1], strict=True)
        hidden = tuple(_hidden(f, units, dtype, backward, dropout, room) for f, units in layers)
        return cls(hidden, np.ones(rows, dtype))

    def first(self, rows: int) -> "Buffers":
        """Return the buffers of the first `rows` images, as views."""
        return Buffers(tuple(here.first(rows) for here in self.hidden), self.ones[:rows])


def _hidden(
    f: Activation,
    units: int,
    dtype: DTypeLike,
    backward: bool,
    dropout: bool,
    room: Callable[[int, DTypeLike], Array],
) -> Hidden:
    a = room(units, dtype)
    z = room(units, dtype) if f.derivative_takes == "z" and backward else a
    wanted = units if backward else 0
    return Hidden(
        z,
        a,
        room(units, dtype) if dropout else a,
        room(wanted, f.derivative_dtype or dtype),
        room(wanted, dtype),
        z if f.derivative_takes == "z" else a,
        room(units, dtype) if dropout else None,
    )
