"""Dropout: each training step leaves out each hidden unit of each image with the same probability.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout". The variant is "inverted" dropout: training
scales the kept units up, so nothing changes outside training.
"""

import numpy as np
from numpy.typing import NDArray

from bpcli.core import seeds
from bpcli.core.types import Array

_LEVELS = 65536  # values of a random number of 16 bits
_PER_WORD = 4  # random numbers in a word of 64 bits


def write_mask(rate: float, seed: int, epoch: int, step: int, layer: int, units: slice, out: Array) -> None:
    """Write the mask of some units in one step: 0 with the probability `rate`, else 1/(1 − rate).

    The mask is a function of the seed, the epoch, the step and the layer. A thread draws the mask of its own units
    only: each unit uses as many random words as its images need, so the generator can jump to the first unit.

    Args:
        rate: the probability, 0 to 1; it is rounded to 1/65,536.
        seed: of the run.
        epoch: from 0.
        step: of the epoch, from 0.
        layer: the index of the hidden layer, from 0.
        units: which units of the layer.
        out: (batch, units), for the units that `units` selects.
    """
    rows, count = out.shape
    words = -(-rows // _PER_WORD)
    generator = seeds.stream(seed, seeds.DROPOUT, epoch, step, layer).bit_generator
    generator.advance((units.start or 0) * words)  # type: ignore[attr-defined]  # PCG64 has it
    drawn: NDArray[np.uint64] = generator.random_raw(count * words)
    numbers = drawn.astype("<u8", copy=False).view("<u2").reshape(count, words * _PER_WORD)[:, :rows]
    threshold = round(rate * _LEVELS)
    np.multiply(threshold <= numbers.T, out.dtype.type(1 / (1 - rate)), out=out)
