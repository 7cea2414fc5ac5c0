"""The corner marks and the code of a form's page in a photograph.

A mark is a black piece in the middle of a black ring, as in the finder patterns of QR codes (ISO/IEC 18004): their
sizes are in the ratio 3 to 7 however the page is turned. Which corner is which, only the code can tell.
"""

from collections.abc import Iterator
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bpcli.data.form.code import Bits, Code, decode
from bpcli.data.form.layout import BIT, CODE_COLUMNS, CODE_ROWS, PAPERS, Page, Points
from bpcli.data.form.plane import Matrix, flattened, homography
from bpcli.data.picture.pieces import Pieces, find_pieces

AROUND = 1 / 20  # radius of the neighbourhood with whose mean light a pixel is compared, as a share of the longest side
BLACK = 0.75  # share of this mean below which it is black
SMALLEST, WIDEST = 14, 1 / 8  # of a mark: pixels, and its share of the longest side
RATIO = (0.3, 0.6)  # of the piece in the middle to the ring
APART = 0.12  # maximum distance of their middles, as a share of the ring's size
ASPECT = 1.9  # longest side of either by its shortest
FILLS = (0.35, 0.2)  # minimum share of its box that the middle fills, and the ring; half as much as if it is upright
MOST = 12  # marks; with more, the picture is of something else
ALIKE = 2.5  # the largest of a page's marks by its smallest: perspective
STRETCH = (7.0, 32.0)  # the sides of the quadrangle of marks, in marks
SHARPEST = 0.3  # sine of the smallest angle between two of them
SAMPLES = 8  # pixels a side for a square of the code
SHIFTS = (0.0, -0.8, 0.8, -1.6, 1.6)  # millimetres by which a bent page may move its code up or down
NEARBY = 8  # squares of the code on either side among which the lightest and the darkest are looked for


class Sighting(NamedTuple):
    """A page in a photograph: what its code says, and the homography from millimetres on the paper to pixels."""

    code: Code
    matrix: Matrix


class Marks(NamedTuple):
    """Marks in a picture: their middles (n, 2) in pixels, and the sizes (n,) of their boxes."""

    middles: Points
    sizes: NDArray[np.float64]


def find_pages(picture: Image.Image, marks: Marks) -> list[Sighting]:
    """Return the pages that a grey picture shows, given its marks."""
    sightings = (_sighted(picture, corners) for corners in _quadrangles(marks))
    return [sighting for sighting in sightings if sighting is not None]


def find_marks(picture: Image.Image) -> Marks:
    """Return the marks in a grey picture."""
    mean = np.asarray(picture.filter(ImageFilter.BoxBlur(max(picture.size) * AROUND)), np.float32)
    pieces = find_pieces(np.asarray(picture, np.float32) < BLACK * mean)
    spans = pieces.boxes[:, 2:] - pieces.boxes[:, :2]
    sizes = np.asarray(np.sqrt(spans.prod(axis=1)), np.float64)
    square = spans.max(axis=1, initial=0) <= ASPECT * spans.min(axis=1, initial=max(picture.size))
    fill = pieces.areas / spans.prod(axis=1)
    rings = np.flatnonzero(square & (fill >= FILLS[1]) & (sizes >= SMALLEST) & (sizes <= WIDEST * max(picture.size)))
    inner = _inside(pieces, rings)
    middles = (pieces.boxes[:, :2] + pieces.boxes[:, 2:]) / 2
    apart = np.linalg.norm(middles[rings] - middles[inner], axis=1) / sizes[rings]
    ratio = sizes[inner] / sizes[rings]
    fitting = (apart <= APART) & (ratio >= RATIO[0]) & (ratio <= RATIO[1]) & square[inner] & (fill[inner] >= FILLS[0])
    return Marks(_centroids(pieces, inner[fitting]), sizes[rings[fitting]])


def _inside(pieces: Pieces, rings: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the piece in the middle of each ring (n,); the ring itself where there is none."""
    x, y = (pieces.boxes[rings, :2] + pieces.boxes[rings, 2:]).T // 2
    there = pieces.labels[y, x].astype(np.intp) - 1
    return np.where(there >= 0, there, rings)


def _centroids(pieces: Pieces, chosen: NDArray[np.intp]) -> Points:
    """Return the middles of the pixels of some pieces (n, 2)."""
    found = []
    for number in chosen:
        left, top, right, bottom = pieces.boxes[number]
        y, x = np.nonzero(pieces.labels[top:bottom, left:right] == number + 1)
        found.append((left + x.mean() + 0.5, top + y.mean() + 0.5))
    return np.array(found, np.float64).reshape(-1, 2)


def _quadrangles(marks: Marks) -> Iterator[Points]:
    """Yield the middles (4, 2), clockwise, of marks that may be those of one page."""
    count = len(marks.sizes)
    for four in combinations(range(count), 4) if count <= MOST else ():
        sizes, middles = marks.sizes[list(four)], marks.middles[list(four)]
        around = middles - middles.mean(axis=0)
        corners = middles[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
        sides = np.roll(corners, -1, axis=0) - corners
        lengths = np.linalg.norm(sides, axis=1) / sizes.mean()
        fitting = lengths.min() >= STRETCH[0] and lengths.max() <= STRETCH[1]
        if fitting and sizes.max() <= ALIKE * sizes.min() and _is_convex(sides):
            yield corners


def _is_convex(sides: Points) -> bool:
    """Return whether each side (4, 2) of a quadrangle turns to the right of the one before, and not just a little."""
    following, lengths = np.roll(sides, -1, axis=0), np.linalg.norm(sides, axis=1)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    return bool((turns > SHARPEST * lengths * np.roll(lengths, -1)).all())


def _sighted(picture: Image.Image, corners: Points) -> Sighting | None:
    """Return the page whose marks have these middles (4, 2), clockwise; None if no code lies where it must."""
    for paper, turn in product(PAPERS, range(4)):
        page = Page((), 1, paper, 1)
        matrix = homography(page.marks(), np.roll(corners, turn, axis=0))
        code = _code(picture, matrix, page)
        if code is not None and code.paper in ("", paper):
            return Sighting(code, matrix)
    return None


def _code(picture: Image.Image, matrix: Matrix, page: Page) -> Code | None:
    """Return what the code of a page says, if it is there."""
    left, top = page.code()
    for shift in SHIFTS:
        box = left, top + shift, left + CODE_COLUMNS * BIT, top + shift + CODE_ROWS * BIT
        strip = flattened(picture, matrix, box, SAMPLES / BIT)
        code = decode(_bits(np.asarray(strip, np.float32)))
        if code is not None:
            return code
    return None


def _bits(strip: NDArray[np.float32]) -> Bits:
    """Return which squares of a code's picture are black: nearer to the darkest square nearby than to the lightest."""
    squares = strip.reshape(CODE_ROWS, SAMPLES, CODE_COLUMNS, SAMPLES)
    light = squares[:, 2:-2, :, 2:-2].mean(axis=(1, 3))
    windows = sliding_window_view(np.pad(light, ((0, 0), (NEARBY, NEARBY)), mode="reflect"), 2 * NEARBY + 1, axis=1)
    middle = (windows.max(axis=(0, 2)) + windows.min(axis=(0, 2))) / 2
    black: Bits = light < middle
    return black
