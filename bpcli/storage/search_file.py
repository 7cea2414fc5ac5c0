"""A search for settings: what is searched, and the file that describes it in its folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from bpcli import config as configuration
from bpcli import hints
from bpcli.config import Config
from bpcli.errors import CheckpointError, ConfigError
from bpcli.storage import start
from bpcli.storage.files import SYSTEM, FileSystem, write_file
from bpcli.storage.run_folder import SEARCH
from bpcli.strict_yaml import MAX_LENGTH, parse_yaml, to_text

MAX_TRIALS = 100_000
_TRIED = 2000  # combinations of values that are checked before anything starts

Metric: TypeAlias = Literal["validation_accuracy", "validation_loss"]

# they would change what the metric is measured on, what a rung means, or nothing at all
_FIXED = {
    "seed": "trials are compared with one seed", "data.folder": "trials are compared on one data set",
    "data.kind": "trials are compared on one data set", "data.validation": "trials are compared on one split",
    "train.epochs": "rungs are epochs of runs of one length", "train.threads": "it changes nothing but the time",
    "train.start": "the network brings its own form along", "train.checkpoint_minutes": "it changes nothing",
}  # fmt: skip
_OTHER_DATA = ("data.name", "data.test")
_OTHER_LOSS = ("loss", "train.penalty_in_loss")  # they would change what the metric validation_loss is


class Range(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Numbers from `min` to `max`, both included; with `log`, evenly on a logarithmic scale."""

    min: int | float
    max: int | float
    log: bool = False

    @property
    def ends(self) -> tuple[object, ...]:
        """The values that are checked before a search."""
        return self.min, self.max


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """One of some values."""

    values: Annotated[tuple[Any, ...], Meta(min_length=1, max_length=1000)]

    @property
    def ends(self) -> tuple[object, ...]:
        """The values that are checked before a search."""
        return self.values


Setting: TypeAlias = Range | Choice


