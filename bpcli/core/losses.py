"""Output layers fused with their losses, so that δ is simple and no logarithm sees a zero."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcli.core.activations import sigmoid, sigmoid_slope
from bpcli.core.types import Array


@dataclass(frozen=True, slots=True)
class Output:
    """An output function and a loss; z, p and y have the shape (batch, classes).

    Attributes:
        value: `value(z, out)` writes the scores p to `out`, never `z` itself.
        loss: `loss(z, p, y)` is the loss of each image, (batch,).
        delta: `delta(p, y, out)` writes ∂loss/∂z, for each image, to `out`.
    """

    value: Callable[[Array, Array], object]
    loss: Callable[[Array, Array, Array], Array]
    delta: Callable[[Array, Array, Array], object]


def softmax(z: Array, out: Array) -> None:
    """e^z / Σ e^z over each row, with the row's largest z taken off first, so that nothing overflows."""
    np.subtract(z, z.max(axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def binary_cross_entropy(z: Array, p: Array, y: Array) -> Array:
    """−Σ y·ln p + (1−y)·ln(1−p) = Σ ln(1 + e^z) − y·z, with ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|)."""
    softplus = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    losses: Array = (softplus - y * z).sum(axis=1)
    return losses


def cross_entropy(z: Array, p: Array, y: Array) -> Array:
    """−Σ y·ln p = ln Σ e^z − Σ y·z, as Σ y = 1."""
    top = z.max(axis=1)
    losses: Array = top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - (y * z).sum(axis=1)
    return losses


def quadratic(z: Array, p: Array, y: Array) -> Array:
    """½‖p − y‖² (Nielsen, Neural Networks and Deep Learning, equation 6)."""
    losses: Array = 0.5 * np.square(p - y).sum(axis=1)
    return losses


def difference(p: Array, y: Array, out: Array) -> None:
    """∂C/∂z = p − y: the output function's slope and the loss's denominator cancel."""
    np.subtract(p, y, out=out)


def sigmoid_quadratic_delta(p: Array, y: Array, out: Array) -> None:
    """∂C/∂z = (p − y)·σ'(z) (BP1): small where the unit saturates, even if it is wrong."""
    sigmoid_slope(p, out)
    out *= p - y


OUTPUTS: dict[tuple[str, str], Output] = {
    ("sigmoid", "binary_cross_entropy"): Output(sigmoid, binary_cross_entropy, difference),
    ("softmax", "cross_entropy"): Output(softmax, cross_entropy, difference),
    ("sigmoid", "quadratic"): Output(sigmoid, quadratic, sigmoid_quadratic_delta),
    ("identity", "quadratic"): Output(lambda z, out: np.copyto(out, z), quadratic, difference),
}
