"""Output functions, each fused with a loss: δ becomes simple, and no logarithm of zero is taken."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcli.core.activations import sigmoid, sigmoid_derivative
from bpcli.core.types import Array


@dataclass(frozen=True, slots=True)
class Output:
    """An output function and a loss; z, p and y have the shape (batch, classes).

    Attributes:
        value: `value(z)` returns the scores p.
        loss: `loss(z, p, y)` returns the loss of each image, (batch,).
        delta: `delta(p, y)` returns ∂loss/∂z for each image, a new array.
    """

    value: Callable[[Array], Array]
    loss: Callable[[Array, Array, Array], Array]
    delta: Callable[[Array, Array], Array]


def logistic(z: Array) -> Array:
    """Return σ(z) of each unit independently; the scores don't sum to one."""
    p = np.empty_like(z)
    sigmoid(z, p)
    return p


def softmax(z: Array) -> Array:
    """Return e^z / Σ e^z over each row. Subtracting the row's largest z first prevents an overflow."""
    p: Array = z - z.max(axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    return p


def binary_cross_entropy(z: Array, p: Array, y: Array) -> Array:
    """Return −Σ y·ln p + (1−y)·ln(1−p) = Σ ln(1 + e^z) − y·z, with ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|)."""
    softplus = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    losses: Array = (softplus - y * z).sum(axis=1)
    return losses


def cross_entropy(z: Array, p: Array, y: Array) -> Array:
    """Return −Σ y·ln p = ln Σ e^z − Σ y·z, as Σ y = 1."""
    top = z.max(axis=1)
    losses: Array = top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - (y * z).sum(axis=1)
    return losses


def quadratic(z: Array, p: Array, y: Array) -> Array:
    """Return ½‖p − y‖² (Nielsen, Neural Networks and Deep Learning, equation 6)."""
    losses: Array = 0.5 * np.square(p - y).sum(axis=1)
    return losses


def difference(p: Array, y: Array) -> Array:
    """Return ∂C/∂z = p − y: the output function's derivative and the loss's denominator cancel."""
    delta: Array = p - y
    return delta


def sigmoid_quadratic_delta(p: Array, y: Array) -> Array:
    """Return ∂C/∂z = (p − y)·σ'(z) (BP1): small where the unit saturates, even if it is wrong."""
    delta = sigmoid_derivative(p, np.empty_like(p))
    delta *= p - y
    return delta


OUTPUTS: dict[tuple[str, str], Output] = {
    ("sigmoid", "binary_cross_entropy"): Output(logistic, binary_cross_entropy, difference),
    ("softmax", "cross_entropy"): Output(softmax, cross_entropy, difference),
    ("sigmoid", "quadratic"): Output(logistic, quadratic, sigmoid_quadratic_delta),
    ("identity", "quadratic"): Output(np.copy, quadratic, difference),
}
