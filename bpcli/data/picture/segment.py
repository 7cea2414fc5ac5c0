"""Segmentation of a page into digits: marks are grouped, touching digits split, and all put into reading order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
WIDE = 1.15  # a mark wider than this many heights of a digit may be two digits that touch


@dataclass(frozen=True, slots=True)
class Found:
    """The place of a digit: its `box` (left, top, right, bottom) and the `mask` (h, w) of its ink inside the box."""

    box: Box
    mask: Mask


def separate(pieces: Pieces) -> list[Found]:
    """Return the digits among the marks of a page, in reading order: lines from the top, each from the left."""
    large = np.flatnonzero(~outer(pieces) & (pieces.areas >= 0.02 * pieces.areas.max(initial=0)))
    if not len(large):
        return []
    height = typical_height(pieces, large)
    groups = gather(pieces, height)
    digits = [part for group in groups for part in split(cut_out(pieces, group), height)]
    return [digits[index] for line in lines([digit.box for digit in digits]) for index in line]


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


def split(digit: Found, height: float) -> list[Found]:
    """Split a mark that is too wide for one digit at its thinnest column, repeatedly, and return the parts."""
    todo, parts = [digit], []
    while todo:
        part = todo.pop()
        halves = halved(part, height)
        todo += reversed(halves)
        parts += [] if halves else [part]
    return parts


def halved(digit: Found, height: float) -> list[Found]:
    """Return the two parts beside a mark's thinnest column; none if the mark is narrow enough for one digit."""
    width = digit.mask.shape[1]
    if width <= WIDE * max(height, digit.mask.shape[0]):
        return []
    at = thinnest_column(digit.mask, height)
    parts = [part_of(digit, columns) for columns in (slice(at), slice(at, width))]
    smallest = min(part.mask.shape[0] for part in parts)
    return parts if smallest >= SMALL * height else []  # a bar or a tail is no digit


def thinnest_column(mask: Mask, height: float) -> int:
    """Return the column where a mask of touching digits has the least ink, near the places where they should meet."""
    width = mask.shape[1]
    count = max(2, round(width / (0.8 * height)))
    columns = np.arange(width)
    meeting = width / count * np.arange(1, count)
    away = abs(columns[:, None] - meeting).min(axis=1) / (width / count)
    cost = np.convolve(mask.sum(axis=0), [0.25, 0.5, 0.25], "same") / height + away**2
    inner = slice(int(0.3 * width / count), width - int(0.3 * width / count))
    return int(columns[inner][np.argmin(cost[inner])])


def part_of(digit: Found, columns: slice) -> Found:
    """Return the part of a mark in some of its columns, with a tight box."""
    mask = digit.mask[:, columns]
    rows, used = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = digit.box[0] + (columns.start or 0) + int(used[0]), digit.box[1] + int(rows[0])
    mask = mask[rows[0] : rows[-1] + 1, used[0] : used[-1] + 1]
    return Found((left, top, left + mask.shape[1], top + mask.shape[0]), mask)


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
