"""Normalization: it turns bytes into floats around zero, as the network takes them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bpcli.core.types import Array, Bytes


class Normalization(NamedTuple):
    """x = scale · byte − shift."""

    scale: float
    shift: float


# arguments: the mean and the standard deviation of the training pixels, as fractions of 255
NORMALIZATIONS: dict[str, Callable[[float, float], Normalization]] = {
    "standard": lambda mean, deviation: Normalization(1 / (255 * deviation), mean / deviation),
    "unit": lambda mean, deviation: Normalization(1 / 255, 0.0),
}


def normalize(pixels: Bytes, normalization: Normalization, out: Array) -> None:
    """Write the normalised pixels to `out`, of the same shape as `pixels`."""
    np.multiply(pixels, out.dtype.type(normalization.scale), out=out)
    if normalization.shift:
        out -= out.dtype.type(normalization.shift)
