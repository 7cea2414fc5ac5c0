"""What a line would be without cuts."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from bpcli.data.picture.prepare import Option
from bpcli.data.picture.segment import Run

Part = TypeVar("Part", Run, Option)


def uncut(lines: Iterable[Sequence[Part]]) -> list[Part]:
    """The whole marks of each line: what lies in nothing larger."""
    return [one for line in lines for one in line if not any(_contains(other, one) for other in line)]


def _contains(one: Run | Option, other: Run | Option) -> bool:
    return one[:2] != other[:2] and one.start <= other.start and other.stop <= one.stop
