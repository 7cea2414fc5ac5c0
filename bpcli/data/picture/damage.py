"""Repairs of damaged pictures that are as small as the network's square: there a speck is as wide as a stroke.

Other pictures have enough pixels for the models of paper and ink. Here ink is (h, w), from 0 on black or white paper
to 1.
"""

import numpy as np

from bpcli.data.picture.background import FLAT
from bpcli.data.picture.digit import Layout, is_normalised
from bpcli.data.picture.outline import INKED, filled
from bpcli.data.picture.pieces import Ints, Mask, find_pieces, most_pieces
from bpcli.data.picture.scale import Grey, bounds, framed, grow, share

CRISP = 250 / 255  # minimum light of the brightest ink; a blurred picture is not damaged in these ways
BARE = 0.5  # minimum share of the picture that is black or white paper
STEP = 0.6  # mean step of light across the edge of a stripe, at least
ENDS = 2  # pixels at either end of that edge, where the whole light changes
NOISY = 0.03  # there is impulse noise if this share of the pixels stands alone
ALONE = 0.4  # minimum difference of such a pixel from all but one of its neighbours
ALL_BUT_ONE = 7  # of eight neighbours
EXTREME = 0.4  # minimum difference of a black or white pixel from the median around it, to be noise
DOT, DOTS = 8, 2  # maximum area of a dot in MNIST's pixels, and minimum number of dots
OUTER = 4  # a line through the picture reaches this many of MNIST's pixels into either margin
LINE = 3  # maximum height of a line in MNIST's pixels
LINE_SHARE = 0.6  # share of the columns that it inks, at least
THIN_SHARE = 0.35  # share of a line that no stroke crosses, at least
SLOPE = 0.1  # ink that a line leaves out rather than step aside by one
CLOSE = 1.05  # ink is as large as MNIST's up to this share of its box
ASIDE = 1.5  # maximum distance of the centre of mass from the middle in MNIST's pixels
STEPS = np.array([0, -1, 1])
RADII = (5.2, 8.5)  # deviation of the mass from its centre in MNIST's pixels


def mended(grey: Grey, own: Layout) -> Grey:
    """Return a picture (h, w) of the network's side on black or white paper as light ink without damage.

    Any other picture, and one without damage, is returned as it is: the same object.
    """
    if grey.shape != (own.side, own.side):
        return grey
    light = _light_ink(grey)
    if is_normalised(np.rint(255 * light).astype(np.uint8), own):
        ink = filled(light, own)
        return grey if ink is light else ink
    return _repaired(grey, own)


def _light_ink(grey: Grey) -> Grey:
    """Return a picture as it is if it is of light ink on black paper, else inverted."""
    return grey if share(grey <= FLAT) >= BARE else 1 - grey


def _repaired(grey: Grey, own: Layout) -> Grey:
    """Return a picture without damage, after one look for each kind of damage; see `mended`."""
    whole = unstriped(unstriped(grey).T).T  # never `grey` itself, which stands for a picture that is not dirty
    light = _light_ink(whole)
    if share(light <= FLAT) < BARE or light.max() < CRISP:
        return grey
    dotless = undotted(despeckled(light), own)
    ink = unlined(dotless, own)
    ink = filled(ink if ink is dotless else undotted(ink, own), own)  # dots without a line are gone already
    repaired = not (np.array_equal(ink, light) and np.array_equal(whole, grey))
    return ink if repaired or _is_dirty(light, own) else grey


def _is_dirty(ink: Grey, own: Layout) -> bool:
    """Return whether faint dirt lies around ink that is as large as MNIST's."""
    return _length(ink > INKED) <= CLOSE * own.box < _length(ink > FLAT) / CLOSE


def _length(mask: Mask) -> int:
    """Return the longer side in pixels of the box around a mask that is not empty."""
    top, left, bottom, right = bounds(mask)
    return max(bottom - top, right - left) + 1


def is_laid_out(ink: Grey, own: Layout) -> bool:
    """Return whether light ink lies as MNIST's, but for what may be left of the damage.

    In MNIST the deviation of the ink's mass from its centre is 5.4 to 8.1 pixels (1st and 99th percentile).
    """
    ink = np.where(ink > INKED, ink, np.float32(0))
    mass = max(float(ink.sum()), 1e-6)
    places = np.indices(ink.shape)
    centre = np.array([float(np.vdot(place, ink)) for place in places]) / mass
    apart = sum(np.square(place - middle) for place, middle in zip(places, centre, strict=True))
    radius = np.sqrt(float(np.vdot(apart, ink)) / mass) / own.scale
    return bool(np.all(abs(centre - own.side / 2) <= ASIDE * own.scale) and RADII[0] <= radius <= RADII[1])


