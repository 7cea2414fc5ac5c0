"""Test images that travel in a page: some hard ones, and others that stand for all."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split
from bpcli.model import Model
from bpcli.report.sprites import ACROSS, exact_url

HARD = 6
FAIR = 100
LOOKED_AT = 2000  # test images among which the hard ones are looked for: a fraction of a second


class Samples(NamedTuple):
    """Images (n, side²) with their labels (n,): first `hard` ones that the network finds hard, then those at random."""

    images: Bytes
    labels: Bytes
    hard: int


def choose(model: Model, split: Split) -> Samples:
    """Return samples of a split: `FAIR` at equal distances, and before them the hardest of the first `LOOKED_AT`."""
    seen = split.first(LOOKED_AT)
    hard = hardest(model.scores(seen.images), seen.labels)
    fair = np.unique(np.linspace(0, len(split) - 1, FAIR).astype(np.intp))
    both = np.concatenate([hard, fair])
    return Samples(split.images[both], split.labels[both], len(hard))


def hardest(scores: Array, labels: Bytes) -> NDArray[np.intp]:
    """Return the indices of `HARD` images, each of another class: those misread by least, then those read by least."""
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    margin = scores[rows, labels] - others.max(axis=1)
    order = np.lexsort((np.abs(margin), margin > 0))
    firsts = np.sort(np.unique(labels[order], return_index=True)[1])
    return order[firsts[:HARD]]


def as_json(samples: Samples | None) -> dict[str, Any] | None:
    """Return samples for the page's JSON: their images as one PNG, without loss."""
    if samples is None:
        return None
    sheet = exact_url(samples.images, ACROSS)
    return {"sheet": sheet, "across": ACROSS, "labels": samples.labels.tolist(), "hard": samples.hard}
