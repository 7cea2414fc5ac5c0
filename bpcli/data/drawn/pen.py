"""A pen of any shape along strokes: ink on a canvas, and the canvas made into an image as `predict` makes it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from bpcli.data.drawn.forms import Floats
from bpcli.data.picture.digit import BOX, FINE, Bytes, as_mnist, layout
from bpcli.data.picture.scale import Grey

CANVAS = 2 * BOX * FINE  # longest side of a digit in pixels where it is drawn; Pillow draws without antialiasing
_ROUND = np.linspace(0, 2 * np.pi, 14, endpoint=False)
# Outlines (v, 2) of nibs of width 1: convex and symmetric about the middle, in the order of their angles
ROUND = np.stack([np.cos(_ROUND), np.sin(_ROUND)], axis=1) / 2
SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2


class Line(NamedTuple):
    """The path of the pen between touching the paper and leaving it.

    Attributes:
        points: (n, 2), x and y, y downwards, in any unit.
        widths: (n,), of the pen, relative to its nib.
    """

    points: Floats
    widths: Floats


def nib(outline: Floats, width: float, flatness: float = 1.0, angle: float = 0.0) -> Floats:
    """Return the outline (v, 2) of a nib, in longest sides of a digit.

    Args:
        outline: ROUND or SQUARE.
        width: the longest diameter, as a share of the digit's longest side.
        flatness: the shortest diameter, as a share of the longest.
        angle: in degrees, of the longest diameter from the line of writing upwards.
    """
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    flat: Floats = outline * (width, width * flatness) @ np.array([[cos, -sin], [sin, cos]])
    return flat


def inked(lines: Sequence[Line], nib: Floats) -> Grey:
    """Return the ink (h, w), 0 to 1, of a nib (v, 2) along lines; the digit's longest side is about CANVAS pixels."""
    points = np.concatenate([line.points for line in lines])
    low, high = points.min(axis=0), points.max(axis=0)
    nib = nib * CANVAS
    room = np.abs(nib).max() * max(line.widths.max() for line in lines) + 1
    scale = max(CANVAS - 2 * room, CANVAS / 4) / max(*(high - low), 1e-6)
    width, height = (int(side) for side in np.ceil((high - low) * scale + 2 * room))
    canvas = Image.new("L", (width, height))
    pen = ImageDraw.Draw(canvas)
    for line in lines:
        for polygon in _polygons((line.points - low) * scale + room, line.widths, nib):
            pen.polygon(polygon, fill=255)
    return np.asarray(canvas, np.float32) / np.float32(255)


def _polygons(points: Floats, widths: Floats, nib: Floats) -> list[list[float]]:
    """Return what a nib (v, 2) covers between each two points, as polygons x, y, x, y, ...

    The half of the nib that looks backwards lies at the first point, the other half at the second.
    """
    ahead = np.diff(points, axis=0)
    first = (ahead[:, :1] * nib[:, 1] - ahead[:, 1:] * nib[:, 0]).argmax(axis=1)  # widest across the line
    half = np.arange(len(nib) // 2 + 1)
    backward, forward = (nib[(first[:, None] + half + start) % len(nib)] for start in (0, len(nib) // 2))
    begin = points[:-1, None] + widths[:-1, None, None] * backward
    end = points[1:, None] + widths[1:, None, None] * forward
    polygons: list[list[float]] = np.concatenate([begin, end], axis=1).reshape(len(ahead), -1).tolist()
    return polygons


def image_of(ink: Grey, side: int) -> Bytes:
    """Return ink (h, w), 0 to 1, as the image (side²,) that `predict` makes of a picture of it."""
    return as_mnist(ink, layout(side))[1].ravel()
