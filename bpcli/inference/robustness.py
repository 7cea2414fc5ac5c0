"""Robustness: how many digits are recognized in pictures, in scenes of every kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Bytes
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.scenes.kinds import scene
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.predictions import Prediction, predict_pictures


@dataclass(frozen=True, slots=True)
class KindMetrics:
    """The metrics of one kind of scene.

    Attributes:
        kind: of the scenes.
        n: the number of scenes.
        right: how many got the right digit.
        refused: how many were answered "no digit".
    """

    kind: str
    n: int
    right: int
    refused: int


def _ignore(kind: str) -> None:
    """Default for `on_scene`: do nothing."""


def evaluate_scenes(
    ensembles: Sequence[tuple[Ensemble, float]],
    split: Split,
    kind: str,
    threads: ThreadGroup,
    on_scene: Callable[[str], None] = _ignore,
) -> list[KindMetrics]:
    """Put the digits of a split into scenes of a kind, and return each ensemble's metrics for them.

    Args:
        ensembles: each with its least score: below it, its best score is no answer, as in `bpcli predict`.
        split: the digits.
        kind: one of `bpcli.data.scenes.kinds.KINDS`.
        threads: the threads that share the work.
        on_scene: called with the kind before each scene, by any of the threads.
    """
    pictures = prepare_scenes(split, kind, threads, on_scene)
    answers = (predict_pictures(ensemble, pictures, least, threads) for ensemble, least in ensembles)
    return [_metrics(kind, split.labels, each) for each in answers]


def _metrics(kind: str, labels: Bytes, predictions: Sequence[Prediction]) -> KindMetrics:
    right = sum(each.label == label for each, label in zip(predictions, labels.tolist(), strict=True))
    return KindMetrics(kind, len(labels), right, sum(each.label is None for each in predictions))


def prepare_scenes(
    split: Split, kind: str, threads: ThreadGroup, on_scene: Callable[[str], None] = _ignore
) -> list[Prepared]:
    """Put the digits of a split into scenes of a kind, and return them as found there; see `evaluate_scenes`."""
    found: list[Prepared | None] = [None] * len(split)

    def work(index: int) -> None:
        for number in range(index, len(split), threads.size):
            on_scene(kind)
            digit = split.images[number].reshape(split.side, split.side)
            found[number] = prepare(read_picture(scene(kind, digit, number)), side=split.side)

    threads.parallel(work)
    return [each for each in found if each is not None]
