"""The folder of a run: its path and the names of its files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from bpcli.errors import CheckpointError, OutputError
from bpcli.storage import files, lock, series_file
from bpcli.storage.lock import exclusive

RUNS = Path("runs")
LATEST = RUNS / "latest"
CONFIG, BEST, LAST, PREVIOUS = "config.yaml", "best.npz", "last.npz", "previous.npz"
START = "start.npz"  # a copy of the network that the run started from, if there was one
SEARCH = "search.yaml"  # in the folder of a search
REFUSED = "refused.csv"
RUN_FILES = (CONFIG, LAST, PREVIOUS)  # any one of them is enough to resume a run
_ATTEMPTS = 1000
_LINKS = os.name != "nt"  # Windows wants a right for links, and can't replace a folder's link in one step
_LONGEST = 4096  # bytes of a path


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
        for first in (START, CONFIG, series_file.NAME):  # a run or series that was killed early left them
            files.remove_temporaries(folder, f".{first}.*.tmp")
        if _contents(folder) - {lock.NAME, START}:
            raise _taken(folder)
        files.remove(folder / START)
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
    """Link `runs/latest` to the folder, by a relative path; without links, write that path into a file of this name.

    Raises:
        OutputError: neither can be made.
    """
    point(LATEST, folder)


def point(name: Path, folder: Path) -> None:
    """Link a name to a folder, by a relative path; without links, write that path into a file of this name.

    Raises:
        OutputError: neither can be made.
    """
    try:
        name.parent.mkdir(exist_ok=True)
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # another process has removed the temporary link
                _point(name, folder)
                return
    except OSError as error:
        raise OutputError(f"{name}: can't be made: {error.strerror or error}") from error


def latest_folder() -> Path | None:
    """Return the folder that `runs/latest` names, absolute; None if there is no such name or no such folder.

    Raises:
        CheckpointError: `runs/latest` can't be read.
    """
    try:
        folder = _written_latest() if LATEST.is_file() else LATEST
        return folder.resolve() if folder is not None and folder.is_dir() else None
    except OSError as error:
        raise CheckpointError(f"{LATEST}: can't be read: {error.strerror or error}") from error


def _written_latest() -> Path | None:
    """Return the path that the file `runs/latest` holds; None if the file is empty."""
    with LATEST.open("rb") as file:
        text = os.fsdecode(file.read(_LONGEST).strip())
    return RUNS / text if text else None


def _point(name: Path, folder: Path) -> None:
    files.remove_temporaries(name.parent, f".{name.name}.*.tmp")
    temporary = name.parent / f".{name.name}.{os.getpid()}.tmp"
    _make_name(temporary, _from(name.parent, folder))
    try:
        temporary.replace(name)
    except FileNotFoundError:
        raise
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    files.sync_folder(name.parent)


def _from(parent: Path, folder: Path) -> Path:
    """Return the path of the folder relative to another; on another drive, its absolute path."""
    try:
        return Path(os.path.relpath(folder.resolve(), parent.resolve()))
    except ValueError:
        return folder.resolve()


def _make_name(path: Path, target: Path) -> None:
    """Make a link to the target; if that fails, a file that holds the target's path."""
    try:
        if _LINKS:
            path.symlink_to(target, target_is_directory=True)
            return
    except (OSError, NotImplementedError):  # the file system has no links, or the user no right to make one
        pass
    path.write_bytes(os.fsencode(f"{target.as_posix()}\n"))
