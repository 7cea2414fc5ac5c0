"""The log of a run for TensorBoard: event files in one folder, one for each process that trained the run."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from bpcli.errors import OutputError
from bpcli.storage import files, summaries
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.tfrecord import framed, records

ANY = "*tfevents*"  # matches the names of event files, whoever wrote them
_OWN = "events.out.tfevents.{}.bpcli"  # with the time in seconds since 1970; readers take the files in this order
_PAUSE = 2.0  # seconds for which events may wait in memory


class EventLog:
    """A new event file in a folder; each method raises OutputError if it can't write.

    Args:
        folder: made if it is missing; the event files of earlier processes stay.
        fs: the system calls.
    """

    def __init__(self, folder: Path, fs: FileSystem = SYSTEM) -> None:
        files.make_folder(folder, fs)
        self._path, self._fs = folder / _OWN.format(max(int(time.time()), _last(folder) + 1)), fs
        self._waiting, self._due = b"", 0.0
        files.write_file(self._path, framed(summaries.opening(time.time())), fs=fs)

    def restart(self, step: int) -> None:
        """Make a reader that is open forget what it has read of a step and those after it."""
        self._waiting += framed(summaries.restart(time.time(), step))

    def add(self, step: int, *values: bytes) -> None:
        """Add some values (`storage.summaries`) of a step; they are in the file after some seconds."""
        self._waiting += framed(summaries.event(time.time(), step, *values))
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write what waits in memory. If that fails, it is dropped: a part of it may be in the file."""
        waiting, self._waiting = self._waiting, b""
        self._due = time.monotonic() + _PAUSE
        if waiting:
            files.append(self._path, waiting, self._fs)


def is_log(folder: Path) -> bool:
    """Return whether a folder holds event files, whoever wrote them, itself or in the folders of a series' runs."""
    return any(found for pattern in (ANY, f"*/{ANY}") for found in folder.glob(pattern))


def forget(folder: Path, is_undone: Callable[[int, str], bool], fs: FileSystem = SYSTEM) -> None:
    """Remove the values that a resumed run will log again from the event files in a folder, and what was torn off.

    Event files of others are left alone.

    Args:
        folder: of the log; it may be missing.
        is_undone: whether to remove the value of a step with a tag.
        fs: the system calls.

    Raises:
        OutputError: a file can't be read or written.
    """
    for path in sorted(folder.glob(_OWN.format("*"))):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise OutputError(f"{path}: can't be read: {error.strerror or error}") from error
        kept = b"".join(framed(message) for message in records(content) if not _is_undone(message, is_undone))
        if kept != content:
            files.write_file(path, kept, fs=fs)


def _is_undone(message: bytes, is_undone: Callable[[int, str], bool]) -> bool:
    """Return whether an event holds a value that is to be removed; the values of an event belong together."""
    try:
        step, tags = summaries.step_and_tags(message)
    except ValueError:  # damaged
        return True
    return any(is_undone(step, tag) for tag in tags)


def _last(folder: Path) -> int:
    """Return the largest number of an event file in a folder; 0 if there is none."""
    return max(_numbers(folder), default=0)


def _numbers(folder: Path) -> Iterator[int]:
    for path in folder.glob(_OWN.format("*")):
        with suppress(ValueError):
            yield int(path.name.split(".")[-2])
