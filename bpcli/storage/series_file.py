"""A series: one configuration, several seeds and one run for each; and the file that describes it in its folder."""

import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import ArgumentError, CheckpointError, ConfigError
from bpcli.storage.files import SYSTEM, FileSystem, write_file
from bpcli.strict_yaml import MAX_LENGTH, parse_yaml, to_text

NAME = "series.yaml"
MAX_MEMBERS = 100  # members
_NAMED = 5  # runs of a series that a message names

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # as in the configuration
Seeds = Annotated[tuple[Seed, ...], Meta(max_length=MAX_MEMBERS)]


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of a series.

    Attributes:
        config: of every member, except for its seed.
        seeds: one for each member, in the order in which they are trained.
        finished: the seeds of the members whose training is complete.
    """

    config: Config
    seeds: tuple[int, ...]
    finished: tuple[int, ...] = ()

    def member(self, seed: int) -> Config:
        """Return the configuration of one member."""
        return msgspec.structs.replace(self.config, seed=seed)


class _Text(Struct, forbid_unknown_fields=True):
    """The content of the file."""

    seeds: Annotated[Seeds, Meta(min_length=1)]
    finished: Seeds
    config: dict[str, Any]


def member_folder(folder: Path, seed: int) -> Path:
    """Return the folder of a member's run."""
    return folder / f"seed-{seed}"


def is_series(folder: Path) -> bool:
    """Return whether a folder is that of a series."""
    return is_there(folder / NAME)


def is_there(path: Path) -> bool:
    """Return whether the file exists, as far as this process can tell."""
    try:
        return path.is_file()
    except OSError:  # such as a folder without read permission; opening the file will report it
        return False


def write(folder: Path, series: Series, fs: FileSystem = SYSTEM) -> None:
    """Write the file of a series into its folder.

    Raises:
        OutputError: it can't be written; the old one stays.
    """
    tree = configuration.to_tree(series.config)
    del tree["seed"]
    content = {"seeds": list(series.seeds), "finished": list(series.finished), "config": tree}
    write_file(folder / NAME, to_text(content).encode(), fs=fs)


def read(folder: Path) -> Series:
    """Read the file of a series.

    Raises:
        CheckpointError: it can't be read, or is not what `write` writes.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            tree = parse_yaml(file.read(MAX_LENGTH + 1), str(path))
        text = msgspec.convert(tree, _Text)
        config = configuration.from_tree(text.config, f"{path}: config")
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: not the file of a series: {error}") from error
    if len({*text.seeds}) < len(text.seeds) or not {*text.finished} <= {*text.seeds}:
        raise CheckpointError(
            f"{path}: not the file of a series: its seeds are not all different, or not those finished"
        )
    return Series(config, text.seeds, text.finished)


def not_one(folder: Path) -> CheckpointError:
    """Return the error for a series where one run is needed."""
    seeds = read(folder).seeds
    names = ", ".join(f"seed-{seed}" for seed in seeds[:_NAMED]) + " ..." * (len(seeds) > _NAMED)
    first = member_folder(folder, seeds[0])
    return CheckpointError(f"{folder}: is a series of {len(seeds)} runs ({names}); name one of them, such as {first}")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds in a text such as `0..6`, `0,3,5` or `4`.

    Raises:
        ArgumentError: the text is malformed, names a seed twice, or names too many.
    """
    ranges = [_range(text, part) for part in text.split(",", MAX_MEMBERS)]
    if sum(each.stop - each.start for each in ranges) > MAX_MEMBERS:
        raise ArgumentError(f"--seeds {text}: more than {MAX_MEMBERS} seeds; a series has at most so many")
    seeds = tuple(chain.from_iterable(ranges))
    for place, seed in enumerate(seeds):
        if seed in seeds[:place]:
            raise ArgumentError(f"--seeds {text}: names {seed} twice; a seed gives the same network each time")
    return seeds


_RANGE = re.compile(r" *([0-9]{1,19}) *(?:\.\. *([0-9]{1,19}) *)?")
_LARGEST = 2**63 - 1


def _range(text: str, part: str) -> range:
    """Return the seeds in one part of the text; a range includes its last seed."""
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ArgumentError(f"--seeds {text}: expected seeds such as 0..6, 0,3,5 or 4")
    first, last = int(found[1]), int(found[2] or found[1])
    if last > _LARGEST or first > _LARGEST:
        raise ArgumentError(f"--seeds {text}: a seed is at most {_LARGEST}")
    if last < first:
        raise ArgumentError(f"--seeds {text}: {first}..{last} ends before it begins; {last}..{first} has seeds")
    return range(first, last + 1)
