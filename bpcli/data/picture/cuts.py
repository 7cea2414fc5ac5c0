"""Candidate cuts through digits that may touch: paths from the top to the bottom that cross little ink.

They are cheap and many. Which of them part two digits is for a network to say (LeCun, Bottou, Bengio and Haffner,
1998, section VI).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.pieces import Ints, Mask
from bpcli.data.picture.scale import Grey, resize

Reals = NDArray[np.float64]

ROWS = 32  # rows to which a digit is shrunk to find the paths
SLANTS = (0.2, 3.0)  # pixels of ink that a path crosses rather than step aside by one: bent paths and straight ones
LEVELS = (1 / 3, 2 / 3)  # heights at which each column is tried
MOST = 0.7  # maximum cost of a cut, as a share of a digit's height
BENT = 1.0  # pixels of ink that a step aside counts as when two cuts are compared
LEAST = 0.015  # minimum ink between two cuts, as a share of a digit's height squared
STEPS = np.array([0, -1, 1])


class Cuts(NamedTuple):
    """Cuts through a mask (h, w), from the left.

    Attributes:
        paths: (n, h), the column of each cut in each row; the pixel there is right of the cut.
        ink: (n,), the ink that each cut crosses, as a share of a digit's height.
    """

    paths: Ints
    ink: Reals


NO_CUTS = Cuts(np.empty((0, 1), np.int64), np.empty(0))


def find_cuts(mask: Mask, height: float) -> Cuts:
    """Return candidate cuts through a mask (h, w) of digits about `height` pixels high.

    Each is the cheapest path through a pixel, where its neighbours at the same level would cost more. Of cuts with
    next to no ink between them, the cheapest is kept.
    """
    scale = min(1.0, ROWS / height)
    rows, columns = (max(2, round(scale * side)) for side in mask.shape)
    ink = resize(mask.astype(np.float32), columns, rows, Image.Resampling.BOX)
    levels = [round(level * (rows - 1)) for level in LEVELS]
    paths = np.concatenate([_through(ink, level, slant) for slant in SLANTS for level in levels])
    crossed = np.asarray(ink[np.arange(rows), paths].sum(axis=1) / (scale * height), np.float64)
    bends = abs(np.diff(paths, axis=1)).sum(axis=1) / (scale * height)
    chosen = _apart(_ink_before(ink, paths), crossed + BENT * bends, LEAST * (scale * height) ** 2)
    in_order = np.maximum.accumulate(paths[chosen], axis=0)
    return Cuts(_enlarged(in_order, mask.shape, columns), crossed[chosen])


def _through(ink: Grey, row: int, slant: float) -> Ints:
    """Return the cheapest paths (n, h) through a row of the ink (h, w), one for each local minimum of their costs."""
    down, steps_down = _cheapest(ink[: row + 1], slant)
    up, steps_up = _cheapest(ink[row:][::-1], slant)
    costs = down + up - ink[row]
    at = _minima(costs)
    above, below = _traced(steps_down, at), _traced(steps_up, at)
    return np.concatenate([above, below[:, -2::-1]], axis=1)


def _cheapest(ink: Grey, slant: float) -> tuple[Reals, Ints]:
    """Return the cost (w,) of the cheapest path from the first row to each pixel of the last, and its steps (h, w).

    A path costs the ink that it crosses, and `slant` for each step aside (dynamic programming).
    """
    costs, steps = ink[0].astype(np.float64), np.zeros(ink.shape, np.int64)
    around = np.full(len(costs) + 2, np.inf)
    for row in range(1, len(ink)):
        around[1:-1] = costs
        ways = np.stack([around[1:-1], around[:-2] + slant, around[2:] + slant])
        steps[row] = STEPS[ways.argmin(axis=0)]
        costs = ways.min(axis=0) + ink[row]
    return costs, steps


def _traced(steps: Ints, ends: Ints) -> Ints:
    """Return the columns (n, h) of the paths that end at some columns (n,) of the last row."""
    columns = [ends]
    for row in range(len(steps) - 1, 0, -1):
        columns.append(columns[-1] + steps[row, columns[-1]])
    return np.stack(columns[::-1], axis=1)


def _minima(costs: Reals) -> Ints:
    """Return the places of the local minima of costs (w,): of equal neighbours, the one in the middle."""
    rounded = np.round(costs, 3)
    starts = np.flatnonzero(np.diff(rounded, prepend=np.inf))
    ends = np.append(starts[1:], len(costs))
    around = np.pad(rounded[starts], 1, constant_values=np.inf)
    lowest = (around[1:-1] < around[:-2]) & (around[1:-1] < around[2:])
    return np.asarray((starts + ends)[lowest] // 2, np.int64)


def _ink_before(ink: Grey, paths: Ints) -> Reals:
    """Return the ink of (h, w) on the left of each path (n, h), and that of all: (n + 1,)."""
    before = np.pad(np.cumsum(ink, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    everything = np.full((1, len(ink)), ink.shape[1])
    return np.asarray(before[np.arange(len(ink)), np.concatenate([paths, everything])].sum(axis=1), np.float64)


def _apart(before: Reals, costs: Reals, least: float) -> Ints:
    """Return the cheapest cuts (n,), from the left, with at least some ink between each other and on either side.

    Args:
        before: the ink on the left of each cut, and all of the ink.
        costs: of each cut.
        least: the least ink between two.
    """
    chosen: list[int] = []
    taken = [0.0, float(before[-1])]
    for cut in np.argsort(costs, kind="stable").tolist():
        if costs[cut] <= MOST and min(abs(before[cut] - other) for other in taken) >= least:
            chosen.append(cut)
            taken.append(float(before[cut]))
    return np.array(sorted(chosen, key=lambda cut: before[cut]), np.int64)


def _enlarged(paths: Ints, shape: tuple[int, ...], columns: int) -> Ints:
    """Return paths (n, h) through a shrunk mask with some columns as paths through the mask of a shape."""
    tall, wide = shape
    rows = paths.shape[1]
    places = (np.arange(tall) + 0.5) * rows / tall - 0.5
    fine = [np.interp(places, np.arange(rows), (path + 0.5) * wide / columns) for path in paths]
    return np.asarray(np.rint(np.array(fine).reshape(-1, tall)), np.int64)
