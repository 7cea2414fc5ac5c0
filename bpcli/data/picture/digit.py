"""Conversion of a digit's ink to MNIST's 28×28: longest side 20, strokes as wide as MNIST's, centred by mass.

For images of another side all lengths are scaled: see `Layout`. MNIST's own recipe is at
http://yann.lecun.com/exdb/mnist: "size normalized to fit in a 20x20 pixel box while preserving their aspect ratio",
then "centered in a 28x28 image by computing the center of mass of the pixels".
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.scale import Grey, bounds, framed, resize

Bytes = NDArray[np.uint8]

SIDE = 28  # side of MNIST's images
BOX = 20  # longest side of a digit in them
FINE = 4  # stroke widths are measured and changed on a grid this many times finer than the box
THINNEST, THICKEST = 1.7, 4.0  # stroke widths in pixels of MNIST's box: MNIST's 5th and 95th percentiles


class Layout(NamedTuple):
    """The layout of a digit in an image of some side, in proportion to MNIST's. All lengths are in pixels.

    Attributes:
        side: the side of the image.
        box: the digit's longest side.
        thinnest: strokes that are thinner are thickened to this width.
        thickest: strokes that are thicker are thinned to this width.
    """

    side: int
    box: int
    thinnest: float
    thickest: float

    @property
    def scale(self) -> float:
        """The size of the digit relative to MNIST's."""
        return self.box / BOX


@cache
def layout(side: int) -> Layout:
    """Return the layout of images of a side."""
    box = round(BOX / SIDE * side)
    return Layout(side, box, THINNEST * (box / BOX), THICKEST * (box / BOX))


def crop(ink: Grey) -> Grey:
    """Return the smallest part of the picture (h, w) with all pixels of at least a quarter of the maximum ink."""
    top, left, bottom, right = bounds(ink >= 0.25 * ink.max())
    return ink[top : bottom + 1, left : right + 1]


def fit(ink: Grey, longest: int) -> Grey:
    """Return the picture resized to a longest side of `longest` pixels: shrunk by area or enlarged bicubically."""
    height, width = ink.shape
    factor = longest / max(height, width)
    filter_ = Image.Resampling.BOX if factor <= 1 else Image.Resampling.BICUBIC
    return np.clip(resize(ink, max(1, round(width * factor)), max(1, round(height * factor)), filter_), 0, 1)


def stroke_width(ink: Grey) -> float:
    """Return the mean stroke width in pixels: twice the strokes' area over the length of their outline.

    The length is π/4 times the number of crossings of the outline along rows and columns (Crofton's formula).
    """
    mask = framed(ink > 0.5)
    down, across = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    steps = int(np.count_nonzero(down)) + int(np.count_nonzero(across))
    return 2 * int(np.count_nonzero(mask)) / (np.pi / 4 * max(steps, 1))


def weigh(ink: Grey, own: Layout) -> Grey:
    """Return a digit on the fine grid with strokes as wide as MNIST's: thickened if too thin, thinned if too thick."""
    width = stroke_width(ink) / FINE
    if width < own.thinnest:
        return thicken(ink, round((own.thinnest - width) * FINE / 2 + 0.5))
    if width > own.thickest:
        return thin(ink, round((width - own.thickest) * FINE / 2 + 0.5))
    return ink


def thicken(ink: Grey, steps: int) -> Grey:
    """Return strokes wider by `steps` pixels on either side: a maximum filter over an octagon."""
    ink = framed(ink, steps)
    for step in range(steps):
        padded = framed(ink)
        tall = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
        sides = padded[1:-1] if step % 2 else tall
        ink = np.maximum(np.maximum(tall[:, 1:-1], sides[:, :-2]), sides[:, 2:])
    return ink


def thin(ink: Grey, steps: int) -> Grey:
    """Return strokes thinner by `steps` pixels on either side: the background thickened."""
    return 1 - thicken(1 - framed(ink, steps + 1), steps)[2 * steps : -2 * steps, 2 * steps : -2 * steps]


def centred(ink: Grey, side: int) -> Bytes:
    """Return a digit in side×side bytes, its centre of mass moved to the middle by whole pixels."""
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
    """Return whether a picture is already in MNIST's format.

    In all 70,000 digits of MNIST the ink's longest side is 19 or 20 pixels, its centre of mass is within 0.52 of
    (14, 14), and its maximum is at least 254. Another side scales these limits. Only the centre's limit never
    shrinks, because a digit is centred by whole pixels.
    """
    if pixels.shape != (own.side, own.side) or pixels.max() < 250 * min(own.scale, 1):
        return False
    top, left, bottom, right = bounds(pixels > 0)
    if not 0.95 * own.box <= max(bottom - top, right - left) + 1 <= own.box:
        return False
    sums = (pixels.sum(axis=axis, dtype=np.int64) for axis in (0, 1))
    away = (abs(float(each @ np.arange(own.side) / each.sum()) - own.side / 2) for each in sums)
    return all(each <= 0.55 * max(own.scale, 1) for each in away)


def as_mnist(cover: Grey, own: Layout) -> tuple[Grey, Bytes]:
    """Return a digit whose ink covers a share (h, w) of each pixel as MNIST would have it.

    Returns:
        Its strokes (h, w), at the size at which they are weighed; and its image (side, side).
    """
    strokes = weigh(fit(crop(cover), own.box * FINE), own)
    return strokes, centred(fit(crop(strokes), own.box), own.side)
