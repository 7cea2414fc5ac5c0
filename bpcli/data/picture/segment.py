"""Segmentation of a page: marks are grouped into what may be digits, put into lines, and cut where digits may touch.

A line is a row of segments, more than it has digits. A run of neighbouring segments may be a digit; which runs are,
the network decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.data.picture.cuts import NO_CUTS, find_cuts
from bpcli.data.picture.marks import gaps, outer
from bpcli.data.picture.pieces import Ints, Mask, Pieces

Reals = NDArray[np.float64]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are one past the last

SMALL = 0.45  # a mark lower than this share of a digit's height is part of its neighbour, or dirt
FLAT = 0.3  # minimum height of a wide digit: a 2 or a 5 may be written flat, but a bar is flatter
NEAR = 0.3  # maximum distance of such a part from its digit, as a share of a digit's height
SPECK = 0.01  # a mark with less ink than this share of a digit's height squared is dirt
STACKED = 0.5  # marks stand above each other if they share this much of the narrower one's width
TALLEST = 1.5  # such marks are one digit if together they are at most this many digits high
NARROW = 0.25  # marks narrower than this share of a digit's height are not cut
WIDEST = 1.6  # of several digits' ink, no digit is wider than this many times its height


@dataclass(frozen=True, slots=True)
class Found:
    """The place of a digit: its `box` (left, top, right, bottom) and the `mask` (h, w) of its ink inside the box."""

    box: Box
    mask: Mask


class Run(NamedTuple):
    """A run of neighbouring segments of a line, which may be a digit.

    Attributes:
        start, stop: its first segment, and the one after its last.
        place: where its ink is.
        crossed: the ink that the cuts at its ends cross, as a share of a digit's height.
        shortness: the logarithm of how many times higher a typical digit is; 0 if it is not.
    """

    start: int
    stop: int
    place: Found
    crossed: float
    shortness: float

    def after(self, segments: int) -> "Run":
        """Return the run moved to the right by some segments."""
        return self._replace(start=self.start + segments, stop=self.stop + segments)


def separate(pieces: Pieces) -> list[list[Run]]:
    """Return the runs of segments that may be digits, by lines from the top, in each from the left.

    The runs of a line that are nothing but whole marks, next to each other, cover it.
    """
    large = np.flatnonzero(~outer(pieces) & (pieces.areas >= 0.02 * pieces.areas.max(initial=0)))
    if not len(large):
        return []
    height = typical_height(pieces, large)
    marks = [cut_out(pieces, group) for group in gather(pieces, height)]
    return [_line([marks[index] for index in line], height) for line in lines([mark.box for mark in marks])]


def _line(marks: list[Found], height: float) -> list[Run]:
    """Return the runs of a line of marks."""
    found: list[Run] = []
    for mark in marks:
        segments = max((run.stop for run in found), default=0)
        found += [run.after(segments) for run in runs(mark, height)]
    return found


def typical_height(pieces: Pieces, large: Ints) -> float:
    """Return the typical height of a digit: the median height of the large marks, weighted by their ink."""
    heights = pieces.boxes[large, 3] - pieces.boxes[large, 1]
    order = np.argsort(heights)
    ink = np.cumsum(pieces.areas[large][order])
    return float(heights[order][np.searchsorted(ink, ink[-1] / 2)])


def gather(pieces: Pieces, height: float) -> list[list[int]]:
    """Return the marks (indices) of each digit: large ones above each other, and small ones with the nearest digit."""
    widths, heights = (pieces.boxes[:, 2:] - pieces.boxes[:, :2]).T / height
    inner = ~outer(pieces)
    usable = inner & (pieces.areas >= SPECK * height**2)
    body = (inner & (heights >= SMALL)) | (usable & (heights >= FLAT) & (widths >= SMALL))  # a hair has little ink
    bodies = np.flatnonzero(body)
    groups = stacked([[int(index)] for index in bodies], pieces.boxes, height)
    owner = {index: number for number, group in enumerate(groups) for index in group}
    for part in np.flatnonzero(usable & ~body) if len(bodies) else ():
        apart = gaps(pieces.boxes[[part]], pieces.boxes[bodies])[0]
        if apart.min() <= NEAR * height:
            groups[owner[int(bodies[np.argmin(apart)])]].append(int(part))
    return groups


def stacked(groups: list[list[int]], boxes: Ints, height: float) -> list[list[int]]:
    """Return the groups; those that are parts of one digit are joined."""
    around = np.array([union(boxes[group]) for group in groups]).reshape(-1, 4)
    alive = np.ones(len(groups), np.bool_)
    for one in range(len(groups)):
        alone = np.arange(len(groups)) != one
        while alive[one] and (fitting := alive & alone & are_one(around[one], around, height)).any():
            other = int(np.argmax(fitting))
            groups[one] = groups[one] + groups[other]
            around[one] = union(around[[one, other]])
            alive[other] = False
    return [group for group, kept in zip(groups, alive, strict=True) if kept]


def union(boxes: Ints) -> Ints:
    """Return the box (4,) around boxes (n, 4)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def are_one(one: Ints, others: Ints, height: float) -> Mask:
    """Return which boxes (n, 4) are part of the same digit as a large mark's box (4,): a mask (n,)."""
    shared = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    narrower = np.minimum(one[2] - one[0], others[:, 2] - others[:, 0])
    together = np.maximum(one[3], others[:, 3]) - np.minimum(one[1], others[:, 1])
    joined: Mask = (shared >= STACKED * narrower) & (together <= TALLEST * height)
    return joined


