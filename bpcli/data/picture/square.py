"""Pictures of anything fitted into the square that a network expects: whole, neither cropped nor cleaned."""

import numpy as np

from bpcli.data.picture.background import border
from bpcli.data.picture.digit import fit
from bpcli.data.picture.scale import Grey


def squared(grey: Grey, side: int) -> Grey:
    """Return the picture (h, w) fitted into the middle of a square (side, side); its border's median fills the rest.

    A square of that side is returned unchanged. Shrinking is by area, enlarging bicubic.
    """
    fitted = fit(grey, side)
    height, width = fitted.shape
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side), np.median(border(grey)), np.float32)
    square[top : top + height, left : left + width] = fitted
    return square
