"""Committees: several networks that answer as one, by the mean of their scores. One network is a committee of one."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import numpy as np

from bpcli.config import Config
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import Split, SplitName
from bpcli.errors import ArgumentError, CheckpointError
from bpcli.training import run, series_file
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.evaluation import figures, never
from bpcli.training.folder import BEST, LATEST
from bpcli.training.team import Team


class Found(NamedTuple):
    """The checkpoints of a committee's members, and what there is to say of them, a line each."""

    paths: list[Path]
    notes: list[str]


class Verdict(NamedTuple):
    """How good a committee is.

    Attributes:
        members: the figures of each, as `evaluation.figures` gives them.
        committee: the figures of their mean score. Its loss is that of its only member, and None where there are
            several: losses are calculated from logits, which a mean of scores doesn't have, and members may have
            different ones.
        scores: the committee's, (n, 10).
    """

    members: list[dict[str, Any]]
    committee: dict[str, Any]
    scores: Array


class Statistics(NamedTuple):
    """Of some numbers; the standard deviation is that of a sample (n - 1), None where there is only one."""

    mean: float
    sd: float | None
    min: float
    max: float


def find_members(sources: Sequence[str]) -> Found:
    """The checkpoint files that a command's arguments name: files, runs, series; by default the latest run or series.

    Raises:
        CheckpointError: there is none.
        ArgumentError: a checkpoint is named twice.
    """
    if not sources and not LATEST.exists():
        return Found([run.find_network(None)], [run.NO_RUN])
    each = [_named(source) for source in sources or (None,)]
    paths = [path for found in each for path in found.paths]
    _require_different(paths)
    return Found(paths, [note for found in each for note in found.notes])


def _named(source: str | None) -> Found:
    """What one argument names."""
    folder = LATEST if source is None else Path(source)
    if not series_file.is_series(folder):
        return Found([run.find_checkpoint(source)], [])
    folder = folder.resolve() if folder.is_symlink() else folder
    series = series_file.read(folder)
    if not series.finished:
        raise CheckpointError(
            f"{folder}: no run of this series is finished yet; go on with: bpcli train --resume {quote(str(folder))}"
        )
    paths = [series_file.member_folder(folder, seed) / BEST for seed in series.seeds if seed in series.finished]
    partial = f"{folder}: {len(paths)} of the {len(series.seeds)} runs of this series are finished"
    return Found(paths, [partial] if len(paths) < len(series.seeds) else [])


def _require_different(paths: Sequence[Path]) -> None:
    """Refuses a file that is named twice, in whatever ways; a copy of one may vote too."""
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise ArgumentError(f"{path}: is named twice; a network votes once")
        seen.add(real)


def common_data(named: Sequence[tuple[str, Config]], split: SplitName) -> Split:
    """The split that all members have in common.

    Args:
        named: what to call each member, and its configuration.
        split: which one.

    Raises:
        CheckpointError: they have different ones.
        DataError: a file is missing or malformed.
    """
    (first, config), *others = named
    for name, other in others:
        if not _same_folder(run.data_folder(other), run.data_folder(config)):
            raise CheckpointError(
                f"{name}: data.folder = {run.data_folder(other)}, but {run.data_folder(config)} in {first}; a "
                "committee is evaluated on images that its members have in common"
            )
        if split != "test" and other.data.validation != config.data.validation:
            raise CheckpointError(
                f"{name}: data.validation = {other.data.validation}, but {config.data.validation} in {first}; their "
                f"{split} splits are not the same images, --split test is"
            )
    return run.read_data(config, split)


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except (OSError, ValueError):  # one of them is missing, or no name of a file
        return False


def mean_scores(members: Iterable[Checkpoint], images: Bytes, team: Team) -> Array:
    """The mean of the members' scores for images (n, 784), (n, 10)."""
    return _mean([run.answers(member, images, team)[1] for member in members])


def judge(members: Iterable[Checkpoint], split: Split, team: Team, stopping: Callable[[], bool] = never) -> Verdict:
    """How good each member is on a split, and how good all of them are together.

    Raises:
        CheckpointError: the split is empty.
        Interrupted: `stopping` said so before all was done.
    """
    each = [run.scored(member, split, team, stopping) for member in members]
    scores = _mean([scores for _, scores, _ in each])
    loss = each[0][0] if len(each) == 1 else None
    return Verdict([figures(*one) for one in each], figures(loss, scores, split.labels), scores)


def _mean(scores: Sequence[Array]) -> Array:
    mean: Array = np.mean(scores, axis=0)
    return mean


def statistics_of(values: Sequence[float]) -> Statistics:
    """What there is to say of some numbers, of which there is at least one."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Statistics(float(np.mean(values)), sd, min(values), max(values))
