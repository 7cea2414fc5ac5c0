"""The ink of a picture: how much of it covers each pixel, and the marks that it makes."""

from dataclasses import dataclass

import numpy as np

from bpcli.data.picture.background import Ink, darkness, is_flat, is_light, paper_around, paper_between, paper_trend
from bpcli.data.picture.pieces import Mask, Pieces, crossing, find_pieces, on_border
from bpcli.data.picture.scale import Grey, grow, shrink, smooth

GLANCE = 128  # pixels a side that suffice to tell light ink from dark, and few enough to average noise away
CORE = 30  # so many of the darkest pixels are ink: enough to outvote specks, fewer than any digit has;
CORE_SHARE = 0.1  # in tiny pictures this share of the pixels
SOLID = 60  # solid ink is this percentile of the darkness of what is at least half as dark as the core
EDGE = 0.45  # a mark begins where the darkness is this share of solid ink's;
FAINT_EDGE = 0.25  # here, where the paper is clean;
FIRM_EDGES = (0.6, 0.75)  # or here, where lines of the paper are in the way
ROUGH_EDGES = (0.45, 0.25)  # what is left out of the first and of the second estimate of the paper
WIDE_STROKE = 0.25  # where shadows are suspected, no stroke is wider than this share of the picture
PEN_ROOM = 2  # pixels around a mark that the ink's soft edge may reach
CRISPER = 1.35  # what would be marks if a shadow were ink is so many times less crisp
FLAT_WORTH = 0.9  # marks on flat paper are believed if they are at least so crisp, compared to others
LINED_FROM = 40  # pictures with fewer pixels a side have no lines on their paper
SMOOTHED_FROM = 100  # pictures with fewer pixels a side have strokes too thin to be smoothed


@dataclass(frozen=True, slots=True)
class InkMap:
    """Ink on a picture (h, w).

    `darkness` is the share of the paper's light that is missing at each pixel, `solid` that of solid ink, `grain` the
    deviation of the paper's noise, `contrast` by how many deviations of the smoothed noise solid ink stands out;
    `light` tells whether the picture was inverted first. `pieces` are the connected marks.
    """

    darkness: Grey
    solid: float
    grain: float
    contrast: float
    light: bool
    pieces: Pieces


def find_ink(grey: Grey, ink: Ink = "auto") -> InkMap:
    """The ink on a picture (h, w), with the paper divided out.

    Marks that touch the border may be shadows: then the paper is estimated a second time as what no stroke is
    wide enough to hide, and the crisper marks are taken. Where much of the paper is of one brightness, all of it is,
    unless that makes marks that touch the border and are less crisp.

    Args:
        grey: the picture, from 0 (black) to 1 (white).
        ink: whether the ink is darker or lighter than the paper; auto decides.
    """
    light = is_light(shrink(grey, GLANCE)) if ink == "auto" else ink == "light"
    dark_on_light = 1 - grey if light else grey
    flat = _ink_on(dark_on_light, np.full_like(grey, dark_on_light.max()), light) if is_flat(dark_on_light) else None
    if flat and not on_border(flat.pieces).any():
        return flat
    uneven = _ink_on_uneven(dark_on_light, light)
    return flat if flat and crispness(flat) >= FLAT_WORTH * crispness(uneven) else uneven


def _ink_on_uneven(grey: Grey, light: bool) -> InkMap:
    """The dark ink on a picture whose paper has a trend, or else shadows."""
    found = _ink_on_rough(grey, paper_trend(grey), light)
    if not on_border(found.pieces).any():
        return found
    other = _ink_on_rough(grey, paper_between(grey, WIDE_STROKE), light)
    return other if crispness(other) > CRISPER * crispness(found) else found


def _ink_on_rough(grey: Grey, paper: Grey, light: bool) -> InkMap:
    """The dark ink on a picture, from a first estimate of its paper."""
    estimate = paper
    for edge in ROUGH_EDGES:
        steady = steadied(darkness(grey, estimate))
        rough = grow(steady > edge * solid_darkness(steady), PEN_ROOM)
        estimate = paper_around(grey, paper, rough)
    return _ink_on(grey, estimate, light)


