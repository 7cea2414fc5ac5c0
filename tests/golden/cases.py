"""What the golden figures are about: neither bpcli nor PyTorch is needed to say it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IMAGES, BATCH, EPOCHS = 190, 40, 20  # five steps an epoch, the last of 30 images: 100 steps
PROJECTIONS = 8  # numbers kept of each array of parameters


class Case(NamedTuple):
    """A network and how it is trained; `activations` of the hidden layers, η falls tenfold at each milestone."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    output: str
    loss: str
    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    milestones: tuple[int, ...] = ()
    optimizer: str = "momentum"
    dropout: float = 0.0


CASES: dict[str, Case] = {
    "the default's kind": Case(
        (784, 32, 10), ("relu",), "sigmoid", "binary_cross_entropy", 0.05, momentum=0.9, milestones=(8,)
    ),
    "two layers, Nesterov, decay": Case(
        (784, 20, 15, 10), ("tanh", "sigmoid"), "softmax", "cross_entropy", 0.05, 0.9, True, weight_decay=5.0
    ),
    "the book's": Case((784, 30, 10), ("sigmoid",), "sigmoid", "quadratic", 3.0),
    "softmax regression": Case((784, 10), (), "softmax", "cross_entropy", 0.01, 0.5, weight_decay=0.5),
    "linear neurons": Case(
        (784, 12, 10), ("identity",), "identity", "quadratic", 0.002, 0.8, True, milestones=(5, 12)
    ),
    "three layers, decay": Case(
        (784, 16, 12, 8, 10), ("leaky_relu", "tanh", "relu"), "sigmoid", "binary_cross_entropy", 0.05, 0.7,
        weight_decay=1.0,
    ),
    "gelu, elu": Case(
        (784, 20, 14, 10), ("gelu", "elu"), "softmax", "cross_entropy", 0.05, 0.9, milestones=(12,), weight_decay=0.5
    ),
    "adam, decay": Case(
        (784, 24, 10), ("relu",), "sigmoid", "binary_cross_entropy", 0.003, weight_decay=2.0, milestones=(8,),
        optimizer="adam",
    ),
    "adamw, decay": Case(
        (784, 18, 12, 10), ("tanh", "gelu"), "softmax", "cross_entropy", 0.004, weight_decay=3.0, optimizer="adamw"
    ),
    "dropout": Case(
        (784, 24, 16, 10), ("relu", "sigmoid"), "sigmoid", "binary_cross_entropy", 0.05, 0.9, dropout=0.4
    ),
}  # fmt: skip


def first_parameters(case: Case) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Weights (fan_in, fan_out) and biases of each layer."""
    rng = np.random.default_rng(1986)
    for fan_in, fan_out in pairwise(case.sizes):
        yield rng.standard_normal((fan_in, fan_out)) / fan_in**0.5, 0.1 * rng.standard_normal(fan_out)


def order(epoch: int) -> NDArray[np.intp]:
    """The order of the images in an epoch."""
    return np.random.default_rng([7, epoch]).permutation(IMAGES).astype(np.intp)


def projections(array: NDArray[Any]) -> list[float]:
    """The array along some random directions: any wrong number in it changes all of them."""
    rng = np.random.default_rng(array.size)
    return [float(np.sum(rng.standard_normal(array.shape) * array)) for _ in range(PROJECTIONS)]