def unstriped(grey: Grey) -> Grey:
    """Return the picture with stripes of columns inverted back.

    At the edge of a stripe light and dark change sides, most of the way and at both ends, where no digit is.
    """
    darkest, lightest = grey.min(), grey.max()
    ends, most = np.concatenate([grey[:ENDS], grey[-ENDS:]]), max(lightest - darkest, CRISP)
    edges = (_steps(ends) / most).min(axis=0) >= CRISP
    if not edges.any():  # nearly always
        return grey
    edges &= (_steps(grey) / most).mean(axis=0) >= STEP
    turned = np.concatenate([[False], np.cumsum(edges) % 2 == 1])
    return np.where(turned, darkest + lightest - grey, grey) if edges.any() else grey


def _steps(grey: Grey) -> Grey:
    """Return the differences of light between neighbouring columns."""
    return abs(grey[:, 1:] - grey[:, :-1])


def despeckled(ink: Grey) -> Grey:
    """Return the ink without impulse noise: noisy pixels are replaced by the median around them, if there are many."""
    around = _around(ink)
    lower, higher = ((each > ALONE).sum(axis=0, dtype=np.uint8) for each in (ink - around, around - ink))
    if share((lower >= ALL_BUT_ONE) | (higher >= ALL_BUT_ONE)) < NOISY:
        return ink
    median = np.median(around, axis=0)
    noisy = ((ink <= FLAT) | (ink >= 1 - FLAT)) & (abs(ink - median) > EXTREME)
    return np.where(noisy, median, ink)


def _around(ink: Grey) -> Grey:
    """Return the pixels (9, h, w) around each pixel, and itself; zeros beyond the border."""
    height, width = ink.shape
    padded = framed(ink)
    return np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])


def undotted(ink: Grey, own: Layout) -> Grey:
    """Return the ink without dots, if there are several."""
    mask = ink > INKED
    if most_pieces(mask) <= DOTS:  # with something else, there must be more
        return ink
    pieces = find_pieces(mask)
    dots = pieces.areas <= DOT * own.scale**2
    if not DOTS <= np.count_nonzero(dots) < len(dots):
        return ink
    strokes = pieces.only(~dots)
    return np.where(grow(pieces.only(dots), 1) & ~strokes, np.float32(0), ink)


def unlined(ink: Grey, own: Layout) -> Grey:
    """Return the ink without a line that runs from the left margin to the right one.

    As staff lines are removed from sheets of music: where the ink on the line's path is no higher than a line, it is
    the line's, else that of a stroke that crosses it.
    """
    columns, outer = np.arange(ink.shape[1]), round(OUTER * own.scale)
    mask = ink > INKED
    if not _may_reach(np.asarray(mask.any(axis=0), np.bool_), outer):
        return ink
    path, heights = _brightest_path(ink, outer), _heights(mask)
    at_path = heights[path, columns]
    thin = (at_path > 0) & (at_path <= LINE * own.scale)
    reaches = _may_reach(at_path > 0, outer) and thin[:outer].any() and thin[-outer:].any()
    if not reaches or thin.sum() < THIN_SHARE * np.count_nonzero(at_path):
        return ink
    rows = np.arange(len(ink))[:, None]
    line = (abs(rows - path) <= 1) & (heights > 0) & (heights <= LINE * own.scale)
    soft = (abs(rows - path) <= 2) & (heights == 0)
    return np.where(line | soft, np.float32(0), ink)


def _may_reach(inked: Mask, outer: int) -> bool:
    """Return whether columns (w,) are inked in both margins, and most of them."""
    return bool(inked[:outer].any() and inked[-outer:].any() and share(inked) >= LINE_SHARE)


def _brightest_path(ink: Grey, outer: int) -> Ints:
    """Return the rows (w,) of the path from left to right with the most ink; ink in the margins counts twice."""
    worth = ink.astype(np.float64)
    worth[:, :outer] *= 2
    worth[:, -outer:] *= 2
    best, ways = worth[:, 0], []
    reached = np.full((3, len(best)), -np.inf)  # from the pixel beside, from that above it, and from that below
    for column in range(1, ink.shape[1]):
        reached[0], reached[1, 1:], reached[2, :-1] = best, best[:-1] - SLOPE, best[1:] - SLOPE
        ways.append(STEPS[reached.argmax(axis=0)])
        best = reached.max(axis=0) + worth[:, column]
    path = [int(np.argmax(best))]
    for steps in reversed(ways):
        path.append(path[-1] + int(steps[path[-1]]))
    return np.array(path[::-1])


def _heights(mask: Mask) -> Ints:
    """Return the height (h, w) of the run of pixels in its column that each pixel of a mask is in; 0 outside."""
    edges = np.diff(framed(mask)[:, 1:-1].T.astype(np.int8), axis=1)
    starts, ends = np.flatnonzero(edges.ravel() > 0), np.flatnonzero(edges.ravel() < 0)
    heights = np.zeros(mask.shape, np.int64).T
    heights[mask.T] = np.repeat(ends - starts, ends - starts)
    return heights.T
