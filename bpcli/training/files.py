"""Files that are either the old ones or the new ones, never something in between."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bpcli.errors import OutputError


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file under a temporary name beside it, then moves it into place, all of it forced to the disk.

    Args:
        path: the file; replaced if it is there.
        write: called with the temporary file, writes the content.

    Raises:
        OutputError: anything failed; the file is as it was, and nothing is left beside it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file of this content as `write_file` does."""
    write_file(path, lambda file: file.write(content))


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, where they are missing.

    Raises:
        OutputError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be made: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Forces the folder's entries to the disk, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
