"""Splits of pictures by their content: they stay when pictures are added, and copies of one lie in the same split."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Validation: TypeAlias = int | float | Literal["auto"]  # a number of images, or a fraction below 1
Places: TypeAlias = NDArray[np.uint64]
Mask: TypeAlias = NDArray[np.bool_]

SHARE = 6  # of the training images, one in so many is kept for validation if nothing else is asked for
MOST = 10_000  # of those of IDX files, at most so many
_ALL = 2.0**64  # places


def kept_of(count: int, validation: Validation) -> int:
    """Return how many of an IDX file's images are kept for validation."""
    if validation == "auto":
        return min(count // SHARE, MOST)
    return round(validation * count) if isinstance(validation, float) else validation


def drawn(places: Places, share: float) -> Mask:
    """Return which pictures lie in the test split if it takes a share of all: those with the lowest places."""
    return places < share * _ALL


def kept(places: Places, share: float, validation: Validation) -> Mask:
    """Return which of the pictures that are not in the test split are kept for validation.

    Args:
        places: (n,) of the pictures.
        share: of all pictures that the test split takes; 0 if it has pictures of its own.
        validation: the fraction to keep. The number of pictures to keep instead are those of the lowest places, with
            all copies; some of them change if pictures are added.
    """
    if isinstance(validation, int):
        order = np.sort(places)
        return places <= order[validation - 1] if validation else np.zeros(len(places), bool)
    fraction = 1 / SHARE if validation == "auto" else validation
    return places < (share + fraction * (1 - share)) * _ALL
