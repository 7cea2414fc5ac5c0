"""Deslanting: digits set upright by their moments, so that a network need not learn every writer's slant.

LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", section III,
compare classifiers with and without it.
"""

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array, Bytes

SIDE = 28
STEEPEST = 1.0  # pixels to the side for each pixel up, 45°; what leans more is a flat stroke, not a slant

_BLOCK = 256  # images at a time: what they need stays in the cache
_ROOM = SIDE + 1  # columns of background on either side of the padded images, as far as a row may move and one more
_WIDE = SIDE + 2 * _ROOM
_AT = np.arange(SIDE, dtype=np.float32)
_COLUMNS = np.arange(SIDE, dtype=np.intp) + _ROOM


def deslant(images: Bytes) -> Bytes:
    """The images with each row moved sideways, so that x and y no longer go together where there is ink.

    With the moments μ₁₁ = Σ p·(x − x̄)(y − ȳ) and μ₀₂ = Σ p·(y − ȳ)² of the pixels p, row y moves by
    −μ₁₁/μ₀₂ · (y − ȳ); rows between pixels are interpolated linearly. The centre of mass stays where it is.

    Args:
        images: (n, 784).

    Returns:
        (n, 784), new.
    """
    upright = np.empty_like(images)
    for first in range(0, len(images), _BLOCK):
        block = images[first : first + _BLOCK].reshape(-1, SIDE, SIDE).astype(np.float32)
        upright[first : first + _BLOCK] = np.rint(_moved(block, _moves(block))).reshape(len(block), -1)
    return upright


def _moves(ink: NDArray[np.float32]) -> Array:
    """How far to the right each row's ink lies for the slant, (n, 28), in pixels, given images (n, 28, 28)."""
    rows = ink.sum(axis=2)
    down = _AT - (rows @ _AT / np.maximum(rows.sum(axis=1), 1))[:, None]  # y − ȳ
    lean = (down * (ink @ _AT)).sum(axis=1)  # μ₁₁, for Σ p·(y − ȳ)·x̄ is 0
    height = (down * down * rows).sum(axis=1)  # μ₀₂
    slope = np.divide(lean, height, out=np.zeros_like(lean), where=height > 0)
    moves: Array = np.clip(slope, -STEEPEST, STEEPEST)[:, None] * down
    return moves


def _moved(ink: NDArray[np.float32], moves: Array) -> Array:
    """The images (n, 28, 28) with each row moved to the left, between two pixels interpolated."""
    padded = np.pad(ink, ((0, 0), (0, 0), (_ROOM, _ROOM)))
    whole = np.floor(moves)
    starts = _WIDE * np.arange(moves.size).reshape(moves.shape) + whole.astype(np.intp)
    index = starts[:, :, None] + _COLUMNS
    left, right = padded.take(index), padded.take(index + 1)
    moved: Array = left + (moves - whole)[:, :, None] * (right - left)
    return moved
