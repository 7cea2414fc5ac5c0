"""Disks that fail, die or forget: the system's calls of `bpcli.storage.files`, with something done before them."""

import os
import signal
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from bpcli.storage.files import SYSTEM, FileSystem

NAMES = [field.name for field in fields(FileSystem)]


def watched(before: Callable[..., None], real: FileSystem | None = None) -> FileSystem:
    """Calls before each of which `before(name, *arguments)` is called."""
    real = real or FileSystem()

    def watch(name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            before(name, *arguments)
            return getattr(real, name)(*arguments)

        return call

    return FileSystem(**{name: watch(name) for name in NAMES})


QUICK = FileSystem(fsync=lambda descriptor: None)  # for tests in which no power fails


def wait_for_no_disk() -> None:
    """Has the system's own calls be quick too, for the rest of this process."""
    object.__setattr__(SYSTEM, "fsync", QUICK.fsync)


class Failing:
    """A disk whose call number `at` fails, once, or that and all later ones of its name."""

    def __init__(self, at: int, error: int, *, for_ever: bool) -> None:
        self.count, self.fired = 0, ""
        self._at, self._error, self._for_ever = at, error, for_ever
        self.fs = watched(self._before, QUICK)

    def _before(self, name: str, *arguments: Any) -> None:
        self.count += 1
        if self.count == self._at or (self._for_ever and name == self.fired):
            self.fired = name
            raise OSError(self._error, os.strerror(self._error))


class Deadly:
    """A disk that kills the process at a point: before a call, or halfway through a write."""

    def __init__(self, at: int) -> None:
        self._at, self.count = at, 0
        self.fs = watched(self._before, QUICK)

    def _before(self, name: str, *arguments: Any) -> None:
        self._reach()
        if name == "write":
            descriptor, content = arguments
            if self.count + 1 == self._at:
                os.write(descriptor, content[: len(content) // 2])
            self._reach()

    def _reach(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
