"""Find runs and checkpoints by the names that users give them."""

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from bpcli import resources
from bpcli.errors import ArgumentError, CheckpointError
from bpcli.storage import checkpoint, files, series_file
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.run_folder import BEST, CONFIG, LAST, LATEST, PREVIOUS, RUN_FILES

NO_RUN = "no run here yet: this is the network that comes with bpcli"


class Found(NamedTuple):
    """The checkpoints of an ensemble's members, and notes about them, one line each."""

    paths: list[Path]
    notes: list[str]


def find_checkpoint(source: str | None) -> Path:
    """Return the checkpoint file that a command's argument names: a file or a run; by default that of the latest run.

    Raises:
        CheckpointError: there is none, or the argument names a series, which has several.
    """
    path = LATEST if source is None else Path(source)
    try:
        if source is None and not path.exists():
            raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a checkpoint or a run")
        if not path.is_dir():
            return path
        if series_file.is_series(path):
            raise series_file.not_one(path.resolve() if path.is_symlink() else path)
        path = path.resolve() / BEST if path.is_symlink() else path / BEST
        if not path.exists():
            raise CheckpointError(f"{path.parent}: holds no {BEST}; no epoch of this run was finished")
        return path
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error


def find_network(source: str | None) -> Path:
    """Return the file as `find_checkpoint`; by default, if there is no run yet, the network that comes with bpcli."""
    if source is None and not LATEST.exists():
        return resources.pretrained()
    return find_checkpoint(source)


def find_members(sources: Sequence[str]) -> Found:
    """Return the checkpoints that arguments name: files, runs or series; by default the latest run or series.

    Raises:
        CheckpointError: there is none.
        ArgumentError: a checkpoint is named twice.
    """
    if not sources and not LATEST.exists():
        return Found([find_network(None)], [NO_RUN])
    each = [_named(source) for source in sources or (None,)]
    paths = [path for found in each for path in found.paths]
    _require_different(paths)
    return Found(paths, [note for found in each for note in found.notes])


def _named(source: str | None) -> Found:
    """Return the checkpoints that one argument names."""
    folder = LATEST if source is None else Path(source)
    if not series_file.is_series(folder):
        return Found([find_checkpoint(source)], [])
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
    """Refuse a file that is named twice, even by different paths; a copy of it is allowed."""
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise ArgumentError(f"{path}: is named twice; a network votes once")
        seen.add(real)


def named_run(source: str) -> Path:
    """Return the folder that `--resume` names; `latest` names that of the latest run."""
    return LATEST if source == "latest" else Path(source)


def find_run(source: str) -> Path:
    """Return the folder of a run to resume: `latest`, or the folder's path.

    Raises:
        CheckpointError: there is none.
    """
    path = named_run(source)
    try:
        if path == LATEST and not path.exists():
            raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a run's folder")
        if not any((path / name).is_file() for name in RUN_FILES):
            raise CheckpointError(f"{source}: not the folder of a run: it holds neither {CONFIG} nor {LAST}")
        return path.resolve() if path.is_symlink() else path
    except OSError as error:
        raise CheckpointError(f"{source}: can't be read: {error.strerror or error}") from error


def newest(folder: Path, fs: FileSystem = SYSTEM) -> tuple[Checkpoint | None, str]:
    """Return the newest readable checkpoint of a run, and a note about it. Afterwards last.npz is this checkpoint.

    Returns:
        The checkpoint, or None if none was saved yet; and a line about a damaged or missing one, or "".

    Raises:
        CheckpointError: none can be read; the message is about the newest.
        OutputError: previous.npz can't replace last.npz.
    """
    last, previous = folder / LAST, folder / PREVIOUS
    if not last.exists() and not previous.exists():
        return None, ""
    try:
        return checkpoint.load(last), ""
    except CheckpointError as error:
        try:
            found = checkpoint.load(previous)
        except CheckpointError:
            raise error from None
        _restore(previous, last, fs)
        return found, f"{error}; going on from {previous.name}, the checkpoint before"


def _restore(previous: Path, last: Path, fs: FileSystem) -> None:
    """Replace a damaged checkpoint by the previous one; otherwise the next save would keep the damaged one."""
    try:
        files.duplicate(previous, last, fs=fs)
        files.sync_folder(last.parent, fs)
    except OSError as error:
        raise files.cannot_write(last, error) from error
