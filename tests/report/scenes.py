"""Pictures for the page's pipeline: what its paper shows, lines of a round pen with soft edges, and worse."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bpcli.data.picture.scale import Grey

SIDE = 140
FINER = 4


def on_paper(seed: int) -> Grey:
    """Some lines (200, 200), black on white: inside the paper, beyond its border, in a corner, or all over it."""
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (SIDE * FINER, SIDE * FINER), 255)
    low, high = ((0.1, 0.9), (-0.1, 1.1), (0.02, 0.3), (0.4, 0.6))[seed % 4]
    width = int(rng.integers(6, 33)) * FINER
    for _ in range(rng.integers(1, 9 if seed % 7 == 0 else 4)):
        _line(ImageDraw.Draw(picture), rng.uniform(low, high, (rng.integers(1, 7), 2)) * SIDE * FINER, width)
    return _grey(np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)))


def _line(draw: ImageDraw.ImageDraw, points: NDArray[np.float64], width: int) -> None:
    draw.line([(x, y) for x, y in points], 0, width)
    for x, y in points:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 0)


def photographed(seed: int) -> Grey:
    """A part of what `on_paper` draws, under a lamp, faint or bold, dark on light or light on dark, with grain."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(30, SIDE + 1, 2)
    ink = 1 - on_paper(seed)[:height, :width]
    paper, pen = rng.uniform(0.6, 1), rng.uniform(0.1, 0.4)
    if seed % 3 == 0:
        paper, pen = pen, paper
    slope = np.add.outer(np.linspace(0, rng.uniform(0, 0.4), height), np.linspace(0, rng.uniform(0, 0.4), width))
    light = (paper + (pen - paper) * ink) * (1 - slope) + rng.normal(0, rng.uniform(0, 0.03), (height, width))
    return _grey(np.rint(255 * np.clip(light, 0, 1)))


def shaded(seed: int) -> Grey:
    """Paper without ink under a lamp whose light falls off beside a soft shadow, with grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    edge = np.clip((x - rng.uniform(0.6, 0.9) + rng.uniform(-0.3, 0.3) * y) / rng.uniform(0.05, 0.2), 0, 1)
    light = (0.9 - 0.1 * y * y) * (1 - rng.uniform(0.14, 0.22) * edge) + rng.normal(0, 0.004, (SIDE, SIDE))
    return _grey(np.rint(255 * np.clip(light, 0, 1)))


def _grey(levels: NDArray[np.uint8] | NDArray[np.float64]) -> Grey:
    return np.asarray(levels, np.float32) / np.float32(255)
