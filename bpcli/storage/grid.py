"""The grid of a series, as people write it: keys of the configuration, and the values that each takes in turn."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import TypeAlias

from bpcli import config as configuration
from bpcli import hints
from bpcli.errors import ArgumentError, ConfigError
from bpcli.storage import fixed
from bpcli.storage.members import MAX_MEMBERS, in_name
from bpcli.strict_yaml import parse_yaml, to_line

Grid: TypeAlias = Mapping[str, Sequence[object]]


def parse_grid(seeds: str | None, varied: Sequence[str]) -> Grid:
    """Return the values of each key of a series; none for a single run.

    Args:
        seeds: as of `parse_seeds`, or None.
        varied: texts such as `data.deslant=true,false` or `model.hidden=[30],[100,50]`; the values are YAML.

    Raises:
        ArgumentError: a text is malformed, or names a key or value twice or a key that can't vary; too many runs.
        ConfigError: there is no such key, or a value is not valid.
    """
    grid: dict[str, Sequence[object]] = {}
    for text in varied:
        key, values = _axis(text)
        if key in grid:
            raise ArgumentError(f"--vary {text}: {key} is varied twice; one --vary takes all its values")
        grid[key] = values
    if seeds is not None:
        grid["seed"] = parse_seeds(seeds)
    lengths = [len(values) for values in grid.values()]
    if prod(lengths) > MAX_MEMBERS:
        combined = " × ".join(map(str, lengths))
        raise ArgumentError(f"--vary: {combined} = {prod(lengths)} runs; a series has at most {MAX_MEMBERS}")
    return grid


def _axis(text: str) -> tuple[str, list[object]]:
    """Return a key and its values."""
    key, _, values = (part.strip() for part in text.partition("="))
    source = f"--vary {text}"
    if not key or not values:
        raise ArgumentError(f"{source}: expected KEY=VALUE,VALUE,..., such as data.deslant=true,false")
    if key not in (known := configuration.keys()):
        raise ConfigError(f"{source}: unknown key {key}{hints.question(hints.nearest_keys(key, known))}")
    if key in fixed.REASONS:
        raise ArgumentError(f"{source}: {key} can't be varied: {fixed.REASONS[key]}")
    found = [configuration.checked_value(key, value, source) for value in _listed(values, source)]
    names = [in_name(value) for value in found]
    for place, value in enumerate(found):
        if names[place] in names[:place]:
            raise ArgumentError(f"{source}: names {to_line(value)} twice; both would be the same run")
    return key, found


def _listed(values: str, source: str) -> list[object]:
    """Return the values between commas; those inside brackets or quotes belong to a value."""
    found = parse_yaml(f"[{values}]".encode("utf-8", "surrogateescape"), source)
    return found if isinstance(found, list) else []


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
