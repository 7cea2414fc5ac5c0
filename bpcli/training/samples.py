"""Images as the epochs of a run see them, to be looked at."""

from collections.abc import Iterator

import numpy as np

from bpcli.config import Config
from bpcli.core import seeds
from bpcli.core.distortions import distorters, draw
from bpcli.core.pixels import Normalization
from bpcli.core.types import Bytes
from bpcli.data.mnist import PIXELS, Split
from bpcli.training import problem

_BYTES = Normalization(1.0, 0.0)


def seen(config: Config, training: Split, images: range, epochs: range) -> Bytes:
    """What each of the epochs, counted from 0, makes of each of the images, (images, epochs, 784)."""
    ranges = problem.distortions(config)
    originals = problem.prepared(config, training.images[images.start : images.stop])
    (distorter,) = distorters(ranges, config.seed, _BYTES, 1, 1)
    found = np.empty((len(images), len(epochs), PIXELS), np.float32)
    for column, epoch in enumerate(epochs):
        for row, (step, place, n) in enumerate(_places(config, training, images, epoch)):
            draws = draw(ranges, config.seed, epoch, step, n).rows(slice(place, place + 1))
            distorter(originals[row : row + 1], draws, found[row, column : column + 1])
    return np.rint(found).astype(np.uint8)


def _places(config: Config, training: Split, images: range, epoch: int) -> Iterator[tuple[int, int, int]]:
    """The step that sees each image in an epoch, its row of that step's batch, and the batch's size."""
    total = len(training)
    size = min(config.train.batch_size, total)
    places = np.argsort(seeds.order(config.seed, epoch, total))
    for place in places[images.start : images.stop].tolist():
        step, row = divmod(place, size)
        yield step, row, min(size, total - step * size)
