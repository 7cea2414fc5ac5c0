"""The printed frames of a flattened page: they show where each cell really lies, and whether the grid is right.

A page that is bent a little still has its cells within some millimetres of where four marks put them.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bpcli.data.form.layout import FRAME, Points
from bpcli.data.picture.scale import Grey, Mask

REACH = 4.0  # millimetres by which a cell may lie elsewhere than its marks say
BESIDE = 1.1  # millimetres from a line to the paper beside it
EDGE = 0.7  # the middle part of a frame's side that is looked at
FAINTEST = 0.03  # darkness of a frame's line
FAINT = 0.35  # of the median of all frames: less is not the frame
STRAY = 0.8  # millimetres between a frame and where its neighbours say that it must be


class Frames(NamedTuple):
    """Where the frames of cells were found.

    Attributes:
        corners: (n, 2), left and top of each in millimetres.
        seen: (n,), whether the frame is there, and where its neighbours let it be.
    """

    corners: Points
    seen: Mask


def find_frames(darkness: Grey, expected: Points, side: float, scale: float) -> Frames:
    """Return where the frames of a page lie.

    Args:
        darkness: the share of the paper's light that the page (h, w) lacks, in a light that shows the frames.
        expected: (n, 2), the left and top of each frame in millimetres, if the page were flat.
        side: of a frame in millimetres.
        scale: pixels a millimetre.
    """
    windows = np.stack([_window(darkness, corner, side, scale) for corner in expected])
    across, strength_x = _shifts(np.median(_middle(windows), axis=1), side, scale)
    down, strength_y = _shifts(np.median(_middle(windows.swapaxes(1, 2)), axis=1), side, scale)
    strength = np.minimum(strength_x, strength_y)
    shifts = np.stack([across, down], axis=1)
    clear = strength >= max(FAINTEST, FAINT * float(np.median(strength)))
    stray = np.linalg.norm(shifts - _trend(expected, shifts, clear), axis=1)
    return Frames(expected + shifts, clear & (stray <= STRAY))


def _window(darkness: Grey, corner: Points, side: float, scale: float) -> Grey:
    """Return a cell with the paper around it in which its frame may lie."""
    room = REACH + BESIDE + FRAME
    left, top = np.rint((corner - room) * scale).astype(int)
    size = round((side + 2 * room) * scale)
    return darkness[top : top + size, left : left + size]


def _middle(windows: Grey) -> Grey:
    """Return the middle rows of windows (n, h, w)."""
    cut = round(windows.shape[1] * (1 - EDGE) / 2)
    return windows[:, cut:-cut]


def _shifts(profiles: Grey, side: float, scale: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far frames are shifted (n,) in millimetres, and how dark their fainter line of two is (n,).

    Args:
        profiles: (n, w), the darkness of windows across two parallel lines.
        side: the distance of the lines.
        scale: pixels a millimetre.
    """
    width, beside, reach = (max(round(length * scale), 1) for length in (FRAME, BESIDE, REACH))
    lines = sliding_window_view(profiles, width, axis=1).mean(axis=-1)
    contrast = lines[:, beside:-beside] - (lines[:, : -2 * beside] + lines[:, 2 * beside :]) / 2
    start = round((REACH + BESIDE + FRAME) * scale - width / 2) - beside - reach
    first = contrast[:, start : start + 2 * reach + 1]
    second = contrast[:, start + round(side * scale) :][:, : 2 * reach + 1]
    fainter = np.minimum(first, second)
    best = (fainter + 0.01 * (first + second)).argmax(axis=1)
    return (best - reach) / scale, fainter[np.arange(len(best)), best].astype(np.float64)


def _trend(places: Points, shifts: Points, clear: Mask) -> Points:
    """Return the shifts (n, 2) that a smooth page would have: quadratic in the places (n, 2), fitted to the clear ones.

    Those that lie far off are left out of a second fit.
    """
    x, y = ((places - places.mean(axis=0)) / 100).T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    used, trend = clear, np.zeros_like(shifts)
    for _ in range(3):
        if np.count_nonzero(used) < 2 * terms.shape[1]:
            return np.zeros_like(shifts) + (np.median(shifts[used], axis=0) if used.any() else 0)
        trend = terms @ np.linalg.lstsq(terms[used], shifts[used], rcond=None)[0]
        away = np.linalg.norm(shifts - trend, axis=1)
        used = clear & (away <= max(STRAY, 2 * float(np.median(away[used]))))
    return trend
