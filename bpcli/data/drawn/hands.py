"""Digits drawn by hands of many countries: a function of a seed.

Each drawing has a form from `hands.yaml`, a hand of its own, which leans, trembles and ends its strokes, and a pen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator

from bpcli.core import seeds
from bpcli.data.datasets import Split
from bpcli.data.drawn.curves import Curves, curves
from bpcli.data.drawn.drawing import drawn
from bpcli.data.drawn.forms import Floats, Form, parse_forms, training_forms
from bpcli.data.drawn.pen import ROUND, Line, image_of, inked, nib
from bpcli.data.picture.digit import SIDE, Bytes
from bpcli.data.picture.scale import Grey

_BUMPS = np.stack(np.meshgrid((0.0, 0.35, 0.7), (0.0, 0.5, 1.0)), axis=-1).reshape(-1, 2)  # centres of the warp
_REACH = 0.4  # radius of a bump in heights


@dataclass(frozen=True, slots=True)
class Hand:
    """How somebody writes; lengths in heights of the digit.

    Attributes:
        slant: how far the top leans to the right.
        width: factor of the digit's width.
        rotation: in degrees, anticlockwise.
        balance: how far the middle of the digit moves down: large heads or large feet.
        warp: standard deviation by which regions of the digit move.
        shake: standard deviation by which single points and strokes move.
        angular: 0 for round curves, 1 for straight lines between the points.
        tremor: standard deviation by which the pen trembles.
        overshoot: standard deviation by which strokes end too late or too early.
        hooks: probability that an end of a stroke has a hook.
        retrace: probability that a stroke is drawn again over itself.
    """

    slant: float
    width: float
    rotation: float
    balance: float
    warp: float
    shake: float
    angular: float
    tremor: float
    overshoot: float
    hooks: float
    retrace: float


PLAIN = Hand(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Pen:
    """A pen and how it is pressed.

    Attributes:
        nib: its outline (v, 2) in longest sides of a digit.
        pressure: standard deviation of the width along a stroke, as a share of it.
        shading: the share of the width that upward strokes lack.
        taper: the share of the width that the ends of strokes lack.
    """

    nib: Floats
    pressure: float
    shading: float
    taper: float


@cache
def all_forms() -> tuple[Form, ...]:
    """Return all forms of `hands.yaml`, those held out included."""
    path = Path(__file__).with_name("hands.yaml")
    return parse_forms(path.read_bytes(), path.name)


def rows() -> list[tuple[Form]]:
    """Return the rows of a sheet: one for each form."""
    return [(form,) for form in all_forms()]


def draw(
    n: int, seed: int, side: int = SIDE, forms: Sequence[Form] | None = None, pause: Callable[[], None] = lambda: None
) -> Split:
    """Return `n` drawn digits in MNIST's format; the first of them are the same for any `n`.

    A digit, one of its styles and one of that style's forms are drawn evenly at random.

    Args:
        n: how many.
        seed: of the random generator.
        side: the side of the images in pixels.
        forms: whose digits to draw; None for those that are not held out.
        pause: called between drawings; it may raise to stop.
    """
    return drawn(drawing, seeds.HANDS, training_forms(all_forms()) if forms is None else forms, n, seed, side, pause)


def plain(form: Form, side: int = SIDE) -> Bytes:
    """Return the image (side²,) of a form drawn exactly, with a round pen."""
    lines = [Line(points, np.ones(len(points))) for points in written(form, PLAIN, seeds.stream(0))]
    return image_of(inked(lines, nib(ROUND, 0.11)), side)


def drawing(form: Form, rng: Generator) -> Grey:
    """Return the ink (h, w) of one drawing of a form."""
    pen = some_pen(rng)
    return inked([pressed(points, pen, rng) for points in written(form, some_hand(rng), rng)], pen.nib)


def some_hand(rng: Generator) -> Hand:
    """Return a hand: most are near to a school's, a quarter lean like old hands or to the left, a few are hasty."""
    slants = (rng.normal(0.1, 0.13), rng.uniform(0.3, 0.5), rng.uniform(-0.25, -0.1))
    hasty = rng.random() < 0.25
    return Hand(
        slant=slants[_one_of(rng, 0.75, 0.18)],
        width=float(np.exp(np.clip(rng.normal(0, 0.18), -0.35, 0.35))),
        rotation=rng.normal(0, 5),
        balance=rng.normal(0, 0.06),
        warp=rng.uniform(0.03, 0.11 if hasty else 0.09),
        shake=rng.uniform(0.005, 0.035 if hasty else 0.02),
        angular=max(rng.uniform(-0.7, 0.7), 0),
        tremor=rng.uniform(0.003, 0.012) if rng.random() < 0.2 else 0.0,
        overshoot=rng.uniform(0.04, 0.1) if hasty else rng.uniform(0, 0.04),
        hooks=0.15 if hasty else 0.04,
        retrace=0.03,
    )


def _one_of(rng: Generator, first: float, second: float) -> int:
    """Return 0 or 1 with the given probabilities, else 2."""
    chance = rng.random()
    return int(chance >= first) + int(chance >= first + second)


