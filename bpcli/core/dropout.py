"""Dropout: in each step of training, each hidden unit is left out of each image with the same probability.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout". The kept units are scaled up at once
("inverted"), so that nothing changes outside training.
"""

import numpy as np
from numpy.typing import NDArray

from bpcli.core import seeds
from bpcli.core.types import Array

_LEVELS = 65536  # of the random numbers: 16 bits each
_PER_WORD = 4  # of them in a word of 64 bits


def write_mask(rate: float, seed: int, epoch: int, step: int, layer: int, units: slice, out: Array) -> None:
    """Write the mask of some units in one step: 0 with the probability `rate`, else 1/(1 − rate).

    The mask is a function of the seed, the epoch, the step and the layer. A thread draws that of its own units alone:
    each unit has as many random words as its images need, and the generator jumps to the first of them.

    Args:
        rate: the probability, 0 to 1; it is rounded to 1/65,536.
        seed: of the run.
        epoch: from 0.
        step: of the epoch, from 0.
        layer: the index of the hidden layer, from 0.
        units: which units of the layer.
        out: (batch, units), of the units that `units` selects.
    """
    rows, count = out.shape
    words = -(-rows // _PER_WORD)
    generator = seeds.stream(seed, seeds.DROPOUT, epoch, step, layer).bit_generator
    generator.advance((units.start or 0) * words)  # type: ignore[attr-defined]  # PCG64 has it
    drawn: NDArray[np.uint64] = generator.random_raw(count * words)
    numbers = drawn.astype("<u8", copy=False).view("<u2").reshape(count, words * _PER_WORD)[:, :rows]
    threshold = round(rate * _LEVELS)
    np.multiply(threshold <= numbers.T, out.dtype.type(1 / (1 - rate)), out=out)
