"""The folder of a run: its path and the names of its files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from bpcli.errors import OutputError
from bpcli.storage import files, lock, series_file
from bpcli.storage.lock import exclusive

RUNS = Path("runs")
LATEST = RUNS / "latest"
CONFIG, BEST, LAST, PREVIOUS = "config.yaml", "best.npz", "last.npz", "previous.npz"
RUN_FILES = (CONFIG, LAST, PREVIOUS)  # any one of them is enough to resume a run
_ATTEMPTS = 1000


@contextmanager
def new_folder(name: str, out: Path | None = None) -> Iterator[Path]:
    """Make the folder of a new run and lock it: `out`, or `runs/<name>-<n>` with the next free n.

    Raises:
        BusyError: another run is being written to `out`.
        OutputError: it can't be made, or `out` exists and is not empty.
    """
    try:
        folder = _next_folder(name) if out is None else _named_folder(out)
    except OSError as error:
        raise OutputError(f"{out or RUNS}: can't be made: {error.strerror or error}") from error
    with exclusive(folder):
        for first in (CONFIG, series_file.NAME):  # a run or series that was killed early left them
            files.remove_temporaries(folder, f".{first}.*.tmp")
        if _contents(folder) - {lock.NAME}:
            raise _taken(folder)
        yield folder


def _next_folder(name: str) -> Path:
    files.make_folder(RUNS)
    for number in count(1):
        with suppress(FileExistsError):
            folder = RUNS / f"{name}-{number}"
            folder.mkdir()
            files.sync_folder(RUNS)
            return folder
    raise AssertionError("count ended")


def _named_folder(out: Path) -> Path:
    """Return the folder `out`, made if it is missing; refuse one that somebody else's files are in."""
    if out.exists() and not out.is_dir():
        raise _taken(out)
    files.make_folder(out)
    contents = _contents(out)
    if contents and lock.NAME not in contents:
        raise _taken(out)
    return out


def _contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _taken(out: Path) -> OutputError:
    return OutputError(f"{out}: exists and is not an empty folder; --out wants a new or an empty one")


def point_latest(folder: Path) -> None:
    """Link `runs/latest` to the folder, by a relative path.

    Raises:
        OutputError: the link can't be made.
    """
    try:
        RUNS.mkdir(exist_ok=True)
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # another process has removed the temporary link
                _link_latest(folder)
                return
    except OSError as error:
        raise OutputError(f"{LATEST}: can't be made: {error.strerror or error}") from error


def latest_folder() -> Path | None:
    """Return the folder that `runs/latest` names; None if there is none, or none any more."""
    return LATEST.resolve() if LATEST.is_dir() else None


def _link_latest(folder: Path) -> None:
    files.remove_temporaries(RUNS, ".latest.*.tmp")
    temporary = RUNS / f".latest.{os.getpid()}.tmp"
    temporary.symlink_to(os.path.relpath(folder.resolve(), RUNS.resolve()), target_is_directory=True)
    try:
        temporary.replace(LATEST)
    except FileNotFoundError:
        raise
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    files.sync_folder(RUNS)
