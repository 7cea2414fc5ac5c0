"""Ink detection in a picture: the share of each pixel that ink covers, and the marks that ink forms."""

from dataclasses import dataclass

import numpy as np

from bpcli.data.picture.background import (
    Ink,
    darkness,
    is_flat,
    is_flat_around,
    is_light,
    paper_around,
    paper_between,
    paper_trend,
)
from bpcli.data.picture.pieces import Mask, Pieces, crossing, find_pieces, on_border
from bpcli.data.picture.scale import Grey, grow, ordered, percentile, shrink, smooth

GLANCE = 128  # pixels a side to which a picture is shrunk to tell light ink from dark: noise averages out
CORE = 30  # the core is the 30th darkest pixel: specks have fewer dark pixels, digits have more
FEWEST = 5  # a hairline has at least this many pixels
CORE_SHARE = 0.1  # in tiny pictures the core's rank is this share of the pixels
SOLID = 60  # solid ink's darkness is this percentile over the pixels at least half as dark as the core
EDGE = 0.45  # threshold of a mark, as a share of solid ink's darkness
FAINT_EDGE = 0.25  # threshold on clean paper
FIRM_EDGES = (0.6, 0.75)  # thresholds on lined paper
ROUGH_EDGES = (0.45, 0.25)  # thresholds of the ink that the first and the second estimate of the paper leave out
WIDE_STROKE = 0.25  # maximum stroke width where shadows are suspected, as a share of the picture
PEN_ROOM = 2  # width in pixels of the soft edge around a mark
CRISPER = 1.35  # prefer the shadow model if its marks are this many times crisper
FLAT_WORTH = 0.9  # prefer the flat model if its marks are at least this many times as crisp as the others
LINED_FROM = 40  # pictures with fewer pixels a side have no lines on their paper
SMOOTHED_FROM = 100  # pictures with fewer pixels a side have strokes too thin to be smoothed


@dataclass(frozen=True, slots=True)
class InkMap:
    """The ink on a picture (h, w).

    Attributes:
        darkness: the share of the paper's light that is missing at each pixel.
        solid: the darkness of solid ink.
        grain: the standard deviation of the paper's noise.
        contrast: the darkness of solid ink in standard deviations of the smoothed noise.
        light: whether the picture was inverted first.
        pieces: the connected marks.
    """

    darkness: Grey
    solid: float
    grain: float
    contrast: float
    light: bool
    pieces: Pieces


def find_ink(grey: Grey, ink: Ink = "auto") -> InkMap:
    """Return the ink on a picture (h, w), with the paper divided out.

    If much of the picture has one brightness, the flat model of the paper is used, unless its marks touch the border
    and are less crisp than those of the trend model. Otherwise the trend model is used. If its marks touch the border,
    they may be shadows: a shadow model with limited stroke width replaces it if that makes the marks crisper.

    Args:
        grey: the picture, from 0 (black) to 1 (white).
        ink: whether the ink is darker or lighter than the paper; auto decides.
    """
    light = shows_light_ink(grey) if ink == "auto" else ink == "light"
    dark_on_light = 1 - grey if light else grey
    flat = _ink_on(dark_on_light, np.full_like(grey, dark_on_light.max()), light) if is_flat(dark_on_light) else None
    if flat and not on_border(flat.pieces).any():
        return flat
    uneven = _ink_on_uneven(dark_on_light, light)
    return flat if flat and crispness(flat) >= FLAT_WORTH * crispness(uneven) else uneven


def shows_light_ink(grey: Grey) -> bool:
    """Return whether a picture (h, w) shows light ink: by which side alone is flat around it, else by the votes."""
    flat_light, flat_dark = is_flat_around(grey), is_flat_around(1 - grey)
    return flat_dark if flat_light != flat_dark else is_light(shrink(grey, GLANCE))


def _ink_on_uneven(grey: Grey, light: bool) -> InkMap:
    """Return the dark ink on a picture whose paper has a trend or shadows."""
    found = _ink_on_rough(grey, paper_trend(grey), light)
    if not on_border(found.pieces).any():
        return found
    other = _ink_on_rough(grey, paper_between(grey, WIDE_STROKE), light)
    return other if crispness(other) > CRISPER * crispness(found) else found


def _ink_on_rough(grey: Grey, paper: Grey, light: bool) -> InkMap:
    """Return the dark ink on a picture, from a first estimate of its paper."""
    estimate = paper
    for edge in ROUGH_EDGES:
        steady = steadied(darkness(grey, estimate))
        rough = grow(steady > edge * solid_darkness(steady), PEN_ROOM)
        estimate = paper_around(grey, paper, rough)
    return _ink_on(grey, estimate, light)


