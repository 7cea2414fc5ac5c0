"""Resizing, smoothing and dilation of pictures; all arrays are (h, w)."""

from math import gcd
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
Value = TypeVar("Value", bound=np.generic)

FEW = 5000  # values


def resize(values: Grey, width: int, height: int, filter_: Image.Resampling) -> Grey:
    """Return the values resized to `height` rows and `width` columns."""
    if values.shape == (height, width):
        return values
    picture = Image.frombytes("F", values.shape[::-1], values.tobytes()).resize((width, height), filter_)
    return np.frombuffer(picture.tobytes(), np.float32).reshape(height, width)


def unzoomed(values: Grey) -> Grey:
    """Return the picture with one pixel for each square of equal pixels: it undoes an enlargement without smoothing."""
    rows = np.flatnonzero((values[1:] != values[:-1]).any(axis=1)) + 1
    columns = np.flatnonzero((values[:, 1:] != values[:, :-1]).any(axis=0)) + 1
    factor = gcd(*values.shape, *rows.tolist(), *columns.tolist()) if len(rows) and len(columns) else 1
    return values[::factor, ::factor]


def shrink(values: Grey, longest: int) -> Grey:
    """Return the picture shrunk by area to a longest side of at most `longest` pixels."""
    height, width = values.shape
    factor = longest / max(height, width)
    if factor >= 1:
        return values
    return resize(values, max(1, round(width * factor)), max(1, round(height * factor)), Image.Resampling.BOX)


def smooth(values: Grey) -> Grey:
    """Return the picture convolved with the binomial [1 2 1]/4 in both directions, with its border repeated."""
    padded = np.pad(values, 1, mode="edge")
    across = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    smoothed: Grey = (across[:-2] + 2 * across[1:-1] + across[2:]) / np.float32(16)
    return smoothed


def framed(values: NDArray[Value], width: int = 1) -> NDArray[Value]:
    """Return the picture with a border of zeros: np.pad, which takes ten times longer for small pictures."""
    height, length = values.shape
    frame = np.zeros((height + 2 * width, length + 2 * width), values.dtype)
    frame[width : width + height, width : width + length] = values
    return frame


def grow(mask: Mask, steps: int) -> Mask:
    """Return the mask dilated by `steps` pixels, alternately by a square and a cross: together an octagon."""
    for step in range(steps):
        padded = framed(mask)
        tall = padded[:-2] | padded[1:-1] | padded[2:]
        sides = padded[1:-1] if step % 2 else tall
        mask = tall[:, 1:-1] | sides[:, :-2] | sides[:, 2:]
    return mask


def share(mask: Mask) -> float:
    """Return the share of the pixels that a mask marks: np.mean, which takes ten times longer for small pictures."""
    return int(np.count_nonzero(mask)) / mask.size


def bounds(mask: Mask) -> tuple[int, int, int, int]:
    """Return the first row, the first column, the last row and the last column that a mask (h, w) reaches.

    The mask must not be empty. Its bytes are searched, because calls of NumPy take four times longer.
    """
    height, width = mask.shape
    by_row, by_column = mask.tobytes(), mask.T.tobytes()
    return by_row.find(1) // width, by_column.find(1) // height, by_row.rfind(1) // width, by_column.rfind(1) // height


def percentile(values: NDArray[np.floating[Any]], percent: float) -> float:
    """Return a percentile of some numbers, interpolated linearly (Hyndman and Fan 1996, definition 7).

    `np.percentile` returns the same, but loads NumPy's masked arrays, which takes longer than reading a picture.
    """
    at = percent / 100 * (values.size - 1)
    low, high = int(at), min(int(at) + 1, values.size - 1)
    ends = ordered(values, low, high)[[low, high]]
    return float(ends[0] + (ends[1] - ends[0]) * (at - low))


def ordered(values: NDArray[Value], *ranks: int) -> NDArray[Value]:
    """Return values (n,), those of some ranks in their places; few are sorted faster than they are partitioned."""
    return np.sort(values, axis=None) if values.size < FEW else np.partition(values, ranks, axis=None)
