"""The members of a series: runs of one configuration that differ in their seed, or in other settings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import ArgumentError
from bpcli.strict_yaml import to_line

MAX_MEMBERS = 100  # members
MAX_NAME = 80  # characters of a folder's name


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a series.

    Attributes:
        name: of its folder.
        settings: what tells it from the other members: dotted keys with their values as plain data.
        config: its configuration.
    """

    name: str
    settings: Mapping[str, object]
    config: Config


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of a series.

    Attributes:
        config: of every member, except for its settings.
        members: in the order in which they are trained.
        finished: the names of the members whose training is complete, in that order.
    """

    config: Config
    members: tuple[Member, ...]
    finished: tuple[str, ...] = ()

    @property
    def unfinished(self) -> list[Member]:
        """The members whose training is not complete."""
        return [member for member in self.members if member.name not in self.finished]

    def with_finished(self, *names: str) -> "Series":
        """Return the series with these members finished too."""
        finished = {*self.finished, *names}
        return replace(self, finished=tuple(each.name for each in self.members if each.name in finished))


def of_seeds(config: Config, seeds: Sequence[int]) -> Series:
    """Return a series whose members differ in their seeds."""
    return of_grid(config, {"seed": seeds})


def of_grid(config: Config, grid: Mapping[str, Sequence[object]]) -> Series:
    """Return the series with a member for each combination of values; that of the last key varies fastest.

    Args:
        config: of every member, except for the keys of the grid.
        grid: dotted keys, each with its values as plain data (`storage.grid`).

    Raises:
        ConfigError: values don't go together.
        ArgumentError: the name of a folder would be too long.
    """
    combined = (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    return Series(config, tuple(_member(config, settings) for settings in combined))


def _member(config: Config, settings: Mapping[str, object]) -> Member:
    return Member(_name(settings), settings, configuration.changed(config, settings, f"--vary: {title(settings)}"))


def title(settings: Mapping[str, object]) -> str:
    """Return the settings of a member for people, such as `seed 0`, or `hidden [30, 10], seed 0`."""
    return ", ".join(f"{configuration.short_key(key)} {_text(value)}" for key, value in settings.items())


def _name(settings: Mapping[str, object]) -> str:
    """Return the name of a member's folder, such as `seed-0`, or `hidden-30-10-seed-0`."""
    name = "-".join(f"{configuration.short_key(key)}-{in_name(value)}" for key, value in settings.items())
    if len(name) > MAX_NAME:
        raise ArgumentError(f"--vary: the folder {name[:20]}... would have a name of more than {MAX_NAME} characters")
    return name


def in_name(value: object) -> str:
    """Return a value as a part of a folder's name, such as `30-10` for a list; `none` for an empty one."""
    return re.sub(r"[^0-9A-Za-z._+]+", "-", _text(value)).strip("-") or "none"


def _text(value: object) -> str:
    return value if isinstance(value, str) else to_line(value)
