"""A lock that allows one writer per folder. The system releases it when the process ends, even by a crash.

It is `flock`, on Windows a locked byte, and nothing where Python has neither.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bpcli.errors import BusyError
from bpcli.storage.files import cannot_write

NAME = ".lock"
_INTRODUCTION = 0.05  # seconds that a process needs to write its name after it has taken the lock
_FAR = 1 << 30  # the byte that is locked on Windows, where nobody can read what another has locked


@contextmanager
def exclusive(folder: Path, taken: str = "another run is writing here") -> Iterator[None]:
    """Lock the folder for this process until the block ends; the lock file remains, empty.

    Args:
        folder: the folder.
        taken: what to say if another process has it.

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
        _take(descriptor, path, taken)
        try:
            yield
        finally:
            with suppress(OSError):  # the holder's name is no longer needed
                os.ftruncate(descriptor, 0)
            _unlock(descriptor)


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
        _unlock(descriptor)
    return False


def _take(descriptor: int, path: Path, taken: str) -> None:
    try:
        _lock_soon(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _introduction().encode())
    except BlockingIOError:
        raise BusyError(f"{path.parent}: {taken}: {_holder(descriptor)}") from None
    except OSError as error:
        raise cannot_write(path, error) from error


def _lock_soon(descriptor: int) -> None:
    """Take the lock as `_lock`; try twice, because somebody who only asks `is_held` takes it for a moment."""
    try:
        _lock(descriptor)
    except BlockingIOError:
        time.sleep(_INTRODUCTION)
        _lock(descriptor)


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 200).decode(errors="replace").strip() or "another process"


def _lock(descriptor: int) -> None:
    """Take the lock, if the system has such locks, or raise BlockingIOError."""
    if fcntl := _module("fcntl"):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt := _module("msvcrt"):
        try:
            _call_far(msvcrt, descriptor, msvcrt.LK_NBLCK)
        except PermissionError as error:
            raise BlockingIOError(error.errno, error.strerror) from None


def _unlock(descriptor: int) -> None:
    """Release the byte that is locked on Windows; it would be released late after the file is closed."""
    if not _module("fcntl") and (msvcrt := _module("msvcrt")):
        with suppress(OSError):
            _call_far(msvcrt, descriptor, msvcrt.LK_UNLCK)


def _call_far(msvcrt: ModuleType, descriptor: int, mode: int) -> None:
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, mode, 1)
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _module(name: str) -> ModuleType | None:
    """Return a module of the standard library that not every system has."""
    try:
        return import_module(name)
    except ImportError:
        return None


def _introduction() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M:%S}"
