"""Deslanting: shear digits upright by their moments, so that a network need not learn every writer's slant.

LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", section III,
compare classifiers with and without it.
"""

from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bpcli.core.types import Array, Bytes

STEEPEST = 1.0  # pixels to the side per pixel of height, 45°; only flat strokes lean more

_BLOCK = 200_704  # pixels per block, so that a block's arrays stay in the cache


class Frame(NamedTuple):
    """Constants of images of one side length.

    Attributes:
        side: the side length in pixels.
        room: columns of background on either side of a padded image: the farthest that a row may move, and one more.
        at: (side,), the coordinate of each row and of each column.
    """

    side: int
    room: int
    at: NDArray[np.float32]


@cache
def frame(side: int) -> Frame:
    """Return the constants of images of a side length."""
    return Frame(side, side + 1, np.arange(side, dtype=np.float32))


def deslant(images: Bytes) -> Bytes:
    """Return the images with each row shifted sideways, so that x and y of the ink are uncorrelated.

    With the moments μ₁₁ = Σ p·(x − x̄)(y − ȳ) and μ₀₂ = Σ p·(y − ȳ)² of the pixels p, row y moves by
    −μ₁₁/μ₀₂ · (y − ȳ); values between two pixels are interpolated linearly. The centre of mass stays where it is.

    Args:
        images: (n, side²).

    Returns:
        (n, side²), new.
    """
    own = frame(isqrt(images.shape[1]))
    upright, most = np.empty_like(images), max(_BLOCK // images.shape[1], 1)
    for first in range(0, len(images), most):
        block = images[first : first + most].reshape(-1, own.side, own.side)
        moved = _moved(block, moves(block.astype(np.float32), own), own)
        upright[first : first + most] = np.rint(moved, out=moved).reshape(len(block), -1)
    return upright


def moves(ink: NDArray[np.float32], own: Frame) -> Array:
    """Return by how many pixels the slant moves each row to the right, (n, side), for images (n, side, side)."""
    rows = ink.sum(axis=2)
    moment = (rows.astype(np.float64) @ own.at).astype(np.float32)  # float32 would round large images' sums
    down = own.at - (moment / np.maximum(rows.sum(axis=1), 1))[:, None]  # y − ȳ
    lean = (down * (ink @ own.at)).sum(axis=1)  # μ₁₁, for Σ p·(y − ȳ)·x̄ is 0
    height = (down * down * rows).sum(axis=1)  # μ₀₂
    slope = np.divide(lean, height, out=np.zeros_like(lean), where=height > 0)
    found: Array = np.clip(slope, -STEEPEST, STEEPEST)[:, None] * down
    return found


def _moved(ink: Bytes, moves: Array, own: Frame) -> NDArray[np.float32]:
    """Return the images (n, side, side) with each row moved to the left, interpolated between two pixels."""
    padded = np.pad(ink, ((0, 0), (0, 0), (own.room, own.room)))
    whole = np.floor(moves)
    starts = padded.shape[2] * np.arange(moves.size).reshape(moves.shape) + whole.astype(np.intp) + own.room
    windows = sliding_window_view(padded.reshape(-1), own.side + 1)[starts].astype(np.float32)
    left, right = windows[:, :, :-1], windows[:, :, 1:]
    moved: NDArray[np.float32] = left + (moves - whole)[:, :, None] * (right - left)
    return moved
