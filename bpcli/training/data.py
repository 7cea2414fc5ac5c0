"""The data of a run: read, extended with generated images, and set upright, in one place."""

from collections.abc import Callable, Generator, Mapping

import numpy as np

from bpcli import model as models
from bpcli.config import Config
from bpcli.core.threads import Interrupted, ThreadGroup, never_stop
from bpcli.data import datasets
from bpcli.data.datasets import DataSet, Split, end_of, joined
from bpcli.data.drawn import hands, printed
from bpcli.data.folder.remarks import Preparing, Remarks
from bpcli.data.outliers import with_outliers
from bpcli.errors import ConfigError
from bpcli.storage.start import Start
from bpcli.training.events import PicturesRead

_DRAWN: Mapping[str, Callable[..., Split]] = {"hands": hands.draw, "printed": printed.draw}  # by their keys in `data`


def read(config: Config, should_stop: Callable[[], bool] = never_stop, start: Start | None = None) -> DataSet:
    """Return the data set that a configuration names, as `reading` does, without the events."""
    return end_of(reading(config, should_stop, start))


def reading(
    config: Config, should_stop: Callable[[], bool] = never_stop, start: Start | None = None
) -> Generator[Preparing | PicturesRead, None, DataSet]:
    """Return the data set that a configuration names, with the generated images it asks for in the training split.

    They follow the images of the file: hands, then printed digits, then outliers. Events tell of pictures. The
    brightness is that of the network to start from, if there is one.

    Raises:
        DataError: a file is missing or malformed, or the network expects images of another side.
        ConfigError: generated images are wanted, but the pictures are not of digits, or Matplotlib's fonts are missing;
            or `data.width` is more than the images have pixels.
        Interrupted: `should_stop` returned True between two files or two drawings.
    """

    def pause() -> None:
        if should_stop():
            raise Interrupted

    data = yield from _original(config, pause)
    if data.remarks is not None:
        yield _told(data, data.remarks)
    spec = data.spec if start is None else start.spec(data.spec)
    return data._replace(spec=spec, training=_extended(data, config, pause))


def _original(config: Config, pause: Callable[[], None]) -> Generator[Preparing, None, DataSet]:
    """Return the data set without generated images; refuse one that is too small for `data.width`."""
    own = config.data
    data = yield from datasets.reading(own.place, own.validation, own.kind, pause, test=own.test, side=own.side)
    side = data.spec.side
    if own.width is not None and own.width > side:
        raise ConfigError(f"data.width = {own.width}: the images are {side} pixels wide; expected 4 to {side}, or off")
    return data


def _told(data: DataSet, remarks: Remarks) -> PicturesRead:
    """Return the event that tells of pictures."""
    splits = (data.training, data.validation, data.test)
    counts = np.stack([np.bincount(each.labels, minlength=len(data.spec.classes)) for each in splits], axis=1)
    return PicturesRead(data.spec.classes, counts.tolist(), remarks)


def _extended(data: DataSet, config: Config, pause: Callable[[], None]) -> Split:
    """Return the training split with the generated images that a configuration asks for."""
    counts = {key: count for key in (*_DRAWN, "outliers") if (count := getattr(config.data, key))}
    for key, count in counts.items():
        if not data.spec.numerals:
            raise ConfigError(f"data.{key} = {count} wants pictures of the digits 0 to 9, which these are not")
    outliers = counts.pop("outliers", 0)
    drawn = [_DRAWN[key](count, config.seed, data.spec.side, pause=pause) for key, count in counts.items()]
    training = joined(data.training, *drawn)
    if not outliers:
        return training
    return with_outliers(training, outliers, config.seed, len(data.spec.classes), config.data.outlier_kinds)


def upright(data: DataSet, config: Config, threads: ThreadGroup) -> DataSet:
    """Return the data with training and validation images set upright if configured; test images stay as read."""
    preprocessing = models.preprocessing(config, data.spec)
    training, validation = (preprocessing.upright_split(split, threads) for split in (data.training, data.validation))
    return data._replace(training=training, validation=validation)


def first_images(config: Config, n: int) -> tuple[DataSet, Split]:
    """Return the data set of a configuration, without generated images, and the first training images, upright.

    Raises:
        DataError: a file is missing or malformed.
        ConfigError: `data.width` is more than the images have pixels.
    """
    data = end_of(_original(config, lambda: None))
    return data, models.preprocessing(config, data.spec).upright_split(data.training.first(n))
