"""Selection of the digit's marks among specks, frames and other marks on the paper."""

import numpy as np

from bpcli.data.picture.pieces import Ints, Mask, Pieces, crossing, on_border

SPECK = 0.02  # a mark smaller than this share of the main mark is dirt
OUTER_WORTH = 0.1  # weight of a border mark's area: it wins only if it is ten times larger than an inner mark
ALIKE = 0.5  # several digits are at least this share of each other's height
WIDE = 1.4  # a mark wider than this many times its height may be several digits
FILLING = 0.75  # a digit that fills this share of the picture's height or width may have parts on the border
NEARBY = 0.3  # maximum gap between the marks of a digit, as a share of its size


def one_digit(pieces: Pieces) -> Mask:
    """Return the mask (h, w) of the marks of the most prominent digit; empty if there is none."""
    if len(pieces) < 2:
        return pieces.labels > 0
    outside = outer(pieces)
    main = int(np.argmax(np.where(outside, OUTER_WORTH, 1.0) * pieces.areas))
    candidates = pieces.areas >= SPECK * pieces.areas[main]
    if not on_border(pieces)[main]:  # only a tightly cropped digit has parts on the border
        candidates &= ~outside | (_fills(pieces, main) & ~crossing(pieces))
    return pieces.only(connected_to(main, pieces.boxes, candidates))


def side_by_side(pieces: Pieces) -> bool:
    """Return whether there may be several digits: the main mark is wide, or another as high stands beside it."""
    inner = ~outer(pieces) if len(pieces) > 1 else np.ones(len(pieces), np.bool_)
    boxes, areas = pieces.boxes[inner], pieces.areas[inner]
    if not len(boxes):
        return False
    main, sizes = boxes[np.argmax(areas)], boxes[:, 2:] - boxes[:, :2]
    width, height = (main[2:] - main[:2]).tolist()
    if width > WIDE * height or len(boxes) < 2:
        return bool(width > WIDE * height)
    shared = np.minimum(boxes[:, 2:], main[2:]) - np.maximum(boxes[:, :2], main[:2])
    beside = (shared[:, 0] < 0.5 * np.minimum(sizes[:, 0], width)) & (shared[:, 1] >= 0.5 * sizes[:, 1])
    alike = (sizes[:, 1] >= ALIKE * height) & (sizes[:, 1] <= height / ALIKE)
    return bool(np.any(beside & alike))


def _fills(pieces: Pieces, piece: int) -> bool:
    """Return whether a piece fills most of the picture's height or width."""
    left, top, right, bottom = pieces.boxes[piece]
    height, width = pieces.labels.shape
    return bool(max((right - left) / width, (bottom - top) / height) >= FILLING)


def outer(pieces: Pieces) -> Mask:
    """Return which pieces (n,) are frames, table edges and the like: on the border and hardly in the middle."""
    height, width = pieces.labels.shape
    middle = pieces.labels[height // 4 : height - height // 4, width // 4 : width - width // 4]
    inside = np.bincount(middle.ravel(), minlength=len(pieces) + 1)[1:]
    return on_border(pieces) & (inside < 0.1 * pieces.areas)


def connected_to(main: int, boxes: Ints, candidates: Mask) -> Mask:
    """Return the mask (n,) of the main piece and all candidates near it, directly or through other candidates."""
    chosen = np.arange(len(boxes)) == main
    while True:
        size = np.max(boxes[chosen, 2:].max(axis=0) - boxes[chosen, :2].min(axis=0))
        near: Mask = (gaps(boxes, boxes[chosen]) <= NEARBY * size).any(axis=1) & candidates
        if not (near & ~chosen).any():
            return np.asarray(chosen, np.bool_)
        chosen |= near


def gaps(boxes: Ints, others: Ints) -> Ints:
    """Return the gaps (n, m) in pixels between `boxes` (n, 4) and `others` (m, 4), 0 where they touch or overlap."""
    ahead = np.maximum(boxes[:, None, :2] - others[None, :, 2:], others[None, :, :2] - boxes[:, None, 2:])
    gap: Ints = np.maximum(ahead, 0).max(axis=2)
    return gap
