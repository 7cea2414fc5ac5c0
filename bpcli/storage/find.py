"""Find runs and checkpoints by the names that users give them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bpcli import resources
from bpcli.errors import ArgumentError, CheckpointError
from bpcli.machine import quote
from bpcli.storage import checkpoint, files, listing, series_file
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.run_folder import BEST, CONFIG, LAST, LATEST, PREVIOUS, RUN_FILES, RUNS, latest_folder

PRETRAINED, NEWEST = "pretrained", "latest"  # names of networks; a file of such a name is ./pretrained


class Found(NamedTuple):
    """The checkpoints of an ensemble's members, and notes about them, one line each."""

    paths: list[Path]
    notes: list[str]


def named(source: str) -> Path:
    """Return the file or folder that a user's text names.

    Args:
        source: `pretrained`, the network that comes with bpcli; `latest`, the run or series that ended last; a path; or
            a run's name in the folder `runs`.

    Raises:
        CheckpointError: `latest` is asked for, and no run has ended.
    """
    if source == PRETRAINED:
        return resources.pretrained()
    if source == NEWEST:
        return newest_run()
    path, run = Path(source), RUNS / source
    try:
        if path == LATEST and path.is_file():  # in place of a link
            return latest_folder() or path
        return path if path.exists() or not run.is_dir() else run
    except OSError as error:  # such as a name that is too long
        raise CheckpointError(f"{source}: can't be read: {error.strerror or error}") from error


def newest_run() -> Path:
    """Return the folder of the run or series that ended last.

    Raises:
        CheckpointError: none has.
    """
    folder = listing.newest_ended()
    if folder is None:
        unfinished = [f"; {each} is not finished, but can be named" for each in listing.folders()]
        raise CheckpointError(f"there is no finished run here yet; `bpcli train` makes one{''.join(unfinished[-1:])}")
    return folder


def name_of(path: Path) -> str:
    """Return the name that stands for a checkpoint's file: `pretrained`, or its path."""
    return PRETRAINED if path == resources.pretrained() else str(path)


def find_checkpoint(source: str | Path) -> Path:
    """Return the checkpoint file that a user's text names: a file, or a run's best.npz.

    Raises:
        CheckpointError: there is none, or the text names a series, which has several.
    """
    path = named(source) if isinstance(source, str) else source
    try:
        if not path.is_dir():
            return _existing(path)
        folder = path.resolve() if path.is_symlink() else path
        if series_file.is_series(folder):
            raise series_file.not_one(folder)
        if not (folder / BEST).exists():
            raise CheckpointError(f"{folder}: holds no {BEST}; no epoch of this run was finished")
        return folder / BEST
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error


def _existing(path: Path) -> Path:
    """Return the path of a file; refuse one that is not there, with the runs that are."""
    if os.path.lexists(path):
        return path
    runs = [listing.run_name(folder) for folder in listing.folders()]
    from difflib import get_close_matches  # for a mistake only

    near = get_close_matches(str(path), [PRETRAINED, NEWEST, *runs], n=1)
    hint = f"did you mean {near[0]}?" if near else "`bpcli runs` lists the runs that are here"
    raise CheckpointError(f"{path}: no such file, nor a run of that name; {hint}")


def find_network(source: str | None) -> Path:
    """Return the file of one network, as `find_checkpoint`.

    Args:
        source: its name; None for the run that ended last, or, where none has, the network that comes with bpcli.

    Raises:
        CheckpointError: there is none, or the text names a series.
    """
    return find_checkpoint(_unnamed() if source is None else source)


def find_members(sources: Sequence[str]) -> Found:
    """Return the checkpoints that arguments name: files, runs or series.

    Args:
        sources: their names; without any, the run or series that ended last, or, where none has, the network that comes
            with bpcli.

    Raises:
        CheckpointError: there is none.
        ArgumentError: a checkpoint is named twice.
    """
    each = [_members(path) for path in map(named, sources)] or [_members(_unnamed())]
    paths = [path for found in each for path in found.paths]
    _require_different(paths)
    return Found(paths, [note for found in each for note in found.notes])


def _unnamed() -> Path:
    """Return the run or series that ended last, or, where none has, the network that comes with bpcli."""
    return listing.newest_ended() or resources.pretrained()


def _members(path: Path) -> Found:
    """Return the checkpoints of a file, a run or a series."""
    if not series_file.is_series(path):
        return Found([find_checkpoint(path)], [])
    folder = path.resolve() if path.is_symlink() else path
    series = series_file.read(folder)
    if not series.finished:
        raise CheckpointError(
            f"{folder}: no run of this series is finished yet; go on with: bpcli train --resume {quote(str(folder))}"
        )
    paths = [folder / name / BEST for name in series.finished]
    partial = f"{folder}: {len(paths)} of the {len(series.members)} runs of this series are finished"
    return Found(paths, [partial] if series.unfinished else [])


def _require_different(paths: Sequence[Path]) -> None:
    """Refuse a file that is named twice, even by different paths; a copy of it is allowed."""
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise ArgumentError(f"{path}: is named twice; a network votes once")
        seen.add(real)


def find_run(source: str) -> Path:
    """Return the folder of a run or series to resume.

    Args:
        source: `latest`, the one that began or went on last; a path; or a run's name in the folder `runs`.

    Raises:
        CheckpointError: there is none.
    """
    path = _begun_last() if source == NEWEST else named(source)
    try:
        if not (series_file.is_series(path) or any((path / name).is_file() for name in RUN_FILES)):
            raise CheckpointError(f"{source}: not the folder of a run: it holds neither {CONFIG} nor {LAST}")
        return path.resolve() if path.is_symlink() else path
    except OSError as error:
        raise CheckpointError(f"{source}: can't be read: {error.strerror or error}") from error


def _begun_last() -> Path:
    """Return the folder of the run that began or went on last; where its folder was deleted, the newest other."""
    latest = latest_folder()
    others = sorted(listing.folders(), key=lambda folder: folder.stat().st_mtime)
    if latest is None and not others:
        raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a run's folder")
    return latest or others[-1]


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