def some_pen(rng: Generator) -> Pen:
    """Return a pen: ballpoint, fibre tip or marker, or one with a broad or a pointed nib."""
    low, high = ((0.015, 0.07), (0.07, 0.14), (0.14, 0.2))[_one_of(rng, 0.35, 0.45)]
    width, kind = rng.uniform(low, high), rng.random()
    if kind < 0.12:
        broad = nib(ROUND, max(1.2 * width, 0.1), rng.uniform(0.3, 0.6), rng.uniform(20, 60))
        return Pen(broad, pressure=0.05, shading=0, taper=0)
    if kind < 0.24:
        pointed = nib(ROUND, max(1.2 * width, 0.07))
        return Pen(pointed, pressure=0.1, shading=rng.uniform(0.3, 0.65), taper=rng.uniform(0, 0.4))
    return Pen(nib(ROUND, width), pressure=rng.uniform(0, 0.2), shading=0, taper=max(rng.uniform(-0.6, 0.6), 0))


def written(form: Form, hand: Hand, rng: Generator) -> list[Floats]:
    """Return the points (n, 2) of each stroke of the pen, in heights of the digit, y downwards."""
    made = curves(form)
    points = _moved(made, hand, rng)
    samples = (1 - hand.angular) * (made.smooth @ points) + hand.angular * (made.straight @ points)
    if hand.tremor:
        samples += hand.tremor * _smooth_noise(len(samples), 2, 3, rng)
    samples = samples @ leaning(hand)
    return [line for part in made.strokes for line in _ended(samples[part], hand, rng)]


def _moved(made: Curves, hand: Hand, rng: Generator) -> Floats:
    """Return the points of a form where a hand puts them: near ones move together, so that the form stays."""
    away = made.points[:, None] - _BUMPS
    bumps = np.exp(-np.square(away).sum(axis=2) / (2 * _REACH**2))
    points: Floats = made.points + bumps @ rng.normal(0, hand.warp, (len(_BUMPS), 2)) / np.sqrt(2)
    height = np.clip(made.points[:, 1], 0, 1)
    points[:, 1] += 4 * hand.balance * height * (1 - height)
    points += rng.normal(0, hand.shake, points.shape)
    end, beside = made.ends.T
    out = points[end] - points[beside]
    length = np.hypot(*out.T)[:, None]
    reach = np.clip(rng.normal(0, hand.overshoot, length.shape), -0.4 * length, 0.15)
    points[end] += out / np.maximum(length, 1e-6) * reach
    return points


def leaning(hand: Hand) -> Floats:
    """Return the matrix that points (n, 2) are multiplied by: width, then slant, then rotation."""
    cos, sin = np.cos(np.deg2rad(hand.rotation)), np.sin(np.deg2rad(hand.rotation))
    matrix: Floats = np.array([(hand.width, 0), (-hand.slant, 1)]) @ np.array([(cos, -sin), (sin, cos)])
    return matrix


def _ended(points: Floats, hand: Hand, rng: Generator) -> list[Floats]:
    """Return a stroke, perhaps with hooks, and perhaps drawn again."""
    if rng.random() < hand.hooks:
        points = np.concatenate([_hook(points[0], points[0] - points[2], rng)[::-1], points])
    if rng.random() < hand.hooks:
        points = np.concatenate([points, _hook(points[-1], points[-1] - points[-3], rng)])
    if rng.random() < hand.retrace:
        return [points, points + rng.normal(0, 0.02, 2)]
    return [points]


def _hook(end: Floats, outwards: Floats, rng: Generator) -> Floats:
    """Return the points (3, 2) of a short bow that turns back at the end of a stroke."""
    angle = (1 if rng.random() < 0.5 else -1) * np.linspace(0.6, 1, 3) * rng.uniform(0.5, 0.9) * np.pi
    ahead = outwards / max(float(np.hypot(*outwards)), 1e-6)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = cos * ahead + sin * np.array([-ahead[1], ahead[0]])
    return end + np.cumsum(turned, axis=0) * rng.uniform(0.01, 0.03)


def pressed(points: Floats, pen: Pen, rng: Generator) -> Line:
    """Return the line of a pen along the points (n, 2) of a stroke."""
    n = len(points)
    widths = 1 + pen.pressure * _smooth_noise(n, 1, 8, rng)[:, 0]
    if pen.shading:
        ahead = np.gradient(points, axis=0)
        down = np.clip(ahead[:, 1] / np.maximum(np.hypot(*ahead.T), 1e-6), 0, 1)
        widths *= 1 - pen.shading * (1 - down)
    if pen.taper:
        widths *= 1 - pen.taper * np.clip(1 - np.minimum(np.arange(n), np.arange(n)[::-1]) / 6, 0, 1)
    return Line(points, np.clip(widths, 0.25, 1.5))


def _smooth_noise(n: int, columns: int, spacing: int, rng: Generator) -> Floats:
    """Return noise (n, columns) of about the deviation 1 that is linear between values `spacing` rows apart."""
    knots = rng.normal(size=(n // spacing + 2, columns))
    place, part = np.divmod(np.arange(n) / spacing, 1)
    at = place.astype(np.intp)
    noise: Floats = knots[at] * (1 - part[:, None]) + knots[at + 1] * part[:, None]
    return noise
