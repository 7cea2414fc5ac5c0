"""Activation functions of the hidden layers, each with its derivative beside it.

To add one, add a row to `ACTIVATIONS`: the configuration, the gradient check and the tests find it there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Literal

import numpy as np

from bpcli.core.erf import erf
from bpcli.core.types import Array

_FAR = 13.0  # φ(z) is negligible beside 1 where |z| exceeds this
LEAK = 0.01  # the derivative of leaky_relu below zero


@dataclass(frozen=True, slots=True)
class Activation:
    """a = f(z) and f'(z), both element by element.

    Attributes:
        formula: f(z) in the language of `bpcli explain`. The gradient check computes its reference from it.
        value: `value(z, out)` writes f(z) to `out`, which may be `z` itself unless the derivative takes z.
        derivative: `derivative(a, out)` writes f'(z) to `out`, never to `a` itself, and returns it. Its first argument
            is z instead of a if `derivative_takes` is "z".
        derivative_takes: what f' is computed from. If a suffices, z need not be kept.
        derivative_dtype: the type of `out` in `derivative`; None for the network's type.
    """

    formula: str
    value: Callable[[Array, Array], object]
    derivative: Callable[[Array, Any], Any]
    derivative_takes: Literal["a", "z"] = "a"
    derivative_dtype: type[np.bool_] | None = None


def relu(z: Array, out: Array) -> None:
    """Write max(z, 0). An array with a zero per image is faster than the number 0: a unit's numbers are contiguous."""
    np.maximum(z, np.zeros(z.shape[:1] + (1,) * (z.ndim - 1), z.dtype), out=out)


def leaky_relu_derivative(a: Array, out: Array) -> Array:
    """Write 1 where a > 0, else `LEAK`."""
    np.copyto(out, np.where(a > 0, 1, LEAK))
    return out


def sigmoid(z: Array, out: Array) -> None:
    """Write σ(z) = 1/(1 + e^−z) = (1 + tanh(z/2))/2, which can't overflow."""
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


def sigmoid_derivative(a: Array, out: Array) -> Array:
    """Write σ'(z) = a·(1 − a)."""
    np.subtract(1, a, out=out)
    out *= a
    return out


def tanh_derivative(a: Array, out: Array) -> Array:
    """Write tanh'(z) = 1 − a²."""
    np.multiply(a, a, out=out)
    return np.subtract(1, out, out=out)


def identity_derivative(a: Array, out: Array) -> Array:
    """Write 1."""
    out.fill(1)
    return out


def elu(z: Array, out: Array) -> None:
    """Write z if z > 0, else e^z − 1 (Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289, with α = 1)."""
    np.maximum(z, np.expm1(np.minimum(z, 0)), out=out)


def elu_derivative(a: Array, out: Array) -> Array:
    """Write 1 if z > 0, else e^z = a + 1."""
    np.minimum(a, 0, out=out)
    out += 1
    return out


def gelu(z: Array, out: Array) -> None:
    """Write z·Φ(z), where Φ is the normal distribution function (Hendrycks, Gimpel 2016, arXiv:1606.08415)."""
    np.multiply(z, _normal_cdf(z), out=out)


def gelu_derivative(z: Array, out: Array) -> Array:
    """Write Φ(z) + z·φ(z), where φ is the normal density."""
    np.clip(z, -_FAR, _FAR, out=out)
    density = np.exp(-0.5 * out * out)
    out *= density
    out *= 1 / sqrt(2 * pi)
    out += _normal_cdf(z)
    return out


def _normal_cdf(z: Array) -> Array:
    """Return Φ(z) = (1 + erf(z/√2))/2."""
    cdf = erf(z * z.dtype.type(1 / sqrt(2)))
    cdf += 1
    cdf *= 0.5
    return cdf


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation("relu(z)", relu, lambda a, out: np.greater(a, 0, out=out), derivative_dtype=np.bool_),
    "leaky_relu": Activation(
        f"relu(z) - {LEAK}*relu(-z)", lambda z, out: np.maximum(z, LEAK * z, out=out), leaky_relu_derivative
    ),
    "elu": Activation("relu(z) + exp(-relu(-z)) - 1", elu, elu_derivative),
    "gelu": Activation(f"z*(1 + erf(z/{sqrt(2)}))/2", gelu, gelu_derivative, derivative_takes="z"),
    "sigmoid": Activation("sigmoid(z)", sigmoid, sigmoid_derivative),
    "tanh": Activation("tanh(z)", lambda z, out: np.tanh(z, out=out), tanh_derivative),
    "identity": Activation("z", lambda z, out: np.copyto(out, z), identity_derivative),
}
