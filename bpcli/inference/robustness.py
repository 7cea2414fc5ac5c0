"""Robustness: how many digits are read right once they are in pictures, in scenes of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Bytes
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.scenes.kinds import scene
from bpcli.inference.predictions import Prediction, default_min_score, predict_pictures
from bpcli.storage.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class KindMetrics:
    """How the scenes of a kind were read.

    Attributes:
        n: how many there were.
        right: with the right digit.
        refused: answered "no digit".
    """

    kind: str
    n: int
    right: int
    refused: int


def evaluate_scenes(
    ensembles: Sequence[Sequence[Checkpoint]], split: Split, kind: str, limit: int | None, threads: ThreadGroup
) -> list[KindMetrics]:
    """Put the first digits of a split into scenes of a kind, and read them as `bpcli predict` would.

    Args:
        ensembles: who reads them: networks that answer together, one or several. Each gets metrics of its own.
        split: the digits.
        kind: one of `bpcli.data.scenes.kinds.KINDS`.
        limit: how many of the digits; None for all.
        threads: who shares the work.
    """
    some = split if limit is None else split.first(limit)
    pictures = prepare_scenes(some, kind, threads)
    return [_metrics(kind, some.labels, _predictions(members, pictures, threads)) for members in ensembles]


def _predictions(members: Sequence[Checkpoint], pictures: Sequence[Prepared], threads: ThreadGroup) -> list[Prediction]:
    return predict_pictures([member.model for member in members], pictures, default_min_score(members), threads)


def _metrics(kind: str, labels: Bytes, predictions: Sequence[Prediction]) -> KindMetrics:
    right = sum(each.label == label for each, label in zip(predictions, labels.tolist(), strict=True))
    return KindMetrics(kind, len(labels), right, sum(each.label is None for each in predictions))


def prepare_scenes(split: Split, kind: str, threads: ThreadGroup) -> list[Prepared]:
    """Return the digits of a split, put into scenes of a kind and found there."""
    found: list[Prepared | None] = [None] * len(split)

    def work(index: int) -> None:
        for number in range(index, len(split), threads.size):
            digit = split.images[number].reshape(split.side, split.side)
            found[number] = prepare(read_picture(scene(kind, digit, number)))

    threads.parallel(work)
    return [each for each in found if each is not None]
