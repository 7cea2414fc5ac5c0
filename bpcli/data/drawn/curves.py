"""Curves through the points of a form, as matrices: what a form's points become is linear in the points.

So a form is prepared once, and each drawing of it is a product of matrices with points that were moved.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.data.drawn.forms import Floats, Form, Stroke

SAMPLES = 6  # points of a curve for each point of its stroke
_T = np.arange(SAMPLES) / SAMPLES
_START, _END = (1 + 2 * _T) * (1 - _T) ** 2, _T**2 * (3 - 2 * _T)  # cubic Hermite: points
_LEAVING, _ARRIVING = _T * (1 - _T) ** 2, _T**2 * (_T - 1)  # and tangents


class Curves(NamedTuple):
    """The curves of a form with p points as functions of these points; s samples in all.

    Attributes:
        points: (p, 2), of all strokes.
        smooth: (s, p), the curves' samples from the points.
        straight: (s, p), the samples on straight lines between the points.
        ends: (e, 2), the index of each end of an open or closed stroke, and of the point beside it.
        strokes: where each stroke's samples lie.
    """

    points: Floats
    smooth: Floats
    straight: Floats
    ends: NDArray[np.intp]
    strokes: tuple[slice, ...]


@cache
def curves(form: Form) -> Curves:
    """Return the curves of a form."""
    sizes = np.array([len(stroke.points) for stroke in form.strokes])
    starts = np.cumsum(sizes) - sizes
    own = np.split(np.eye(int(sizes.sum())), starts[1:])  # the points of each stroke among all
    smooth = [_curve(rows, *(each @ rows for each in _tangents(s))) for rows, s in zip(own, form.strokes, strict=True)]
    bounds = np.cumsum([0, *(len(rows) for rows in smooth)]).tolist()
    lasts = starts + sizes - 1
    return Curves(
        points=np.concatenate([stroke.points for stroke in form.strokes]),
        smooth=np.concatenate(smooth),
        straight=np.concatenate([_line(rows) for rows in own]),
        ends=np.concatenate([np.column_stack([starts, starts + 1]), np.column_stack([lasts, lasts - 1])]),
        strokes=tuple(slice(first, last) for first, last in pairwise(bounds)),
    )


def _line(points: Floats) -> Floats:
    """Return samples (s, p) on the lines between consecutive rows of (n, p)."""
    inner = (1 - _T)[:, None] * points[:-1, None] + _T[:, None] * points[1:, None]
    return np.concatenate([inner.reshape(-1, points.shape[1]), points[-1:]])


def _curve(points: Floats, leaving: Floats, arriving: Floats) -> Floats:
    """Return samples (s, p) on the cubic Hermite curves between consecutive rows of (n, p), given their tangents."""
    ends = _START[:, None] * points[:-1, None] + _END[:, None] * points[1:, None]
    inner = ends + _LEAVING[:, None] * leaving[:, None] + _ARRIVING[:, None] * arriving[:, None]
    return np.concatenate([inner.reshape(-1, points.shape[1]), points[-1:]])


def _tangents(stroke: Stroke) -> tuple[Floats, Floats]:
    """Return the tangents at the beginning and at the end of each segment, (n − 1, n) each, as functions of n points.

    They are those of the centripetal Catmull-Rom spline (Yuksel, Schaefer, Keyser 2011): times between points are the
    roots of their distances, so that no loop or cusp appears between points of uneven distances.
    """
    n = len(stroke.points)
    times = np.sqrt(np.maximum(np.hypot(*np.diff(stroke.points, axis=0).T), 1e-4))
    slopes = np.diff(np.eye(n), axis=0) / times[:, None]
    leaving, arriving = np.empty_like(slopes), np.empty_like(slopes)
    breaks = [0, *np.flatnonzero(stroke.corners[1:-1]) + 1, n - 1]
    for first, last in pairwise(breaks):
        piece = slice(first, last)
        velocities = _velocities(slopes[piece], times[piece], stroke.closed)
        leaving[piece], arriving[piece] = velocities[:-1], velocities[1:]
    return leaving * times[:, None], arriving * times[:, None]


def _velocities(slopes: Floats, times: Floats, closed: bool) -> Floats:
    """Return the velocities (m + 1, n) at the points of m segments, of the parabolas through three points each."""
    if len(slopes) == 1:
        return np.concatenate([slopes, slopes])
    if closed:
        slopes, times = (np.concatenate([each[-1:], each, each[:1]]) for each in (slopes, times))
    before, after = times[:-1, None], times[1:, None]
    inner = (slopes[:-1] * after + slopes[1:] * before) / (before + after)
    if closed:
        return inner
    return np.concatenate([1.5 * slopes[:1] - 0.5 * inner[:1], inner, 1.5 * slopes[-1:] - 0.5 * inner[-1:]])
