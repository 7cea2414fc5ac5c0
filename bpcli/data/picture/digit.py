"""From a digit's ink to MNIST's 28×28: its longest side 20, its strokes MNIST's weight, centred by mass.

For images of another side all of it is scaled: see `Layout`. MNIST's own recipe stands at
http://yann.lecun.com/exdb/mnist: "size normalized to fit in a 20x20 pixel box while preserving their aspect ratio",
then "centered in a 28x28 image by computing the center of mass of the pixels".
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.scale import Grey, resize

Bytes = NDArray[np.uint8]

SIDE = 28  # of MNIST's images,
BOX = 20  # and the longest side of a digit in them
FINE = 4  # strokes are weighed, and thickened or thinned, on a grid so many times finer than the box
THINNEST, THICKEST = 1.7, 4.0  # widths of strokes, in pixels of MNIST's box: MNIST's 5th and 95th percentiles


class Layout(NamedTuple):
    """How a digit lies in an image of some side: as in MNIST's, in proportion. All are pixels of the image.

    Attributes:
        side: of the image.
        box: the digit's longest side.
        thinnest: the width of strokes below which they are thickened.
        thickest: that above which they are thinned.
    """

    side: int
    box: int
    thinnest: float
    thickest: float

    @property
    def scale(self) -> float:
        """How many times larger the digit is than MNIST's."""
        return self.box / BOX


@cache
def layout(side: int) -> Layout:
    """The layout of images of a side."""
    box = round(BOX / SIDE * side)
    return Layout(side, box, THINNEST * (box / BOX), THICKEST * (box / BOX))


def crop(ink: Grey) -> Grey:
    """The smallest part of the picture (h, w) that holds all pixels with at least a quarter of the most ink."""
    mask = ink >= 0.25 * ink.max()
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Grey, longest: int) -> Grey:
    """The picture with its longest side made `longest` pixels: smaller by area, larger by cubic curves."""
    height, width = ink.shape
    factor = longest / max(height, width)
    filter_ = Image.Resampling.BOX if factor <= 1 else Image.Resampling.BICUBIC
    return np.clip(resize(ink, max(1, round(width * factor)), max(1, round(height * factor)), filter_), 0, 1)


def stroke_width(ink: Grey) -> float:
    """The mean width of the strokes in pixels: twice their area over the length of their outline.

    The outline is π/4 times the number of steps across it along rows and columns (Crofton's formula).
    """
    mask = np.pad(ink > 0.5, 1)
    steps = int(np.sum(mask[1:] != mask[:-1])) + int(np.sum(mask[:, 1:] != mask[:, :-1]))
    return 2 * int(np.sum(mask)) / (np.pi / 4 * max(steps, 1))


def weigh(ink: Grey, own: Layout) -> Grey:
    """A digit on the fine grid, its strokes brought to MNIST's weight if they are too thin or too thick."""
    width = stroke_width(ink) / FINE
    if width < own.thinnest:
        return thicken(ink, round((own.thinnest - width) * FINE / 2 + 0.5))
    if width > own.thickest:
        return thin(ink, round((width - own.thickest) * FINE / 2 + 0.5))
    return ink


def thicken(ink: Grey, steps: int) -> Grey:
    """Strokes wider by `steps` pixels on either side: the largest value within an octagon."""
    ink = np.pad(ink, steps)
    for step in range(steps):
        padded = np.pad(ink, 1)
        tall = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
        sides = padded[1:-1] if step % 2 else tall
        ink = np.maximum(np.maximum(tall[:, 1:-1], sides[:, :-2]), sides[:, 2:])
    return ink


def thin(ink: Grey, steps: int) -> Grey:
    """Strokes thinner by `steps` pixels on either side: the ground thickened."""
    return 1 - thicken(1 - np.pad(ink, steps + 1), steps)[2 * steps : -2 * steps, 2 * steps : -2 * steps]


def centred(ink: Grey, side: int) -> Bytes:
    """A digit put into side×side bytes, its centre of mass moved to the middle by whole pixels."""
    height, width = ink.shape
    mass = ink.sum()
    y = float(ink.sum(axis=1) @ np.arange(height)) / mass
    x = float(ink.sum(axis=0) @ np.arange(width)) / mass
    top = min(max(round(side / 2 - y), 0), side - height)
    left = min(max(round(side / 2 - x), 0), side - width)
    canvas = np.zeros((side, side), np.uint8)
    canvas[top : top + height, left : left + width] = np.rint(255 * ink)
    return canvas


def is_normalised(pixels: Bytes, own: Layout) -> bool:
    """Whether a picture is already as MNIST would have it.

    In all 70,000 digits of MNIST the ink's longest side is 19 or 20 pixels, its centre of mass within 0.52 of
    (14, 14), and its peak at least 254. For another side all of it is in proportion, but a digit can be centred only
    by whole pixels.
    """
    if pixels.shape != (own.side, own.side) or pixels.max() < 250 * min(own.scale, 1):
        return False
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    mass = pixels.sum(dtype=np.int64)
    centre = np.array([pixels.sum(axis=axis) @ np.arange(own.side) for axis in (0, 1)]) / mass
    away = abs(centre - own.side / 2)
    return bool(0.95 * own.box <= longest <= own.box and np.all(away <= 0.55 * max(own.scale, 1)))
