"""Predictions of a network or an ensemble: a class with its score, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.core.threads import ThreadGroup
from bpcli.data.picture.prepare import Line, Prepared
from bpcli.data.picture.segment import Box
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.numbers import are_several, best_path
from bpcli.storage.checkpoint import Checkpoint

MIN_SCORE = 0.1  # refuses 0.4 % of the validation digits, 0.2 % with the right answer (default network, five seeds)


def default_min_score(members: Sequence[Checkpoint]) -> float:
    """Return an ensemble's threshold, the mean of its members'. A best score below it means that there is no class.

    A network's threshold is the one chosen for it, else `MIN_SCORE` for the digits 0 to 9 and 0 for other classes.
    """
    return float(np.mean([member.metrics.get("min_score", MIN_SCORE * member.spec.numerals) for member in members]))


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


class Digit(NamedTuple):
    """A digit of a number: where it is, what the network saw, and its answer."""

    box: Box
    prepared: Prepared
    answer: Prediction


def predict_pictures(
    ensemble: Ensemble, pictures: Sequence[Prepared], min_score: float, threads: ThreadGroup
) -> list[Prediction]:
    """Return the answers for pictures of one digit or thing, all of them in one pass through each network.

    A picture that clearly shows several digits has no class. Those that may show several take a second pass.

    Args:
        ensemble: the networks that answer.
        pictures: as `bpcli.data.picture.prepare` makes them.
        min_score: if the best score is below it, the answer has no class.
        threads: the threads that share the work.
    """
    answers = _answers(ensemble, pictures, min_score, threads)
    crowded = [index for index, each in enumerate(pictures) if each.lines]
    counts = _counts(ensemble, [pictures[index].lines for index in crowded], min_score, threads)
    for index, count in zip(crowded, counts, strict=True):
        if count > 1:
            answers[index] = Prediction(None, None, None, None, f"{count} digits; --multi reads them all")
    return answers


def predict_numbers(
    ensemble: Ensemble, pages: Sequence[Sequence[Line]], min_score: float, threads: ThreadGroup
) -> list[list[Digit]]:
    """Return the digits of each page, in reading order.

    Args:
        ensemble: the networks that answer.
        pages: the lines of each, as `bpcli.data.picture.prepare.prepare_all` returns them.
        min_score: if a digit's best score is below it, the answer has no class.
        threads: the threads that share the work.
    """
    return [[digit for line in lines for digit in line] for lines in _digits(ensemble, pages, min_score, threads)]


def _digits(
    ensemble: Ensemble, pages: Sequence[Sequence[Line]], min_score: float, threads: ThreadGroup
) -> list[list[list[Digit]]]:
    """Return the digits of each line of each page."""
    options = [option for page in pages for line in page for option in line]
    answers = iter(_answers(ensemble, [option.prepared for option in options], min_score, threads))
    return [[_chosen(line, [next(answers) for _ in line]) for line in page] for page in pages]


def _chosen(line: Line, answers: Sequence[Prediction]) -> list[Digit]:
    path = best_path(line, [answer.score or 0.0 for answer in answers])
    return [Digit(line[index].box, line[index].prepared, answers[index]) for index in path]


def _counts(ensemble: Ensemble, pages: Sequence[Sequence[Line]], min_score: float, threads: ThreadGroup) -> list[int]:
    """Return how many digits each page shows if they are clearly several, else 1."""
    return [
        sum(digit.answer.label is not None for line in lines for digit in line)
        if any(are_several([d.box for d in line], [d.answer.score or 0.0 for d in line]) for line in lines)
        else 1
        for lines in _digits(ensemble, pages, min_score, threads)
    ]


def _answers(
    ensemble: Ensemble, pictures: Sequence[Prepared], min_score: float, threads: ThreadGroup
) -> list[Prediction]:
    """Return the answers for prepared pictures, each for itself."""
    spec = ensemble.spec
    seen = [each.pixels for each in pictures if each.pixels is not None]
    images = np.stack(seen) if seen else np.empty((0, spec.side, spec.side), np.uint8)
    scores = iter(ensemble.scores(images, threads).tolist())
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
