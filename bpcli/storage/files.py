"""Atomic writing: after a crash, a file is either the old one or the new one, never something in between.

Everything that changes the disk goes through `FileSystem`, so that tests can simulate a disk that fails or loses data.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bpcli.errors import OutputError

_BINARY = getattr(os, "O_BINARY", 0)  # or Windows would write \r\n for \n
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY
_MORE = os.O_WRONLY | os.O_APPEND | _BINARY
_MODE = 0o666  # before the user's umask
_NO_LINKS = {  # errors where links don't exist; EINVAL on Windows
    errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL,
}  # fmt: skip
_ATTEMPTS = 20 if os.name == "nt" else 1  # to replace a file: Windows refuses while another process reads it
_PAUSE = 0.05  # seconds between them


def _no_link(source: Path, target: Path) -> None:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


_link = getattr(os, "link", _no_link)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """The system calls that write files; each raises OSError."""

    open: Callable[[Path, int, int], int] = os.open
    write: Callable[[int, memoryview], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    close: Callable[[int], None] = os.close
    link: Callable[[Path, Path], None] = _link
    replace: Callable[[Path, Path], None] = os.replace
    unlink: Callable[[Path], None] = os.unlink


SYSTEM = FileSystem()


def write_file(path: Path, content: bytes, *, previous: str | None = None, fs: FileSystem = SYSTEM) -> None:
    """Write a file under a temporary name beside it and force it to the disk, then move it into place.

    If the process is killed or the power fails, the file has either its old content or its new content.

    Args:
        path: the file; replaced if it exists.
        content: all of it.
        previous: the name under which to keep the file that was there before.
        fs: the system calls.

    Raises:
        OutputError: a call failed. The file is the old one, or the new one if only the last call failed; nothing is
            left beside it.
    """
    temporary = _temporary(path)
    try:
        _fill(fs.open(temporary, _NEW, _MODE), [content], fs)
        if previous is not None and path.exists():
            duplicate(path, path.with_name(previous), fs=fs)
        _replace(temporary, path, fs)
        sync_folder(path.parent, fs)
    except OSError as error:
        _remove(temporary, fs)
        raise cannot_write(path, error) from error


def write_files(contents: Mapping[Path, bytes], fs: FileSystem = SYSTEM) -> None:
    """Write several files as `write_file`; none is moved into place before all are on the disk.

    Raises:
        OutputError: a call failed. Unless it was one of the last, which move them, all files are the old ones.
    """
    temporaries = {path: _temporary(path) for path in contents}
    path = Path()
    try:
        for path, content in contents.items():
            _fill(fs.open(temporaries[path], _NEW, _MODE), [content], fs)
        for path in contents:
            _replace(temporaries[path], path, fs)
            sync_folder(path.parent, fs)
    except OSError as error:
        for temporary in temporaries.values():
            _remove(temporary, fs)
        raise cannot_write(path, error) from error


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview], fs: FileSystem = SYSTEM) -> None:
    """Write a file piece by piece as `<name>.part`, force it to the disk, and give it its name once all have come.

    Args:
        path: the file; replaced if it exists.
        pieces: its content. If they raise an error, nothing is left of it and the file is as it was.
        fs: the system calls.

    Raises:
        OutputError: a call failed; likewise.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        _fill(fs.open(part, _NEW, _MODE), pieces, fs)
        _replace(part, path, fs)
        sync_folder(path.parent, fs)
    except OSError as error:
        _remove(part, fs)
        raise cannot_write(path, error) from error
    except BaseException:
        _remove(part, fs)
        raise


def replace_folder(source: Path, target: Path) -> None:
    """Rename a folder to `target`; a folder that was there is removed.

    Raises:
        OutputError: a call failed.
    """
    old = target.with_name(f".{target.name}.old")
    try:
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        source.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise cannot_write(target, error) from error


def make_folder(folder: Path, fs: FileSystem = SYSTEM) -> None:
    """Make a folder and its missing parents, and force their names to the disk.

    Raises:
        OutputError: it can't be made.
    """
    try:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in missing:
            with suppress(PermissionError):  # a folder that may be written to but not read
                sync_folder(each.parent, fs)
    except OSError as error:
        raise OutputError(f"{folder}: can't be made: {error.strerror or error}") from error


def append(path: Path, content: bytes, fs: FileSystem = SYSTEM) -> None:
    """Add the content to the end of a file, in one call if the system takes it in one.

    Raises:
        OutputError: a call failed; a part of the content may have been written.
    """
    try:
        _fill(fs.open(path, _MORE, _MODE), [content], fs)
    except OSError as error:
        raise cannot_write(path, error) from error


def duplicate(source: Path, target: Path, *, fs: FileSystem = SYSTEM) -> None:
    """Make `target` a second name of the file `source`; neither name is missing at any moment.

    On a file system without links, move the file instead.

    Raises:
        OSError: a call failed; both are as they were.
    """
    if target.exists() and target.samefile(source):  # a rename would do nothing and leave the temporary name behind
        return
    temporary = _temporary(target)
    _remove(temporary, fs)
    try:
        fs.link(source, temporary)
        _replace(temporary, target, fs)
    except OSError as error:
        if error.errno in _NO_LINKS:
            _replace(source, target, fs)
            return
        _remove(temporary, fs)
        raise


def remove_temporaries(folder: Path, pattern: str = ".*.tmp", fs: FileSystem = SYSTEM) -> None:
    """Remove the temporary files of a killed process; no other process may be using the folder.

    Raises:
        OutputError: one can't be removed.
    """
    for path in folder.glob(pattern):
        remove(path, fs)


def remove(path: Path, fs: FileSystem = SYSTEM) -> None:
    """Remove a file, if it is there.

    Raises:
        OutputError: it can't be removed.
    """
    try:
        fs.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path}: can't be removed: {error.strerror or error}") from error


def sync_folder(folder: Path, fs: FileSystem = SYSTEM) -> None:
    """Force the folder's entries to the disk, if the system can open a folder."""
    if os.name != "posix":
        return
    descriptor = fs.open(folder, os.O_RDONLY, _MODE)
    try:
        fs.fsync(descriptor)
    finally:
        fs.close(descriptor)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for a failed system call on a file."""
    missing = isinstance(error, FileNotFoundError) and not path.parent.exists()
    hint = f"; there is no folder {path.parent}; make it first" if missing else ""
    return OutputError(f"{path}: can't be written: {error.strerror or error}{hint}")


def _fill(descriptor: int, pieces: Iterable[bytes | memoryview], fs: FileSystem) -> None:
    """Write the content to the disk and close the descriptor, whatever happens."""
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[fs.write(descriptor, rest) :]
        fs.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            fs.close(descriptor)
        raise
    fs.close(descriptor)


def _replace(source: Path, target: Path, fs: FileSystem) -> None:
    """Rename a file to `target`, whose old file is replaced; on Windows, wait until nobody reads that."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return fs.replace(source, target)
        except PermissionError:
            time.sleep(_PAUSE)
    return fs.replace(source, target)


def _remove(temporary: Path, fs: FileSystem) -> None:
    with suppress(OSError):
        fs.unlink(temporary)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")
