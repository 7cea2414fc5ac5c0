"""Pixels as the network takes them: bytes made into floats around zero."""

from typing import NamedTuple

import numpy as np

from bpcli.core.types import Array, Bytes


class Normalization(NamedTuple):
    """x = scale · byte − shift."""

    scale: float
    shift: float


# MNIST's training pixels have the mean 0.1307 and the standard deviation 0.3081, as fractions of 255.
NORMALIZATIONS: dict[str, Normalization] = {
    "standard": Normalization(1 / (255 * 0.3081), 0.1307 / 0.3081),
    "unit": Normalization(1 / 255, 0.0),
}


def normalize(pixels: Bytes, normalization: Normalization, out: Array) -> None:
    """Writes the normalised pixels to `out`, of the same shape as `pixels`."""
    np.multiply(pixels, out.dtype.type(normalization.scale), out=out)
    if normalization.shift:
        out -= out.dtype.type(normalization.shift)
