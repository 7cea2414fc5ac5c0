"""Pictures of anything made into the square that a network expects: whole, neither cut nor cleaned."""

import numpy as np

from bpcli.data.picture.background import border
from bpcli.data.picture.digit import fit
from bpcli.data.picture.scale import Grey


def squared(grey: Grey, side: int) -> Grey:
    """The picture (h, w) in the middle of a square (side, side), its longest side filling it, the rest like its border.

    One that is already a square of that side is returned as it is. Smaller by area, larger by cubic curves.
    """
    fitted = fit(grey, side)
    height, width = fitted.shape
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side), np.median(border(grey)), np.float32)
    square[top : top + height, left : left + width] = fitted
    return square