class _Text(Struct, forbid_unknown_fields=True):
    """The content of the file."""

    space: dict[str, dict[str, Any]]
    config: str | dict[str, Any] = "default"
    set: dict[str, Any] = {}
    metric: Metric = "validation_accuracy"
    trials: Annotated[int, Meta(ge=1, le=MAX_TRIALS)] = 60
    rungs: Annotated[tuple[Annotated[int, Meta(ge=1, le=100_000)], ...], Meta(max_length=20)] = ()
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    Attributes:
        config: of every trial, but for the keys of the space.
        metric: by which trials are compared.
        trials: how many there are.
        rungs: the epochs after which the worse two thirds pause, rising; none: every trial runs to its end.
        seed: of the search.
        space: the keys that vary.
    """

    config: Config
    metric: Metric
    trials: int
    rungs: tuple[int, ...]
    seed: int
    space: Mapping[str, Setting]

    @property
    def maximizes(self) -> bool:
        """Whether the metric is better where it is greater."""
        return self.metric == "validation_accuracy"

    def trial(self, values: Mapping[str, object]) -> Config:
        """Return the configuration of a trial with these values.

        Raises:
            ConfigError: they don't go together.
        """
        return configuration.changed(self.config, values, "space")

    def values(self, config: Config) -> dict[str, object]:
        """Return the values of the space's keys in a trial's configuration, as plain data."""
        found = {key: attrgetter(key)(config) for key in self.space}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def is_search(folder: Path) -> bool:
    """Return whether a folder is that of a search."""
    try:
        return (folder / SEARCH).is_file()
    except OSError:
        return False


def read(path: Path, trials: int | None = None) -> Search:
    """Read the description of a search, and check that every value in it could be trained.

    Args:
        path: the file.
        trials: how many, instead of what the file says.

    Raises:
        ConfigError: it can't be read, a name or a value in it is wrong, or there would be no validation split.
        CheckpointError: the network to start from can't be read.
    """
    search = _read(path, trials)
    _require_sense(search, path)
    return search


def _read(path: Path, trials: int | None = None) -> Search:
    """Read the description of a search, whose values may not go together."""
    try:
        with path.open("rb") as file:
            text = msgspec.convert(parse_yaml(file.read(MAX_LENGTH + 1), str(path)), _Text)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror or error}") from error
    except msgspec.ValidationError as error:
        complaint = str(error).replace("`", "").replace("array", "list").replace("object", "mapping")
        raise ConfigError(f"{path}: not the description of a search: {complaint}") from error
    config = _base(text, str(path))
    space = {key: _setting(key, given, f"{path}: space") for key, given in text.space.items()}
    return Search(config, text.metric, trials or text.trials, text.rungs, text.seed, space)


def read_folder(folder: Path) -> Search:
    """Read the description of a search from its folder; it was checked before it was written.

    Raises:
        CheckpointError: it can't be read.
    """
    try:
        return _read(folder / SEARCH)
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def write(folder: Path, search: Search, fs: FileSystem = SYSTEM) -> None:
    """Write the description of a search into its folder, with the whole configuration.

    Raises:
        OutputError: it can't be written; the old one stays.
    """
    write_file(folder / SEARCH, _as_text(search).encode(), fs=fs)


def _as_text(search: Search) -> str:
    """Return the description of a search, with the whole configuration, as YAML."""
    content = {
        "metric": search.metric,
        "trials": search.trials,
        "rungs": list(search.rungs),
        "seed": search.seed,
        "space": msgspec.to_builtins(dict(search.space)),
        "config": configuration.to_tree(search.config),
    }
    return to_text(content)


def _base(text: _Text, source: str) -> Config:
    """Return the configuration that trials have in common."""
    if isinstance(text.config, str):
        config = start.load(text.config)
    else:
        config = configuration.from_tree(text.config, f"{source}: config")
    return configuration.changed(config, text.set, f"{source}: set")


def _setting(key: str, given: Mapping[str, object], space: str) -> Setting:
    """Return the setting of a key of the space; its values are those that the configuration has for them."""
    source, known = f"{space}: {key}", configuration.keys()
    if key not in known:
        raise ConfigError(f"{source}: unknown key{hints.question(hints.nearest_keys(key, known))}")
    if key in _FIXED:
        raise ConfigError(f"{source}: can't be searched: {_FIXED[key]}")
    try:
        if "values" in given:
            choice = msgspec.convert(given, Choice)
            setting: Setting = Choice(tuple(configuration.checked_value(key, each, space) for each in choice.values))
        else:
            ends = {end: configuration.checked_value(key, given[end], space) for end in ("min", "max") if end in given}
            setting = msgspec.convert({**given, **ends}, Range)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{source}: expected {{min: ..., max: ...}}, perhaps with log: true, or {{values: [...]}}: {error}"
        ) from None
    if isinstance(setting, Range) and (setting.min >= setting.max or (setting.log and setting.min <= 0)):
        raise ConfigError(f"{source}: expected min below max, with log: true also above 0")
    return setting


def _require_sense(search: Search, path: Path) -> None:
    """Refuse a search that could not be made, or whose values don't go together."""
    if not search.space:
        raise ConfigError(f"{path}: space names no key; nothing varies")
    if not search.config.data.validation:
        raise ConfigError(
            f"{path}: the configuration has no validation split, by which trials are compared; give it one with "
            "set: {data.validation: 10000}"
        )
    if list(search.rungs) != sorted({*search.rungs}) or search.rungs[-1:] >= (search.config.train.epochs,):
        raise ConfigError(
            f"{path}: rungs = {list(search.rungs)}: expected rising epochs below train.epochs = "
            f"{search.config.train.epochs}"
        )
    for key, reason in _senseless(search):
        raise ConfigError(f"{path}: space: {key}: {reason}")
    parse_yaml(_as_text(search).encode(), f"{path}, with the whole configuration")  # as the search's folder keeps it
    for values in _combinations(search.space):
        try:
            search.trial(values)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


def _senseless(search: Search) -> Iterator[tuple[str, str]]:
    """Yield each key that can't be searched so, with the reason."""
    penalty = ("optimizer.weight_decay",) if search.config.train.penalty_in_loss else ()
    for key, setting in search.space.items():
        if key in _OTHER_DATA:
            yield key, "can't be searched: trials are compared on one data set"
        if search.metric == "validation_loss" and key in (*_OTHER_LOSS, *penalty):
            yield key, "can't be searched by validation_loss, which it changes"
        if isinstance(setting, Choice) and any(each in setting.values[:n] for n, each in enumerate(setting.values)):
            yield key, "names a value twice"


def _combinations(space: Mapping[str, Setting]) -> Iterator[dict[str, object]]:
    """Yield each value at least once, and then combinations of them, but not too many."""
    ends = {key: setting.ends for key, setting in space.items()}
    for place in range(max(map(len, ends.values()))):
        yield {key: values[min(place, len(values) - 1)] for key, values in ends.items()}
    for values in islice(product(*ends.values()), _TRIED):
        yield dict(zip(ends, values, strict=True))
