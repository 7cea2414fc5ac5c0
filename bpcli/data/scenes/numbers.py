"""Scenes of handwritten numbers: rows of digits."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from bpcli.data.scenes.look import Bytes, Floats, Look
from bpcli.data.scenes.paper import paint, placed
from bpcli.data.scenes.strokes import coverage


def number(digits: list[Bytes], look: Look, rng: Generator, *, touching: float = 0.0) -> tuple[Bytes, list[bool]]:
    """Return a row of digits with uneven spacing, heights and base line, and which neighbours touch.

    With probability `touching`, a gap is −0.08 to 0.06 of the digits' size; otherwise it is 0.08 to 0.6.

    Returns:
        The scene (h, w, 3), and for each pair of neighbours whether their ink overlaps or touches.
    """
    inks = [coverage(digit, replace(look, size=round(look.size * rng.uniform(0.9, 1.1)))) for digit in digits]
    page = np.zeros((2 * look.size, 0), np.float32)
    barrier = []
    for place, ink in enumerate(inks):
        close = place > 0 and rng.random() < touching
        gap = rng.uniform(-0.08, 0.06) if close else rng.uniform(0.08, 0.6)
        top = max(0, look.size - ink.shape[0] // 2 + round(look.size * rng.uniform(-0.08, 0.08)))
        new = np.pad(ink, ((top, 2 * look.size - top - ink.shape[0]), (0, 0)))
        page, met = _appended(page, new, round(gap * look.size) if place else 0)
        barrier.append(met)
    used = np.flatnonzero(page.any(axis=1))
    page = page[used[0] : used[-1] + 1]
    return paint(placed(page, look.margins), look, rng), barrier[1:]


def _appended(page: Floats, ink: Floats, gap: int) -> tuple[Floats, bool]:
    """Return the page with ink `gap` pixels to its right (negative: overlapping), and whether the two touch."""
    overlap = min(max(0, -gap), page.shape[1], ink.shape[1])
    left = np.pad(page, ((0, 0), (0, ink.shape[1] - overlap + max(0, gap))))
    right = np.pad(ink, ((0, 0), (left.shape[1] - ink.shape[1], 0)))
    around = np.pad(right, 1)
    near = np.maximum.reduce([around[y : y + len(right), x : x + right.shape[1]] for y in range(3) for x in range(3)])
    return np.maximum(left, right), bool(np.any((left > 0.3) & (near > 0.3)))
