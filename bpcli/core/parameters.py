"""Parameters as one flat vector with named views.

Checkpoints and copies use the vector; the network and the optimizers use the weights and biases.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bpcli.core.types import Array


class Layer(NamedTuple):
    """The parameters of one layer, or anything laid out like them (gradients, velocities)."""

    weight: Array  # (fan_in, fan_out)
    bias: Array  # (fan_out,)


def count(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases for these layer sizes: 814,090 for 784-1024-10."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def views(vector: Array, sizes: Sequence[int]) -> tuple[Layer, ...]:
    """Return the layers as views of a vector of `count(sizes)` numbers: weight, bias, weight, bias and so on.

    Each thread's parameters are contiguous: hidden layers are stored by output unit, the last layer by input unit.
    Updating one half of every row would be several times slower.
    """
    if vector.shape != (count(sizes),):
        raise ValueError(f"a vector of shape {vector.shape} for {count(sizes)} parameters")
    layers, start = [], 0
    for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        middle, end = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        flat, bias = vector[start:middle], vector[middle:end]
        last = index == len(sizes) - 2
        layers.append(Layer(flat.reshape(fan_in, fan_out) if last else flat.reshape(fan_out, fan_in).T, bias))
        start = end
    return tuple(layers)
