"""Which marks on the paper are the digit's, and which are specks, frames and what else lies about."""

import numpy as np

from bpcli.data.picture.pieces import Ints, Mask, Pieces, on_border

SPECK = 0.02  # a mark smaller than this share of the largest is dirt
OUTER_WORTH = 0.1  # a mark beats one of up to ten times its size that lies along the border
NEARBY = 0.3  # marks belong to one digit if they are no farther apart than this share of its size


def one_digit(pieces: Pieces) -> Mask:
    """The mask (h, w) of the marks that make up the most prominent digit; empty where there is none."""
    if not len(pieces):
        return pieces.labels > 0
    outside = outer(pieces)
    main = int(np.argmax(np.where(outside, OUTER_WORTH, 1.0) * pieces.areas))
    candidates = pieces.areas >= SPECK * pieces.areas[main]
    if not on_border(pieces)[main]:
        candidates &= ~outside  # a digit cut out tightly may have parts there, one that stands free has none
    return pieces.only(connected_to(main, pieces.boxes, candidates))


def outer(pieces: Pieces) -> Mask:
    """Which pieces (n,) are frames, edges of the table and the like: on the border and hardly in the middle."""
    height, width = pieces.labels.shape
    middle = pieces.labels[height // 4 : height - height // 4, width // 4 : width - width // 4]
    inside = np.bincount(middle.ravel(), minlength=len(pieces) + 1)[1:]
    return on_border(pieces) & (inside < 0.1 * pieces.areas)


def connected_to(main: int, boxes: Ints, candidates: Mask) -> Mask:
    """The main piece and all candidates that lie near it, or near one that does."""
    chosen = np.arange(len(boxes)) == main
    while True:
        size = np.max(boxes[chosen, 2:].max(axis=0) - boxes[chosen, :2].min(axis=0))
        near: Mask = (gaps(boxes, boxes[chosen]) <= NEARBY * size).any(axis=1) & candidates
        if not (near & ~chosen).any():
            return np.asarray(chosen, np.bool_)
        chosen |= near


def gaps(boxes: Ints, others: Ints) -> Ints:
    """The gap in pixels between `boxes` (n, 4) and `others` (m, 4): (n, m), 0 where they meet."""
    ahead = np.maximum(boxes[:, None, :2] - others[None, :, 2:], others[None, :, :2] - boxes[:, None, 2:])
    gap: Ints = np.maximum(ahead, 0).max(axis=2)
    return gap