def _ink_on(grey: Grey, paper: Grey, light: bool) -> InkMap:
    """The dark ink on a picture, given its paper."""
    dark = darkness(grey, paper)
    steady = steadied(dark)
    solid = solid_darkness(steady)
    bare = ~grow(steady > EDGE * solid, PEN_ROOM)
    contrast = solid / max(grain(steady[bare]), 1e-6)
    return InkMap(dark, solid, grain(dark[bare]), contrast, light, find_marks(steady, solid, steady[bare]))


def steadied(dark: Grey) -> Grey:
    """The darkness, smoothed where there are pixels enough for it."""
    return smooth(dark) if min(dark.shape) >= SMOOTHED_FROM else dark


def solid_darkness(dark: Grey) -> float:
    """The darkness of solid ink: a percentile of what is half as dark as the core or more; 0 if none is."""
    rank = min(CORE, int(CORE_SHARE * dark.size) + 1)
    core = float(np.partition(dark, -rank, axis=None)[-rank])
    return float(np.percentile(dark[dark > 0.5 * core], SOLID)) if core > 0 else 0.0


def grain(paper: Grey) -> float:
    """The deviation of the noise of bare paper (n,), taken from its light side, which is free of ink."""
    return float(np.sqrt(np.mean(np.square(np.minimum(paper, 0))))) if paper.size else 0.0


def find_marks(steady: Grey, solid: float, bare: Grey) -> Pieces:
    """The connected marks, where faint strokes count if the paper allows.

    The edge is low where nothing on the bare paper comes near it, and raised as long as a mark runs right
    through the picture, as lines of the paper do; but not if it is too dark for a line.
    """
    dirt = float(np.percentile(bare, 98)) if bare.size else 0.0
    lowest = FAINT_EDGE if FAINT_EDGE * solid > 1.5 * dirt else EDGE
    if max(steady.shape) < LINED_FROM:
        return find_pieces(steady > lowest * solid)
    for edge in (lowest, EDGE, *FIRM_EDGES):
        pieces = find_pieces(steady > edge * solid)
        if not (through(pieces, steady) < FIRM_EDGES[-1] * solid).any():
            return pieces
    return find_pieces(steady > EDGE * solid)


def through(pieces: Pieces, dark: Grey) -> Grey:
    """How dark each piece (n,) is at its ends, if it runs right through the picture; infinity if it does not.

    Of two ends on opposite sides of the picture, the fainter counts; of the two directions, the darker.
    """
    ends = np.full((4, len(pieces) + 1), -np.inf, np.float32)
    for axis in (0, 1):
        for end in (0, -1):
            np.maximum.at(ends[2 * axis - end], pieces.labels.take(end, axis), dark.take(end, axis))
    darkest = np.maximum(np.minimum(ends[0], ends[1]), np.minimum(ends[2], ends[3]))[1:]
    return np.where(crossing(pieces), darkest, np.float32(np.inf))


def crispness(found: InkMap) -> float:
    """How crisp the marks' edges are: the mean step of darkness across them, as a share of solid ink's."""
    marks, dark = found.pieces.labels > 0, np.clip(found.darkness, 0, found.solid)
    down, across = marks[1:] != marks[:-1], marks[:, 1:] != marks[:, :-1]
    steps = np.concatenate([np.diff(dark, axis=0)[down], np.diff(dark, axis=1)[across]])
    return float(np.mean(abs(steps))) / max(found.solid, 1e-6) if steps.size else 0.0


def coverage(found: InkMap, kept: Mask) -> Grey:
    """The share of each pixel (h, w) that the ink of the kept marks covers, 0 to 1.

    Between the paper's grain and solid ink it goes linearly: a pixel half covered is half as dark.
    """
    low = min(3 * found.grain, 0.5 * found.solid)
    share = np.clip((found.darkness - low) / max(found.solid - low, 1e-6), 0, 1)
    return np.where(grow(kept, 1), share, np.float32(0))
