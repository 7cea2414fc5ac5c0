"""Training images as the epochs of a run see them, for people to look at."""

from collections.abc import Iterator
from math import isqrt

import numpy as np

from bpcli.config import Config
from bpcli.core import seeds
from bpcli.core.distortions import distorters, sample_transforms
from bpcli.core.pixels import Normalization
from bpcli.core.types import Bytes
from bpcli.training import builders

_BYTES = Normalization(1.0, 0.0)


def seen(config: Config, originals: Bytes, total: int, epochs: range) -> Bytes:
    """Return the first training images as some epochs see them, (images, epochs, side²).

    Args:
        config: of the run.
        originals: the images, upright, (images, side²).
        total: how many images the training split has.
        epochs: which epochs, counted from 0.
    """
    ranges = builders.augment_ranges(config)
    (distorter,) = distorters(ranges, config.seed, _BYTES, 1, 1, isqrt(originals.shape[1]))
    found = np.empty((len(originals), len(epochs), originals.shape[1]), np.float32)
    for column, epoch in enumerate(epochs):
        for row, (step, place, n) in enumerate(_places(config, total, len(originals), epoch)):
            transforms = sample_transforms(ranges, config.seed, epoch, step, n).rows(slice(place, place + 1))
            distorter(originals[row : row + 1], transforms, found[row, column : column + 1])
    return np.rint(found).astype(np.uint8)


def _places(config: Config, total: int, images: int, epoch: int) -> Iterator[tuple[int, int, int]]:
    """Yield the step that sees each image in an epoch, its row of that step's batch, and the batch's size."""
    size = min(config.train.batch_size, total)
    for place in np.argsort(seeds.order(config.seed, epoch, total))[:images].tolist():
        step, row = divmod(place, size)
        yield step, row, min(size, total - step * size)
