"""The lock on systems without `flock`: Windows' locked byte, played by a module of the same calls, or none."""

import errno
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bpcli.errors import BusyError
from bpcli.storage.lock import exclusive


class Msvcrt(ModuleType):
    """Locks bytes as Microsoft's documentation of `_locking` says: from the position on, each by one holder."""

    LK_UNLCK, LK_NBLCK = 0, 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: set[tuple[int, int]] = set()

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert count == 1
        byte = os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR)
        if (byte in self.held) == (mode == self.LK_NBLCK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        self.held ^= {byte}


def test_on_windows_one_byte_is_locked_beyond_what_others_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = Msvcrt()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", system)
    for _ in range(2):
        with exclusive(tmp_path):
            ((_, place),) = system.held
            assert place > 10_000
            assert (tmp_path / ".lock").read_text().startswith(f"process {os.getpid()} on ")
            with (
                pytest.raises(BusyError, match=f"another run is writing here: process {os.getpid()} on "),
                exclusive(tmp_path),
            ):
                pass
            assert len(system.held) == 1
        assert not system.held
        assert (tmp_path / ".lock").read_bytes() == b""


def test_where_there_are_no_locks_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with exclusive(tmp_path), exclusive(tmp_path):
        assert f"process {os.getpid()} on " in (tmp_path / ".lock").read_text()
