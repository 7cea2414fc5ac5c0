"""Choice of the digits of a number: which runs of segments are digits, by what networks think of them.

The digits of a line are the best path through a graph: its nodes are the borders between segments, its edges the
options (LeCun, Bottou, Bengio and Haffner: Gradient-Based Learning Applied to Document Recognition, 1998, section VI).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from bpcli.data.picture.prepare import Line, Option
from bpcli.data.picture.segment import Box

# What an option with score s is worth: a path is as likely as exp(the sum of its options' worth). These numbers make
# the right strings of 650 numbers of validation digits the most likely, by gradient ascent. It gave -2.5 for `EACH`;
# with -4 fewer digits that touch no other are cut.
EACH = -4.0
RIGHT = 0.8  # times ln s
SURE = 0.5  # times -ln(1 - s)
CROSSED = -1.6  # times the ink that the cuts cross
SHORT = -6.1  # times the shortness
NEAREST = 1e-4  # scores count as at least this far from 0 and 1

CLEAR = 0.95  # minimum score of digits that are clearly several
ALIKE = 0.6  # such neighbours share at least this much of the higher one's height


def best_path(line: Line, scores: Sequence[float]) -> list[int]:
    """Return which options cover a line side by side and are worth most together, from the left.

    Args:
        line: the options.
        scores: the best score of each.
    """
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for index in sorted(range(len(line)), key=lambda index: line[index][:2]):
        start, stop = line[index][:2]
        if start in best:
            value = best[start][0] + worth(line[index], scores[index])
            if stop not in best or value > best[stop][0]:
                best[stop] = value, [*best[start][1], index]
    return best[max(best)][1]


def worth(option: Option, score: float) -> float:
    """Return the logarithm of how likely an option with a best score is to be a digit, but for a constant."""
    sure = np.clip(score, NEAREST, 1 - NEAREST)
    return float(
        EACH + RIGHT * np.log(sure) - SURE * np.log1p(-sure) + CROSSED * option.crossed + SHORT * option.shortness
    )


def are_several(boxes: Sequence[Box], scores: Sequence[float]) -> bool:
    """Return whether two neighbours among the digits of a line are clearly digits: sure, side by side, as high."""
    return any(
        min(sure) >= CLEAR and _side_by_side(*pair)
        for sure, pair in zip(pairwise(scores), pairwise(boxes), strict=True)
    )


def _side_by_side(one: Box, other: Box) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared >= ALIKE * max(one[3] - one[1], other[3] - other[1])
