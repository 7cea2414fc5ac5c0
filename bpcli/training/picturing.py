"""How many digits are read right once they are in pictures: scenes of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from bpcli.core.types import Bytes
from bpcli.data.mnist import Split
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.scenes.kinds import scene
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.reading import Answer, default_min_score, read_digits
from bpcli.training.team import Team


@dataclass(frozen=True, slots=True)
class Reading:
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


def read_scenes(
    committees: Sequence[Sequence[Checkpoint]], split: Split, kind: str, limit: int | None, team: Team
) -> list[Reading]:
    """Puts the first digits of a split into scenes of a kind and reads them as `bpcli predict` would.

    Args:
        committees: who reads them: networks that answer together, one or several; a reading is made for each.
        split: the digits.
        kind: one of `bpcli.data.scenes.kinds.KINDS`.
        limit: how many of the digits; None for all.
        team: who shares the work.
    """
    labels = split.labels[:limit]
    pictures = prepared_scenes(split, kind, len(labels), team)
    return [
        _reading(kind, labels, read_digits(members, pictures, default_min_score(members), team))
        for members in committees
    ]


def _reading(kind: str, labels: Bytes, answers: Sequence[Answer]) -> Reading:
    right = sum(answer.digit == label for answer, label in zip(answers, labels.tolist(), strict=True))
    return Reading(kind, len(labels), right, sum(answer.digit is None for answer in answers))


def prepared_scenes(split: Split, kind: str, count: int, team: Team) -> list[Prepared]:
    """The first digits of a split, put into scenes of a kind and found there."""
    found: list[Prepared | None] = [None] * count

    def work(worker: int) -> None:
        for index in range(worker, count, team.size):
            digit = split.images[index].reshape(28, 28)
            found[index] = prepare(read_picture(scene(kind, digit, index)))

    team.each(work)
    return [each for each in found if each is not None]
