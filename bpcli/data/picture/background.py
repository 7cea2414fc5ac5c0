"""Background estimation: the paper's brightness at each pixel, and the ink as the share of light it absorbs."""

from functools import cache
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.scale import Grey, Mask, percentile, resize, share

Ink = Literal["auto", "dark", "light"]
Reals = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

CELLS = 24  # maximum cells a side of the grid on which the paper is estimated
TREND_CELLS = 16  # maximum cells a side for its trend
PAPER_SHARE = 0.8  # the quantile of light that is paper: above the ink, below glare
STIFFNESS = 0.04  # penalty per cell on a trend that is not constant, so that it does not dip under bold ink
WIDEST_STROKES = (0.15, 0.4)  # maximum widths as shares of the picture; a wider light or dark part is lamp or shadow
FLAT = 1.5 / 255  # maximum difference of brightness on flat paper
FLAT_SHARE = 0.25  # all paper is flat if this share of the picture is
FLAT_BORDER = 0.5  # and if this share of the border is, what is flat is paper
DARKEST_PAPER = 0.05  # lower bound in divisions by the paper: noise grows at most twentyfold


def is_flat(grey: Grey) -> bool:
    """Return whether much of a picture (h, w) is as light as its lightest pixel: drawn or cleaned, not a photograph."""
    return share(grey >= grey.max() - FLAT) >= FLAT_SHARE


def is_flat_around(grey: Grey) -> bool:
    """Return whether a picture (h, w) is flat, and so is at least half of its border: it is paper that is flat."""
    return is_flat(grey) and share(border(grey) >= grey.max() - FLAT) >= FLAT_BORDER


def paper_trend(grey: Grey) -> Grey:
    """Return the trend of the paper under dark ink: a quadratic surface at the `PAPER_SHARE` quantile of light.

    By quantile regression (Koenker and Bassett, 1978), up to a share `PAPER_SHARE` of the picture may be ink.

    Args:
        grey: the picture (h, w).

    Returns:
        The surface (h, w).
    """
    cells = _cells(grey, TREND_CELLS)
    terms = _surfaces(*cells.shape)
    surface = terms @ _quantile_fit(terms, cells.ravel().astype(np.float64))
    return _stretch(surface.reshape(cells.shape).astype(np.float32), grey)


@cache
def _surfaces(height: int, width: int) -> Reals:
    """Return the terms 1, x, y, x², xy and y² of a quadratic surface (height·width, 6); x, y are from −1 to 1."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)


def _quantile_fit(terms: Reals, values: Reals) -> Reals:
    """Return the coefficients c of the quantile regression values ≈ terms·c for the quantile `PAPER_SHARE`.

    Iteratively reweighted least squares minimise the quantile loss plus the penalty `STIFFNESS`·Σ|c| per value,
    without the first c. The start is the plain quantile: ink is an outlier from the first step on.
    """
    coefficients: Reals = np.zeros(terms.shape[1])
    residual: Reals = np.subtract(values, percentile(values, 100 * PAPER_SHARE), dtype=np.float64)
    stiff = STIFFNESS * len(values) * (np.arange(len(coefficients)) > 0)
    for _ in range(8):
        share = np.where(residual > 0, PAPER_SHARE, 1 - PAPER_SHARE)
        weighted = (terms * (share / np.maximum(abs(residual), 3e-3))[:, None]).T
        penalty = np.diag(stiff / np.maximum(abs(coefficients), 3e-3) + 1e-2)
        coefficients = np.asarray(np.linalg.solve(weighted @ terms + penalty, weighted @ values), np.float64)
        residual = np.subtract(values, terms @ coefficients, dtype=np.float64)
    return coefficients


def is_light(grey: Grey) -> bool:
    """Return whether a picture (h, w) shows light ink on dark paper: the sign of three votes, each from −1 to 1.

    Two votes, one for each of `WIDEST_STROKES`, compare the edge-weighted ink under the dark-ink and the light-ink
    hypothesis: ink has sharp edges and is only darker or only lighter than the paper, lamps and shadows have soft
    edges. Both are near 0 if ink fills the picture. Then the third vote decides: it assumes that most of the border is
    paper. It counts less if the border is less than half as sharp as the picture, because then no ink reaches it.
    """
    edges = sharpness(grey)
    trends = paper_trend(grey), paper_trend(1 - grey)
    votes = 0.0
    for widest in WIDEST_STROKES:
        dark_ink, light_ink = _standing_out(grey, trends[0], widest), _standing_out(1 - grey, trends[1], widest)
        dark, light = float(np.vdot(edges, dark_ink)), float(np.vdot(edges, light_ink))
        votes += (light - dark) / max(light + dark, 1e-9)
    solid = max(float(dark_ink.max()), float(light_ink.max()), 1e-6)
    reached = min(1.0, 2 * float(np.mean(border(edges))) / max(float(np.mean(edges)), 1e-12))
    return votes + reached * float(np.mean(border(dark_ink - light_ink))) / solid > 0


def _standing_out(grey: Grey, trend: Grey, widest: float) -> Grey:
    """Return how much darker each pixel is than both the paper's trend and the paper around it, at least 0."""
    return np.maximum(np.minimum(trend, paper_between(grey, widest)) - grey, 0)


