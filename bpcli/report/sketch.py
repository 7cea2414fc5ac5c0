"""What opens a report: a sentence about a network, and where the parts of its drawing lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.report.predictions import Predictions, confident_mistakes, uncertain_hits
from bpcli.report.sprites import image_url
from bpcli.report.study import LayerStudy, Study

WIDTH, HEIGHT = 360.0, 190.0  # of the drawing
PICTURE = 76.0  # width of the picture in it
TOP, BOTTOM = 8.0, 150.0  # between which dots lie
MOST_DOTS = 9  # for a hidden layer
MOST_OUTPUTS = 12
MOST_LAYERS = 3  # hidden ones that are drawn


class Dot(NamedTuple):
    """A unit in the drawing: its place, its kind (live, dead, label, answer, other), a name and a score beside it."""

    x: float
    y: float
    kind: str
    name: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Sketch:
    """The drawing of a network that looks at a picture.

    Attributes:
        picture: a data URL.
        number, label, answer: the picture's index in the test file, and the names of its classes.
        columns: the dots of each layer that is drawn, with two lines of text.
        omitted: how many hidden layers are not drawn.
    """

    picture: str
    number: int
    label: str
    answer: str
    columns: tuple[tuple[tuple[Dot, ...], str, str], ...]
    omitted: int


class Confusion(NamedTuple):
    """The most frequent kind of mistake: the names of label and answer, and how often it was made."""

    label: str
    answer: str
    times: int


def commonest(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Confusion | None:
    """Return the most frequent kind of mistake; None if none was made more than once."""
    wrong = np.array(confusion)
    np.fill_diagonal(wrong, 0)
    label, answer = divmod(int(wrong.argmax()), len(classes))
    times = int(wrong[label, answer])
    return Confusion(classes[label], classes[answer], times) if times > 1 else None


def sketch(seen: Study) -> Sketch:
    """Return the drawing: the network looks at a picture that it misreads, of the commonest kind of mistake."""
    classes, number = seen.run.loaded.spec.classes, _picture(seen)
    test, hidden = seen.test, list(zip(seen.layers, seen.run.loaded.config.model.activations, strict=False))
    drawn = [*hidden[: MOST_LAYERS - 1], hidden[-1]] if len(hidden) > MOST_LAYERS else hidden
    places = np.linspace(PICTURE + 60, WIDTH - 80, len(drawn) + 1).tolist()
    columns = [_hidden(layer, activation, x) for (layer, activation), x in zip(drawn, places, strict=False)]
    return Sketch(
        image_url(test.images[number]),
        number,
        classes[test.labels[number]],
        classes[test.answers[number]],
        (*columns, _outputs(test, number, classes, places[-1])),
        len(hidden) - len(drawn),
    )


def _picture(seen: Study) -> int:
    """Return the most confident mistake of the commonest kind; without any mistake, the least certain answer."""
    wrong = confident_mistakes(seen.test, len(seen.test.labels))
    if not len(wrong):
        return int(uncertain_hits(seen.test, 1)[0])
    classes = seen.run.loaded.spec.classes
    found = commonest(seen.splits["test"]["confusion"], classes)
    kinds = ((classes[seen.test.labels[i]], classes[seen.test.answers[i]]) for i in wrong)
    alike = (int(i) for i, kind in zip(wrong, kinds, strict=True) if found and kind == found[:2])
    return next(alike, int(wrong[0]))


def _hidden(layer: LayerStudy, activation: str, x: float) -> tuple[tuple[Dot, ...], str, str]:
    units = len(layer.active.dead) if layer.active else 0
    dead = int(layer.active.dead.sum()) if layer.active else 0
    few = min(units, MOST_DOTS)
    share = round(dead * few / units)
    dots = tuple(
        Dot(x, y, "dead" if (n + 1) * share // few > n * share // few else "live") for n, y in enumerate(_spread(few))
    )
    return dots, f"{units:,} {activation}", f"{dead:,} dead" if dead else ""


def _outputs(test: Predictions, number: int, classes: Sequence[str], x: float) -> tuple[tuple[Dot, ...], str, str]:
    """Return the dots of the outputs with the highest scores, in the order of the classes."""
    scores, label, answer = test.scores[number], test.labels[number], test.answers[number]
    shown = sorted({*np.argsort(-scores, kind="stable")[: MOST_OUTPUTS - 1].tolist(), int(label)})
    dots = tuple(
        Dot(x, y, "label" if n == label else "answer" if n == answer else "other", classes[n], _part(scores[n]))
        for n, y in zip(shown, _spread(len(shown)), strict=True)
    )
    return dots, f"{len(classes)} scores", "" if len(shown) == len(classes) else f"{len(shown)} of them here"


def _part(score: float) -> float:
    return float(np.clip(score, 0, 1))


def _spread(count: int) -> Iterator[float]:
    """Yield heights of dots, evenly spread about the middle."""
    step = min((BOTTOM - TOP) / count, 18.0)
    first = (TOP + BOTTOM - step * (count - 1)) / 2
    yield from (first + step * n for n in range(count))
