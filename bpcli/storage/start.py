"""The network that a run starts from: what it brings along, and its copy in the folder of the run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from pathlib import Path

import msgspec

from bpcli import config as configuration
from bpcli.config import Config, Setting, Tree
from bpcli.data.spec import DataSpec
from bpcli.errors import CheckpointError, ConfigError, DataError
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Environment
from bpcli.storage.files import FileSystem, write_file
from bpcli.storage.find import find_network, name_of
from bpcli.storage.run_folder import SEARCH, START
from bpcli.storage.series_file import is_series

# what a network was trained with and does not work without; all else is the new run's own
INHERITED = (
    "data.normalize", "data.deslant", "data.width", "model.hidden", "model.activation", "model.output", "loss",
)  # fmt: skip
NAME, DIGEST = "start", "start SHA-256"  # in the environment that a checkpoint records


@dataclass(frozen=True, slots=True)
class Start:
    """A network to start from.

    Attributes:
        name: what the user may call it.
        content: its file.
        model: the network.
    """

    name: str
    content: bytes
    model: Model

    def spec(self, data: DataSpec) -> DataSpec:
        """Return the specification of a data set, with the brightness that the network is used to.

        Raises:
            DataError: the network expects images of another side.
        """
        mine = self.model.spec
        if data.side != mine.side:
            raise DataError(
                f"train.start: {self.name} expects images of {mine.side}×{mine.side} pixels; these have "
                f"{data.side}×{data.side}"
            )
        return replace(data, mean=mine.mean, deviation=mine.deviation)


def load(source: str = "default", overrides: Iterable[Setting] = ()) -> Config:
    """Return a configuration as `bpcli.config.load`, with what the network of `train.start` brings along.

    Raises:
        ConfigError: it is not valid, or it gives the network another form than it has.
        CheckpointError: there is no such network, or it can't be read.
    """
    config = configuration.load(source, overrides, lambda name: inherited(read(name).model.config))
    start = of(config)
    return config if start is None else _renamed(config, start.name)


def inherited(config: Config) -> Tree:
    """Return the keys that a network brings along, as a tree with their values in its configuration."""
    sections: dict[str, Tree] = {}
    for key in INHERITED:
        section, _, name = key.rpartition(".")
        sections.setdefault(section, {})[name] = attrgetter(key)(config)
    return {**sections.pop(""), **sections}


def of(config: Config, *others: Config) -> Start | None:
    """Return the network that a configuration, and others with it, start from; None if their weights are drawn.

    Raises:
        CheckpointError: there is no such network, or it can't be read.
        ConfigError: a configuration gives it another form than it has.
    """
    if config.train.start is None:
        return None
    start = read(config.train.start)
    for each in (config, *others):
        _agreeing(each, start)
    return start


def kept(folder: Path, config: Config) -> Start | None:
    """Return the network that a run or series started from; None if weights were drawn.

    Its copy lies in the folder or, if workers began the run, in the one around it, of the series or the search.

    Raises:
        CheckpointError: the copy is gone, or can't be read.
        ConfigError: the configuration gives it another form than it has.
    """
    if config.train.start is None:
        return None
    around = is_series(folder.parent) or (folder.parent / SEARCH).is_file()
    own = folder if (folder / START).exists() or not around else folder.parent
    return _agreeing(config, _read(own / START, config.train.start))


def keep(start: Start | None, folder: Path, fs: FileSystem) -> None:
    """Copy the network's file into the folder of a run, which can then begin again whatever becomes of the source.

    Raises:
        OutputError: it can't be written.
    """
    if start is not None:
        write_file(folder / START, start.content, fs=fs)


def record(start: Start | None) -> Environment:
    """Return the network's name and its file's SHA-256, for the environment that a checkpoint records; {} for none."""
    return {} if start is None else {NAME: start.name, DIGEST: sha256(start.content).hexdigest()}


def recorded(environment: Mapping[str, str | int]) -> Environment:
    """Return that part of an environment."""
    return {key: environment[key] for key in (NAME, DIGEST) if key in environment}


def origin(environment: Mapping[str, str | int]) -> dict[str, str] | None:
    """Return `name` and `sha256` of the network that the run of an environment started from; None if there was none."""
    found = recorded(environment)
    return {"name": str(found[NAME]), "sha256": str(found[DIGEST])} if len(found) == len((NAME, DIGEST)) else None


def read(source: str) -> Start:
    """Return the network that a user's text names.

    Raises:
        CheckpointError: there is no such network, it can't be read, or no run could record its name.
    """
    path = find_network(source)
    name = name_of(path)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(f"{path}: its name is not UTF-8, so no run could record it; rename it") from error
    return _read(path, name)


def _read(path: Path, name: str) -> Start:
    loaded = checkpoint.load(path)
    try:
        return Start(name, path.read_bytes(), loaded.model)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error


def _agreeing(config: Config, start: Start) -> Start:
    """Return the start; refuse a configuration that gives its network another form."""
    found = configuration.differences(start.model.config, config)
    for key in INHERITED:
        if key in found:
            was, now = (configuration.to_lines(each)[key] for each in (start.model.config, config))
            raise ConfigError(
                f"{key} = {now}, but {start.name}, the network to start from, has {was}; leave the key out, as the "
                "network brings its own"
            )
    return start


def _renamed(config: Config, name: str) -> Config:
    """Return the configuration with a name of its start that stays right, as `latest` does not."""
    return msgspec.structs.replace(config, train=msgspec.structs.replace(config.train, start=name))
