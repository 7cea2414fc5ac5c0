"""What a network or a committee answers to prepared pictures: a digit with its score, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.data.mnist import PIXELS
from bpcli.data.picture.prepare import Prepared
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.committee import mean_scores
from bpcli.training.team import Team

MIN_SCORE = 0.1  # refuses 0.4 % of the validation digits, 0.2 % with the right answer (default network, five seeds)


def default_min_score(members: Sequence[Checkpoint]) -> float:
    """The best score below which a committee is taken to see no digit: the mean of its members' own.

    A network's own is the one that was chosen for it, or `MIN_SCORE`.
    """
    return float(np.mean([member.figures.get("min_score", MIN_SCORE) for member in members]))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one digit of a picture.

    Attributes:
        digit: 0 to 9; None where there is none, and then `reason` says why.
        score: the best of the scores; None where the network saw nothing.
        scores: of the ten digits.
        reason: empty where there is a digit.
    """

    digit: int | None
    score: float | None
    scores: list[float] | None
    reason: str = ""


def read_digits(
    members: Sequence[Checkpoint], pictures: Sequence[Prepared], min_score: float, team: Team
) -> list[Answer]:
    """The answers to pictures, all of them in one pass through each network.

    Args:
        members: the networks, whose scores are averaged.
        pictures: as `bpcli.data.picture.prepare` makes them.
        min_score: below it, the best score is taken to mean that there is no digit.
        team: who shares the work.
    """
    digits = [each.pixels for each in pictures if each.pixels is not None]
    images = np.stack(digits).reshape(-1, PIXELS) if digits else np.empty((0, PIXELS), np.uint8)
    scores = iter(mean_scores(members, images, team).tolist())
    return [
        _answer(next(scores), min_score) if each.pixels is not None else Answer(None, None, None, each.reason)
        for each in pictures
    ]


def _answer(scores: list[float], min_score: float) -> Answer:
    best = max(scores)
    digit = scores.index(best)
    if best < min_score:
        return Answer(None, best, scores, f"no score reaches {min_score:g}; the best, {best:.3f}, is that of {digit}")
    return Answer(digit, best, scores)
