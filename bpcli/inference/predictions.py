"""Predictions of a network or an ensemble: a class with its score, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.core.threads import ThreadGroup
from bpcli.data.picture.prepare import Prepared
from bpcli.inference.ensemble import mean_scores
from bpcli.model import Model
from bpcli.storage.checkpoint import Checkpoint

MIN_SCORE = 0.1  # refuses 0.4 % of the validation digits, 0.2 % with the right answer (default network, five seeds)


def default_min_score(members: Sequence[Checkpoint]) -> float:
    """Return an ensemble's threshold, the mean of its members'. A best score below it means that there is no class.

    A network's threshold is the one chosen for it, else `MIN_SCORE` for digits and 0 for other pictures.
    """
    return float(np.mean([member.metrics.get("min_score", MIN_SCORE * member.spec.digits) for member in members]))


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one picture, or for one of several digits in a picture.

    Attributes:
        label: the index of the class; None if there is none, and then `reason` says why.
        name: the name of the class; None likewise.
        score: the highest score; None if the network saw nothing.
        scores: the scores of all classes; None likewise.
        reason: empty if there is a class.
    """

    label: int | None
    name: str | None
    score: float | None
    scores: list[float] | None
    reason: str = ""


def predict_pictures(
    members: Sequence[Model], pictures: Sequence[Prepared], min_score: float, threads: ThreadGroup
) -> list[Prediction]:
    """Return the answers for pictures, all of them in one pass through each network.

    Args:
        members: the networks, whose scores are averaged; all of the same classes and side.
        pictures: as `bpcli.data.picture.prepare` makes them.
        min_score: if the best score is below it, the answer has no class.
        threads: the threads that share the work.
    """
    spec = members[0].spec
    seen = [each.pixels for each in pictures if each.pixels is not None]
    images = np.stack(seen) if seen else np.empty((0, spec.side, spec.side), np.uint8)
    scores = iter(mean_scores(members, images, threads).tolist())
    return [
        _prediction(next(scores), min_score, spec.classes)
        if each.pixels is not None
        else Prediction(None, None, None, None, each.reason)
        for each in pictures
    ]


def _prediction(scores: list[float], min_score: float, classes: Sequence[str]) -> Prediction:
    best = max(scores)
    label = scores.index(best)
    if best < min_score:
        reason = f"no score reaches {min_score:g}; the best, {best:.3f}, is that of {classes[label]}"
        return Prediction(None, None, best, scores, reason)
    return Prediction(label, classes[label], best, scores)
