"""Deslanting: digits set upright by their moments, so that a network need not learn every writer's slant.

LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", section III,
compare classifiers with and without it.
"""

from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array, Bytes

STEEPEST = 1.0  # pixels to the side for each pixel up, 45°; what leans more is a flat stroke, not a slant

_BLOCK = 200_704  # pixels at a time: what they need stays in the cache


class Frame(NamedTuple):
    """What images of one side share.

    Attributes:
        side: pixels.
        room: columns of background on either side of a padded image, as far as a row may move and one more.
        at: (side,), the place of each row, or of each column.
    """

    side: int
    room: int
    at: NDArray[np.float32]


@cache
def frame(side: int) -> Frame:
    """The frame of images of a side."""
    return Frame(side, side + 1, np.arange(side, dtype=np.float32))


def deslant(images: Bytes) -> Bytes:
    """Return the images with each row moved sideways, so that x and y no longer go together where there is ink.

    With the moments μ₁₁ = Σ p·(x − x̄)(y − ȳ) and μ₀₂ = Σ p·(y − ȳ)² of the pixels p, row y moves by
    −μ₁₁/μ₀₂ · (y − ȳ); rows between pixels are interpolated linearly. The centre of mass stays where it is.

    Args:
        images: (n, side²).

    Returns:
        (n, side²), new.
    """
    own = frame(isqrt(images.shape[1]))
    upright, most = np.empty_like(images), max(_BLOCK // images.shape[1], 1)
    for first in range(0, len(images), most):
        block = images[first : first + most].reshape(-1, own.side, own.side).astype(np.float32)
        upright[first : first + most] = np.rint(_moved(block, _moves(block, own), own)).reshape(len(block), -1)
    return upright


def _moves(ink: NDArray[np.float32], own: Frame) -> Array:
    """How far to the right each row's ink lies for the slant, (n, side), in pixels, given images (n, side, side)."""
    rows = ink.sum(axis=2)
    moment = (rows.astype(np.float64) @ own.at).astype(np.float32)  # float32 would round large images' sums
    down = own.at - (moment / np.maximum(rows.sum(axis=1), 1))[:, None]  # y − ȳ
    lean = (down * (ink @ own.at)).sum(axis=1)  # μ₁₁, for Σ p·(y − ȳ)·x̄ is 0
    height = (down * down * rows).sum(axis=1)  # μ₀₂
    derivative = np.divide(lean, height, out=np.zeros_like(lean), where=height > 0)
    moves: Array = np.clip(derivative, -STEEPEST, STEEPEST)[:, None] * down
    return moves


def _moved(ink: NDArray[np.float32], moves: Array, own: Frame) -> Array:
    """The images (n, side, side) with each row moved to the left, between two pixels interpolated."""
    padded = np.pad(ink, ((0, 0), (0, 0), (own.room, own.room)))
    whole = np.floor(moves)
    starts = padded.shape[2] * np.arange(moves.size).reshape(moves.shape) + whole.astype(np.intp) + own.room
    index = starts[:, :, None] + np.arange(own.side)
    left, right = padded.take(index), padded.take(index + 1)
    moved: Array = left + (moves - whole)[:, :, None] * (right - left)
    return moved
