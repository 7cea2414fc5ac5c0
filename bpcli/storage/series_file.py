"""The file that describes a series in its folder."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import CheckpointError, ConfigError
from bpcli.storage.files import SYSTEM, FileSystem, write_file
from bpcli.storage.members import MAX_MEMBERS, MAX_NAME, Member, Series, of_seeds
from bpcli.strict_yaml import MAX_LENGTH, parse_yaml, to_text

NAME = "series.yaml"
_NAMED = 5  # runs of a series that a message names

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # as in the configuration
Name = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._+-]*\Z", max_length=MAX_NAME)]


class _Text(Struct, forbid_unknown_fields=True):
    """The content of the file; `seeds` or `runs`."""

    finished: Annotated[tuple[Seed | Name, ...], Meta(max_length=MAX_MEMBERS)]
    config: dict[str, Any]
    seeds: Annotated[tuple[Seed, ...], Meta(max_length=MAX_MEMBERS)] = ()
    runs: Annotated[dict[Name, dict[str, Any]], Meta(max_length=MAX_MEMBERS)] = {}


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
    """Write the file of a series into its folder; one of seeds alone as version 0.1 wrote it.

    Raises:
        OutputError: it can't be written; the old one stays.
    """
    tree = configuration.to_tree(series.config)
    content: dict[str, Any] = {"runs": {each.name: dict(each.settings) for each in series.members}}
    finished: list[Any] = [*series.finished]
    if all([*each.settings] == ["seed"] for each in series.members):
        del tree["seed"]
        content = {"seeds": [each.settings["seed"] for each in series.members]}
        finished = [each.settings["seed"] for each in series.members if each.name in series.finished]
    write_file(folder / NAME, to_text(content | {"finished": finished, "config": tree}).encode(), fs=fs)


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
        return _series(text, path)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: not the file of a series: {error}") from error


def _series(text: _Text, path: Path) -> Series:
    if bool(text.seeds) == bool(text.runs):
        raise CheckpointError(f"{path}: not the file of a series: expected seeds, or else runs")
    config = configuration.from_tree(text.config, f"{path}: config")
    members = _members(text, config, path)
    names = [member.name for member in members]
    finished = [name if isinstance(name, str) else f"seed-{name}" for name in text.finished]
    if len({*names}) < len(names) or not {*finished} <= {*names}:
        raise CheckpointError(
            f"{path}: not the file of a series: its runs are not all different, or not those finished"
        )
    return Series(config, members).with_finished(*finished)


def _members(text: _Text, config: Config, path: Path) -> tuple[Member, ...]:
    """Return the members: of the seeds, or the runs with their settings."""
    if text.seeds:
        return of_seeds(config, text.seeds).members
    return tuple(
        Member(name, settings, configuration.changed(config, settings, f"{path}: runs: {name}"))
        for name, settings in text.runs.items()
    )


def not_one(folder: Path) -> CheckpointError:
    """Return the error for a series where one run is needed."""
    members = [member.name for member in read(folder).members]
    names = ", ".join(members[:_NAMED]) + " ..." * (len(members) > _NAMED)
    return CheckpointError(
        f"{folder}: is a series of {len(members)} runs ({names}); name one of them, such as {folder / members[0]}"
    )
