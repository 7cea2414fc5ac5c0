"""Ink that can't be taken for a digit: signs, scribbles, hatching, clouds, shades and specks.

Each function draws one of its kind: the ink (h, w), 0 to 1, as a function of a random generator.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from bpcli.data.drawn.forms import Floats
from bpcli.data.drawn.hands import pressed, some_pen
from bpcli.data.drawn.pen import inked
from bpcli.data.drawn.signs import sign
from bpcli.data.picture.scale import Grey

_FIELD = 80  # side in pixels of the fields that clouds and shades are cut from
_NARROWEST = 0.5  # shades are at least this much as wide as they are high: an upright strip may be a 1


def scribble(rng: Generator) -> Grey:
    """Draw one line to and fro, in loops, or at random, with too many turns for a digit."""
    return _inked([(_zigzag, _loops, _wander)[int(rng.integers(3))](rng)], rng)


def hatching(rng: Generator) -> Grey:
    """Draw three to six parallel lines, half of them crossed by two to five others."""
    angle = rng.uniform(0, np.pi)
    lines = _parallel(int(rng.integers(3, 7)), angle, rng)
    if rng.random() < 0.5:
        lines += _parallel(int(rng.integers(2, 6)), angle + np.pi / 2 + rng.normal(0, 0.15), rng)
    return _inked(lines, rng)


def cloud(rng: Generator) -> Grey:
    """Draw cloudy noise above a threshold with edges sharp or soft, like the remains of paper, leaves or hair."""
    field = sum(float(cell ** rng.uniform(0, 1.2)) * _noise(cell, rng) for cell in (4, 8, 16, 40))
    above = np.asarray(field, np.float32) - np.quantile(field, rng.uniform(0.3, 0.75))
    return _soft(above, rng)


def shade(rng: Generator) -> Grey:
    """Draw a wedge, a lens or a corner whose ink grows smoothly, like what a lamp leaves of empty paper."""
    y, x = np.mgrid[-1 : 1 : _FIELD * 1j, -1 : 1 : _FIELD * 1j].astype(np.float32)
    while True:
        a, b, c, d, e = rng.normal(0, (1, 1, 0.7, 0.7, 0.7))
        field = np.asarray(a * x + b * y + c * x * x + d * x * y + e * y * y, np.float32)
        ink = _soft(field - np.quantile(field, rng.uniform(0.2, 0.85)), rng)
        rows, columns = (np.ptp(np.flatnonzero((ink >= 0.25).any(axis=axis))) + 1 for axis in (1, 0))
        if columns >= _NARROWEST * rows:
            return ink


def specks(rng: Generator) -> Grey:
    """Draw six to forty specks, each a little blot, like noise or crumbs."""
    canvas = np.zeros((_FIELD, _FIELD), np.float32)
    y, x = np.mgrid[:_FIELD, :_FIELD]
    size = rng.uniform(2, 6)
    for _ in range(int(rng.integers(6, 41))):
        (top, left), radius = rng.uniform(size, _FIELD - size, 2), size * rng.uniform(0.4, 1)
        canvas[np.square(y - top) + np.square(x - left) <= radius**2] = rng.uniform(0.5, 1)
    return canvas


SCRAPS: tuple[Callable[[Generator], Grey], ...] = (sign, sign, sign, scribble, hatching, cloud, cloud, shade, specks)


def _inked(lines: list[Floats], rng: Generator) -> Grey:
    pen = some_pen(rng)
    return inked([pressed(line, pen, rng) for line in lines], pen.nib)


def _zigzag(rng: Generator) -> Floats:
    """Return a line (n, 2) that turns back six to fourteen times, in any direction."""
    n = int(rng.integers(6, 15))
    across = np.where(np.arange(n) % 2, 0.0, 1.0) + rng.normal(0, 0.08, n)
    along = np.linspace(0, rng.uniform(0.9, 1.8), n) + rng.normal(0, 0.03, n)
    return _dense(np.column_stack([along, across])) @ _turn(rng.uniform(0, np.pi))


def _loops(rng: Generator) -> Floats:
    """Return a line (n, 2) of four to eight loops beside each other: on top of each other they would be a 0."""
    turns = int(rng.integers(4, 9))
    t = np.linspace(0, 2 * np.pi * turns, 24 * turns)
    size = 0.5 + 0.25 * np.interp(t, np.linspace(0, t[-1], turns + 1), rng.normal(size=turns + 1))
    drift = rng.uniform(0.08, 0.2)
    loops = np.column_stack([size * np.cos(t) + drift * t, size * np.sin(t) * rng.uniform(0.6, 1.4)])
    return loops @ _turn(rng.normal(0, 0.6))


def _wander(rng: Generator) -> Floats:
    """Return a line (n, 2) through eight to sixteen points of a square, in any order."""
    return _dense(rng.uniform(0, 1, (int(rng.integers(8, 17)), 2)))


def _parallel(n: int, angle: float, rng: Generator) -> list[Floats]:
    """Return `n` lines (m, 2) at even distances, each a little off."""
    ends = np.array((0, 1)) + rng.normal(0, 0.06, (n, 2))
    places = np.linspace(0, rng.uniform(0.7, 1.2), n)[:, None] + rng.normal(0, 0.02, (n, 2))
    return [_dense(np.column_stack([end, place])) @ _turn(angle) for end, place in zip(ends, places, strict=True)]


def _dense(points: Floats) -> Floats:
    """Return points on the lines between points (n, 2), eight for each."""
    at, whole = np.linspace(0, len(points) - 1, 8 * len(points)), np.arange(len(points))
    return np.column_stack([np.interp(at, whole, column) for column in points.T])


def _turn(angle: float) -> Floats:
    return np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])


def _noise(cell: int, rng: Generator) -> Grey:
    """Return smooth noise with structures of about `cell` pixels."""
    small = rng.standard_normal((_FIELD // cell + 1,) * 2, np.float32)
    return np.asarray(Image.fromarray(small).resize((_FIELD, _FIELD), Image.Resampling.BICUBIC))


def _soft(above: Grey, rng: Generator) -> Grey:
    """Return ink where a field (h, w) is above 0; half of the time it grows slowly with the field."""
    peak = max(float(above.max()), 1e-6)
    if rng.random() < 0.5:
        return (above > 0).astype(np.float32)
    ink: Grey = np.clip(above / np.float32(peak * rng.uniform(0.1, 0.9)), 0, 1)
    return ink
