"""Widths: stretch or squeeze digits to one width, so that a network need not learn every writer's proportions.

Meier, Cireşan, Gambardella and Schmidhuber (2011), "Better digit recognition with a committee of simple neural nets",
train each member of a committee on digits of another width, so that the members err differently.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from bpcli.core.deslant import Frame, frame, moves
from bpcli.core.types import Array, Bytes

INK = 4  # a pixel belongs to the digit's box if it is at least this part of the brightest
FAR = 1000.0  # pixels to the side, farther than any pixel of an image is moved

_BLOCK = 50_176  # pixels per block, so that a block's arrays stay in the cache; there are more than in deslanting


def set_width(images: Bytes, width: int, deslanted: bool = False) -> Bytes:
    """Return the images with the box of their ink stretched or squeezed horizontally to a width in pixels.

    The box holds all pixels of at least a quarter of the brightest. The centre of mass comes to the column side/2, as
    in MNIST's digits. A pixel becomes the mean of the ink that it covers, over one pixel at least, which is linear
    interpolation where digits are stretched. Slanted digits are set upright in the same step, so that nothing is
    blurred twice.

    Args:
        images: (n, side²).
        width: of the boxes, in pixels.
        deslanted: whether digits are set upright as well, as `core.deslant.deslant` does.

    Returns:
        (n, side²), new. A blank image stays blank.
    """
    own = frame(isqrt(images.shape[1]))
    found, most = np.empty_like(images), max(_BLOCK // images.shape[1], 1)
    for first in range(0, len(images), most):
        ink = images[first : first + most].reshape(-1, own.side, own.side).astype(np.float32)
        shifts = moves(ink, own) if deslanted else np.zeros(ink.shape[:2], np.float32)
        resized = _resized(ink, shifts[:, :, None], width, own)
        found[first : first + most] = np.rint(resized).reshape(len(ink), -1)
    return found


def _resized(ink: NDArray[np.float32], shifts: Array, width: int, own: Frame) -> Array:
    """Return the images (n, side, side) with each row moved to the left by its shift and the box set to the width."""
    scale = _widths(ink, shifts, own) / np.float32(width)  # pixels of the image for one of the result
    cover = np.maximum(scale, 1)
    x = (own.at - np.float32(own.side / 2)) * scale + (_middles(ink, own) + shifts)  # where pixels' middles come from
    sums = np.cumsum(ink, axis=2) - ink
    covered: Array = _until(x + (1 + cover) / 2, ink, sums, own) - _until(x + (1 - cover) / 2, ink, sums, own)
    covered /= cover
    return covered


def _widths(ink: NDArray[np.float32], shifts: Array, own: Frame) -> Array:
    """Return the width of the box of each image's ink once its rows are moved, (n, 1, 1)."""
    inside = INK * ink >= ink.max(axis=(1, 2), keepdims=True)
    places = own.at - shifts
    left = np.where(inside, places, np.float32(FAR)).reshape(len(ink), -1).min(axis=1)
    right = np.where(inside, places, np.float32(-FAR)).reshape(len(ink), -1).max(axis=1)
    widths: Array = (right - left + 1)[:, None, None]
    return widths


def _middles(ink: NDArray[np.float32], own: Frame) -> Array:
    """Return x̄ of each image, (n, 1, 1)."""
    columns = ink.sum(axis=1)
    moment = (columns.astype(np.float64) @ own.at).astype(np.float32)
    middles: Array = (moment / np.maximum(columns.sum(axis=1), 1))[:, None, None]
    return middles


def _until(x: Array, ink: NDArray[np.float32], sums: Array, own: Frame) -> Array:
    """Return the ink of each row to the left of x, (n, side, side); `sums` holds that of each whole pixel."""
    x = np.clip(x, 0, own.side)
    whole = np.minimum(np.floor(x), own.side - 1)
    index = whole.astype(np.intp)
    index += own.side * np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], 1)
    found: Array = sums.take(index) + (x - whole) * ink.take(index)
    return found