def _ink_on(grey: Grey, paper: Grey, light: bool) -> InkMap:
    """Return the dark ink on a picture, given its paper."""
    dark = darkness(grey, paper)
    steady = steadied(dark)
    solid = solid_darkness(steady)
    bare = ~grow(steady > EDGE * solid, PEN_ROOM)
    paper_only = steady[bare]
    noise = grain(paper_only)
    own_noise = noise if steady is dark else grain(dark[bare])
    return InkMap(dark, solid, own_noise, solid / max(noise, 1e-6), light, find_marks(steady, solid, paper_only))


def steadied(dark: Grey) -> Grey:
    """Return the darkness, smoothed if the picture has enough pixels."""
    return smooth(dark) if min(dark.shape) >= SMOOTHED_FROM else dark


def solid_darkness(dark: Grey) -> float:
    """Return the darkness of solid ink: a percentile of the pixels at least half as dark as the core; 0 without ink.

    Paper without any noise has no specks either: all ink on it is the core, even that of a hairline.
    """
    rank = min(CORE, int(CORE_SHARE * dark.size) + 1)
    core = float(ordered(dark, -rank)[-rank])
    if core <= 0:
        core = float(dark.max()) if np.count_nonzero(dark) >= FEWEST else 0.0
    return percentile(dark[dark > 0.5 * core], SOLID) if core > 0 else 0.0


def grain(paper: Grey) -> float:
    """Return the standard deviation of bare paper's noise (n,), from its lighter pixels, which have no ink."""
    return float(np.sqrt(np.square(np.minimum(paper, 0)).mean())) if paper.size else 0.0


def find_marks(steady: Grey, solid: float, bare: Grey) -> Pieces:
    """Return the connected marks above a threshold that depends on the paper.

    The threshold is low if bare paper stays far below it, so that faint strokes count. It rises as long as a mark
    runs right through the picture, as lines of the paper do. Marks too dark for a line don't raise it.
    """
    dirt = percentile(bare, 98) if bare.size else 0.0
    lowest = FAINT_EDGE if FAINT_EDGE * solid > 1.5 * dirt else EDGE
    if max(steady.shape) < LINED_FROM:
        return find_pieces(steady > lowest * solid)
    for edge in (lowest, EDGE, *FIRM_EDGES):
        pieces = find_pieces(steady > edge * solid)
        if not (through(pieces, steady) < FIRM_EDGES[-1] * solid).any():
            return pieces
    return find_pieces(steady > EDGE * solid)


def through(pieces: Pieces, dark: Grey) -> Grey:
    """Return the darkness (n,) at the ends of the pieces that run right through the picture, infinity for others.

    The fainter of a piece's two opposite ends counts. If it runs in both directions, the darker direction counts.
    """
    ends = np.full((4, len(pieces) + 1), -np.inf, np.float32)
    for axis in (0, 1):
        for end in (0, -1):
            np.maximum.at(ends[2 * axis - end], pieces.labels.take(end, axis), dark.take(end, axis))
    darkest = np.maximum(np.minimum(ends[0], ends[1]), np.minimum(ends[2], ends[3]))[1:]
    return np.where(crossing(pieces), darkest, np.float32(np.inf))


def crispness(found: InkMap) -> float:
    """Return the crispness of the marks: the mean step of darkness across their edges, as a share of solid ink's."""
    return _mean_step(np.clip(found.darkness, 0, found.solid), found.pieces.labels > 0) / max(found.solid, 1e-6)


def _mean_step(values: Grey, marks: Mask) -> float:
    """Return the mean difference of the values (h, w) across the edges of the marks; 0 without edges."""
    down, across = marks[1:] != marks[:-1], marks[:, 1:] != marks[:, :-1]
    steps = np.concatenate([(values[1:] - values[:-1])[down], (values[:, 1:] - values[:, :-1])[across]])
    return float(abs(steps).mean()) if steps.size else 0.0


def coverage(found: InkMap, kept: Mask) -> Grey:
    """Return the share of each pixel (h, w) that the ink of the kept marks covers, 0 to 1.

    It is linear between the paper's grain and solid ink: a half-covered pixel is half as dark.
    """
    low = min(3 * found.grain, 0.5 * found.solid)
    share = np.clip((found.darkness - low) / max(found.solid - low, 1e-6), 0, 1)
    return np.where(grow(kept, 1), share, np.float32(0))


def edge_sharpness(found: InkMap, grey: Grey) -> float:
    """Return the mean step of light across the marks' edges as a share of solid ink's, times the picture's size.

    A shading has no edges: the larger the picture, the smaller are its steps. Models of the paper may put edges into
    its darkness, so the steps are those of the picture `grey` (h, w).
    """
    paper = 1 - float(grey.min()) if found.light else float(grey.max())
    return int(max(grey.shape)) * _mean_step(grey, found.pieces.labels > 0) / max(found.solid * paper, 1e-6)
