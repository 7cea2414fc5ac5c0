"""A network's mistakes as pictures on one sheet."""

from collections.abc import Sequence

from bpcli.data.datasets import Split
from bpcli.data.sheet import contact_sheet
from bpcli.inference.evaluation import Mistake


def mistake_sheet(wrong: Sequence[Mistake], classes: Sequence[str], split: Split) -> bytes:
    """Return a PNG of the images that were mistaken, each with its label and what the network took it for."""
    captions = [f"{classes[each.label]} as {classes[each.prediction]}" for each in wrong]
    return contact_sheet(split.images[[each.index for each in wrong]], captions)
