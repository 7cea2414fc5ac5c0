"""MNIST's digits as somebody would draw them: thinned to lines, and the lines followed."""

import numpy as np
from numpy.typing import NDArray

Points = list[tuple[int, int]]  # x, y

_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from above, as y, x


def strokes(image: NDArray[np.uint8]) -> list[Points]:
    """The lines of a digit (28, 28), longest first; those of a single pixel are left out if there are others."""
    left = {(int(y), int(x)) for y, x in np.argwhere(thinned(image > 100))}
    found: list[Points] = []
    while left:
        found.append(_follow(min(left, key=lambda at: (_neighbours(at, left), at)), left))
    found.sort(key=len, reverse=True)
    return [line for line in found if len(line) > 1] or found[:1]


def thinned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The skeleton of a mask (Zhang, Suen 1984, A fast parallel algorithm for thinning digital patterns)."""
    mask = np.pad(mask, 1)
    while True:
        before = mask.sum()
        for step in (0, 1):
            mask &= ~_removable(mask, step)
        if mask.sum() == before:
            return mask[1:-1, 1:-1]


def _removable(mask: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    p = [np.roll(mask, (-y, -x), (0, 1)) for y, x in _AROUND]
    count = sum(each.astype(int) for each in p)
    turns = sum((~p[k] & p[(k + 1) % 8]).astype(int) for k in range(8))
    north, east, south, west = p[0], p[2], p[4], p[6]
    corners = (east & south & (north | west)) if step == 0 else (north & west & (east | south))
    return np.asarray(mask & (count >= 2) & (count <= 6) & (turns == 1) & ~corners, np.bool_)


def _neighbours(at: tuple[int, int], left: set[tuple[int, int]]) -> int:
    return sum((at[0] + y, at[1] + x) in left for y, x in _AROUND)


def _follow(at: tuple[int, int], left: set[tuple[int, int]]) -> Points:
    """Walks along a line until it ends, straight on where there is a choice, and takes it away."""
    line, heading = [], (0, 0)
    while True:
        left.discard(at)
        line.append((at[1], at[0]))
        steps = [(y, x) for y, x in _AROUND if (at[0] + y, at[1] + x) in left]
        if not steps:
            return line
        heading = max(
            steps, key=lambda step: step[0] * heading[0] + step[1] * heading[1] - 0.1 * abs(step[0] * step[1])
        )
        at = (at[0] + heading[0], at[1] + heading[1])
