"""Activation functions of the hidden layers, each with its derivative beside it.

A new one is one row of `ACTIVATIONS`; the configuration, the gradient check and the tests find it there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.core.types import Array

LEAK = 0.01  # the slope of leaky_relu below zero


@dataclass(frozen=True, slots=True)
class Activation:
    """a = f(z) and f'(z), the derivative taken from the output a; both element by element.

    Attributes:
        formula: f(z) in the language of `bpcli explain`; the gradient check calculates it in its own ways.
        value: `value(z, out)` writes f(z) to `out`, which may be `z` itself.
        slope: `slope(a, out)` writes f'(z) to `out`, never `a` itself.
        slope_dtype: the type of `out` in `slope`; None for that of the network.
    """

    formula: str
    value: Callable[[Array, Array], object]
    slope: Callable[[Array, Any], object]
    slope_dtype: type[np.bool_] | None = None


def relu(z: Array, out: Array) -> None:
    """max(z, 0). An array of zeros, for NumPy's loop over two arrays is faster than over an array and a number."""
    np.maximum(z, np.zeros(z.shape[-1], z.dtype), out=out)


def sigmoid(z: Array, out: Array) -> None:
    """σ(z) = 1/(1 + e^−z) = (1 + tanh(z/2))/2, the form that can't overflow."""
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


def sigmoid_slope(a: Array, out: Array) -> None:
    """σ'(z) = a·(1 − a)."""
    np.subtract(1, a, out=out)
    out *= a


def tanh_slope(a: Array, out: Array) -> None:
    """tanh'(z) = 1 − a²."""
    np.multiply(a, a, out=out)
    np.subtract(1, out, out=out)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation("relu(z)", relu, lambda a, out: np.greater(a, 0, out=out), np.bool_),
    "leaky_relu": Activation(
        f"relu(z) - {LEAK}*relu(-z)",
        lambda z, out: np.maximum(z, LEAK * z, out=out),
        lambda a, out: np.copyto(out, np.where(a > 0, 1, LEAK)),
    ),
    "sigmoid": Activation("sigmoid(z)", sigmoid, sigmoid_slope),
    "tanh": Activation("tanh(z)", lambda z, out: np.tanh(z, out=out), tanh_slope),
    "identity": Activation("z", lambda z, out: np.copyto(out, z), lambda a, out: out.fill(1)),
}
