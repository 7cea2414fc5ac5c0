"""The data of a run: read, extended with outliers, and set upright, in one place."""

from collections.abc import Callable

from bpcli import model as models
from bpcli.config import Config
from bpcli.core.threads import Interrupted, ThreadGroup, never_stop
from bpcli.data.datasets import DataSet, Split, read_data_set
from bpcli.data.outliers import with_outliers
from bpcli.errors import ConfigError


def read(config: Config, should_stop: Callable[[], bool] = never_stop) -> DataSet:
    """Return the data set that a configuration names, with outliers in the training split if it asks for some.

    Raises:
        DataError: a file is missing or malformed.
        ConfigError: outliers are wanted, but the pictures are not of digits.
        Interrupted: `should_stop` returned True between two files.
    """

    def pause() -> None:
        if should_stop():
            raise Interrupted

    data = read_data_set(config.data.folder, config.data.validation, config.data.kind, pause)
    if not config.data.outliers:
        return data
    if not data.spec.digits:
        raise ConfigError(f"data.outliers = {config.data.outliers} wants pictures of digits, which these are not")
    outliers = with_outliers(data.training, config.data.outliers, config.seed, len(data.spec.classes))
    return data._replace(training=outliers)


def upright(data: DataSet, config: Config, threads: ThreadGroup) -> DataSet:
    """Return the data with training and validation images set upright if configured; test images stay as read."""
    preprocessing = models.preprocessing(config, data.spec)
    training, validation = (preprocessing.upright_split(split, threads) for split in (data.training, data.validation))
    return data._replace(training=training, validation=validation)


def first_images(config: Config, n: int) -> tuple[DataSet, Split]:
    """Return the data set of a configuration, without outliers, and the first training images, upright.

    Raises:
        DataError: a file is missing or malformed.
    """
    data = read_data_set(config.data.folder, config.data.validation, config.data.kind, lambda: None)
    return data, models.preprocessing(config, data.spec).upright_split(data.training.first(n))
