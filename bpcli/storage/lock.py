"""A lock that allows one writer per folder. The system releases it when the process ends, even by a crash."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bpcli.errors import BusyError
from bpcli.storage.files import cannot_write

NAME = ".lock"
_INTRODUCTION = 0.05  # seconds that a process needs to write its name after it has taken the lock


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock the folder for this process until the block ends; the lock file remains, empty.

    Raises:
        BusyError: another process holds the lock; the message says which.
        OutputError: the folder can't be written to.
    """
    path = folder / NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise cannot_write(path, error) from error
    with open(descriptor, "rb"):  # noqa: PTH123 (closes it, however this ends)
        _take(descriptor, path)
        try:
            yield
        finally:
            with suppress(OSError):  # the holder's name is no longer needed
                os.ftruncate(descriptor, 0)


def is_held(folder: Path) -> bool:
    """Return whether another process holds the folder's lock, as far as the system has such locks."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return False
    with open(descriptor, "rb"):  # noqa: PTH123 (closes it)
        try:
            _lock(descriptor)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def _take(descriptor: int, path: Path) -> None:
    try:
        _lock_soon(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _introduction().encode())
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
        raise BusyError(f"{path.parent}: another run is writing here: {holder}") from None
    except OSError as error:
        raise cannot_write(path, error) from error


def _lock_soon(descriptor: int) -> None:
    """Take the lock as `_lock`; try twice, because somebody who only asks `is_held` takes it for a moment."""
    try:
        _lock(descriptor)
    except BlockingIOError:
        time.sleep(_INTRODUCTION)
        _lock(descriptor)


def _lock(descriptor: int) -> None:
    """Take the lock, if the system has such locks, or raise BlockingIOError."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _introduction() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M:%S}"
