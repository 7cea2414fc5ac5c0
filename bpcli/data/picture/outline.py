"""Outlined digits: the insides of their outlines are filled.

Only in pictures as small as the network's square, where a digit's own strokes are wider than a pixel.
"""

import numpy as np
from numpy.typing import NDArray

from bpcli.data.picture.digit import Layout, stroke_width
from bpcli.data.picture.pieces import Mask, find_pieces
from bpcli.data.picture.scale import Grey, grow

INKED = 0.3  # ink is at least this dark
HAIR = 1.5  # maximum stroke width of an outline in MNIST's pixels
GAP = 3  # maximum gap in an outline in MNIST's pixels
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))  # the neighbours (y, x) in turn
OUTLINED = 0.9  # share of an outlined digit's ink that lies along its inside, at least
WHOLE = 0.75  # share of that inside that is in one piece, at least
WIDEST = 6.0  # maximum stroke width of a filled digit in MNIST's pixels; more is the inside of a 0


def filled(ink: Grey, own: Layout) -> Grey:
    """Return an outlined digit filled by the even–odd rule; any other ink as it is.

    A digit is outlined if its ink lies along an inside of one piece that is no wider than a stroke.
    """
    if stroke_width(ink) > HAIR * own.scale:
        return ink
    lines = _bridged(ink > INKED, round(GAP * own.scale))
    if not (inside := _inside(lines)).any():
        return ink
    along = np.count_nonzero(grow(inside, 1) & lines) / np.count_nonzero(lines)
    whole = find_pieces(inside).areas.max() / np.count_nonzero(inside)
    solid = np.where(inside | lines, np.float32(1), ink)
    narrow = stroke_width(solid) <= WIDEST * own.scale
    return solid if along >= OUTLINED and whole >= WHOLE and narrow else ink


def _bridged(lines: Mask, gap: int) -> Mask:
    """Return lines (h, w) with their loose ends joined to each other over gaps of some pixels."""
    ends = np.argwhere(_ends(lines))
    apart = abs(ends[:, None] - ends).max(axis=2)
    one, other = np.nonzero(apart <= gap)
    ways = np.linspace(ends[one], ends[other], gap + 2).round().astype(np.int64)
    bridged = lines.copy()
    bridged[ways[..., 0], ways[..., 1]] = True
    return bridged


def _ends(lines: Mask) -> Mask:
    """Return the loose ends of lines: the pixels around whose ring ink begins once."""
    around = np.pad(lines, 1)
    ring = np.stack([around[1 + y : len(around) - 1 + y, 1 + x : around.shape[1] - 1 + x] for y, x in RING])
    begins = ring & ~np.roll(ring, 1, axis=0)
    return np.asarray(lines & (begins.sum(axis=0) == 1), np.bool_)


def _inside(lines: Mask) -> Mask:
    """Return the parts of the paper (h, w) from which an odd number of lines must be crossed to get out."""
    paper, drawn = _parts_of(~np.pad(lines, 1)), find_pieces(np.pad(lines, 1)).labels
    pairs = _neighbours(drawn, paper)
    inside = np.zeros(int(paper.max()) + 1, np.bool_)
    seen, reached, odd = inside.copy(), np.array([paper[0, 0]]), False
    while len(reached):
        seen[reached], inside[reached] = True, odd
        crossed = pairs[np.isin(pairs[:, 1], reached), 0]
        reached = np.array([part for part in np.unique(pairs[np.isin(pairs[:, 0], crossed), 1]) if not seen[part]])
        odd = not odd
    return np.asarray(inside[paper], np.bool_)[1:-1, 1:-1]


def _parts_of(paper: Mask) -> NDArray[np.int32]:
    """Return the labels of the 4-connected parts of a mask: lines that touch at corners part them."""
    height, width = paper.shape
    fine = np.zeros((2 * height - 1, 2 * width - 1), np.bool_)
    fine[::2, ::2] = paper
    fine[1::2, ::2] = paper[1:] & paper[:-1]
    fine[::2, 1::2] = paper[:, 1:] & paper[:, :-1]
    return find_pieces(fine).labels[::2, ::2]


def _neighbours(drawn: NDArray[np.int32], paper: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the different pairs (n, 2) of the labels of a line and of a part of the paper beside it."""
    both = np.stack([drawn, paper], axis=-1)
    down, across = (both[1:], both[:-1]), (both[:, 1:], both[:, :-1])
    sides = [(one[..., 0], other[..., 1]) for pair in (down, across) for one, other in (pair, pair[::-1])]
    pairs = np.concatenate([np.stack([line.ravel(), part.ravel()], axis=1) for line, part in sides])
    return np.unique(pairs[(pairs > 0).all(axis=1)], axis=0)