def sharpness(grey: Grey) -> Grey:
    """Return the sum of the squared differences between each pixel and its four neighbours."""
    total = np.zeros_like(grey)
    down, across = np.square(np.diff(grey, axis=0)), np.square(np.diff(grey, axis=1))
    total[1:] += down
    total[:-1] += down
    total[:, 1:] += across
    total[:, :-1] += across
    return total


def border(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return the values along a picture's four sides, with the corners twice."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def paper_around(grey: Grey, trend: Grey, ink: Mask) -> Grey:
    """Return the paper (h, w): its trend, corrected by the surrounding pixels that are not ink.

    This is normalised convolution (Knutsson and Westin, 1993). A wider neighbourhood has a thousandth of the weight
    of the next narrower one, so it decides only where ink fills the narrower one.
    """
    free = (~ink).astype(np.float32)
    light = np.asarray(free * grey / np.maximum(trend, np.float32(DARKEST_PAPER)), np.float32)
    cells = np.stack([_cells(light, CELLS), _cells(free, CELLS)]).astype(np.float64)
    means = np.full_like(cells, 1e-12)
    for rank, reach in enumerate((2, 4, 8, CELLS)):
        means += 1e-3**rank * _mean_around(cells, reach)
    return trend * _stretch((means[0] / means[1]).astype(np.float32), grey)


def _mean_around(cells: Reals, reach: int) -> Reals:
    """Return means over squares of 2·reach + 1 cells a side (…, h, w), with zeros beyond the grid."""
    means: Reals = _band(cells.shape[-2], reach) @ cells @ _band(cells.shape[-1], reach)
    return means


@cache
def _band(size: int, reach: int) -> Reals:
    """Return the (size, size) matrix that takes means over 2·reach + 1 neighbours."""
    apart = abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.where(apart <= reach, 1 / (2 * reach + 1), 0)


def paper_between(grey: Grey, widest: float) -> Grey:
    """Return the paper (h, w) if strokes are at most a share `widest` of the picture wide; wider dark parts are shadow.

    This is the grey closing of the picture's cells: a maximum filter, then a minimum filter over the same square.
    """
    reach = round(widest * CELLS / 2)
    lightest = _largest_around(_cells(grey, CELLS), reach)
    return _stretch(-_largest_around(-lightest, reach), grey)


def _largest_around(cells: Grey, reach: int) -> Grey:
    height, width = cells.shape
    padded = np.full((height + 2 * reach, width + 2 * reach), -np.inf, np.float32)
    padded[reach : reach + height, reach : reach + width] = cells
    return _largest_ahead(_largest_ahead(padded, 2 * reach + 1).T, 2 * reach + 1).T


def _largest_ahead(cells: Grey, count: int) -> Grey:
    """Return the maximum of `count` rows, from each row that so many follow, by doubling the rows that are covered."""
    covered = 1
    while covered < count:
        step = min(covered, count - covered)
        cells, covered = np.maximum(cells[:-step], cells[step:]), covered + step
    return cells


def darkness(grey: Grey, paper: Grey) -> Grey:
    """Return the share of the paper's light that is missing: 0 on bare paper, 1 in black ink, below 0 if lighter."""
    return np.asarray((paper - grey) / np.maximum(paper, np.float32(DARKEST_PAPER)), np.float32)


def _cells(grey: Grey, most: int) -> Grey:
    height, width = grey.shape
    return resize(grey, min(width, most), min(height, most), Image.Resampling.BOX)


def _stretch(cells: Grey, like: Grey) -> Grey:
    return resize(cells, like.shape[1], like.shape[0], Image.Resampling.BILINEAR)