def cut_out(pieces: Pieces, group: list[int]) -> Found:
    """Return the place of the digit that consists of some of the pieces."""
    left, top, right, bottom = (int(edge) for edge in union(pieces.boxes[group]))
    mask = np.isin(pieces.labels[top:bottom, left:right], np.array(group) + 1)
    return Found((left, top, right, bottom), mask)


def runs(mark: Found, height: float) -> list[Run]:
    """Return the runs of segments of a mark that may be a digit: all of it, and those that are wide and high enough.

    Args:
        mark: of one or several digits.
        height: that of a typical digit.
    """
    tall, wide = mark.mask.shape
    size = min(max(tall, 0.8 * height), 1.3 * height)
    cuts = find_cuts(mark.mask, size) if wide > NARROW * size else NO_CUTS
    crossed = np.pad(cuts.ink, 1)
    found = [Run(0, len(cuts.paths) + 1, mark, 0.0, shortness(mark, height))]
    for start, stop in _spans(cuts.paths, wide, WIDEST * max(size, tall)):
        place = between(mark, cuts.paths, start, stop)
        if place is not None and may_be_digit(place, size):
            found.append(Run(start, stop, place, float(crossed[start] + crossed[stop]), shortness(place, height)))
    return found


def _spans(paths: Ints, wide: int, widest: float) -> Iterator[tuple[int, int]]:
    """Yield start and stop of all runs but the longest of the segments between paths (n, h), unless they are wide."""
    last = len(paths) + 1
    from_left = [0, *paths.max(axis=1, initial=0).tolist()]
    from_right = [*paths.min(axis=1, initial=wide).tolist(), wide]
    for start, stop in combinations(range(last + 1), 2):
        if stop - start < last and from_right[stop - 1] - from_left[start] <= widest:
            yield start, stop


def may_be_digit(part: Found, height: float) -> bool:
    """Return whether a part of a mark is high and narrow enough for a digit: a bar or a tail is none."""
    tall, wide = part.mask.shape
    return bool(tall >= SMALL * height and wide <= WIDEST * max(tall, 0.8 * height))


def shortness(part: Found, height: float) -> float:
    """Return the logarithm of how many times higher a digit is than a part; at least 0. A digit may be written flat."""
    tall, wide = part.mask.shape
    return max(0.0, float(np.log(height / max(tall, 0.5 * wide))))


def between(mark: Found, paths: Ints, start: int, stop: int) -> Found | None:
    """Return the segments of a mark from one to another, with a tight box; None if there is no ink.

    Args:
        mark: with a mask (h, w).
        paths: (n, h), what parts its segments.
        start: the first segment.
        stop: the segment after the last.
    """
    tall, wide = mark.mask.shape
    left = paths[start - 1] if start else np.zeros(tall, np.int64)
    right = paths[stop - 1] if stop <= len(paths) else np.full(tall, wide)
    columns = np.arange(int(left.min()), int(right.max()))
    mask = mark.mask[:, columns] & (columns >= left[:, None]) & (columns < right[:, None])
    rows, used = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = mark.box[0] + int(columns[used[0]]), mark.box[1] + int(rows[0])
    mask = mask[rows[0] : rows[-1] + 1, used[0] : used[-1] + 1]
    return Found((x, y, x + mask.shape[1], y + mask.shape[0]), mask)


def lines(boxes: list[Box]) -> list[list[int]]:
    """Return the boxes' indices by line, lines from the top, each from the left.

    From the left, each box continues the line whose last box shares most of its height, if it shares at least 0.4.
    """
    found: list[list[int]] = []
    last = np.empty((0, 4), np.int64)  # the last box of each line
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index][0]):
        box = np.array([boxes[index]])
        shares = _shared_heights(box[0], last)
        if shares.max(initial=0) >= 0.4:
            line = int(np.argmax(shares))
            found[line].append(index)
            last[line] = box[0]
        else:
            found.append([index])
            last = np.concatenate([last, box])
    middle = [float(np.mean([boxes[index][1] + boxes[index][3] for index in line])) for line in found]
    return [line for _, line in sorted(zip(middle, found, strict=True))]


def _shared_heights(one: Ints, others: Ints) -> Reals:
    """Return the overlap in height of a box (4,) with others (n, 4), as a share of the lower box's height: (n,)."""
    shared = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    lower = np.minimum(one[3] - one[1], others[:, 3] - others[:, 1])
    return np.asarray(shared / lower, np.float64)
