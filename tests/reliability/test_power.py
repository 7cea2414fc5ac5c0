"""Power loss: whatever a file system may leave of a save, there is the old checkpoint or the new one.

A disk notes the calls of a save. Then, for a loss of power after each of them, all that POSIX allows is laid out in a
folder: of what was not forced to the disk, any of the folder's changes may be missing, in any combination, a rename
may be half done, and the content of a file may be missing, zeros, cut off, or there in the wrong order.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.data.spec import MNIST
from bpcli.errors import CheckpointError
from bpcli.storage import checkpoint, files
from bpcli.storage.files import FileSystem
from bpcli.storage.find import newest
from bpcli.storage.run_folder import LAST, PREVIOUS
from bpcli.storage.state import State
from bpcli.training.builders import first_state
from tests.reliability.disks import NAMES

CONFIG = configuration.load("default", ["model.hidden=[2]"])
Entries = dict[str, int]  # a folder: the file's number of each name


@dataclass
class Disk:
    """A disk that forgets: what it was told, in order, by the calls of one save."""

    folder: Path
    entries: Entries = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)
    log: list[tuple[str, Any]] = field(default_factory=list)
    names: Entries = field(default_factory=dict)
    descriptors: dict[int, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.folder.iterdir()):
            self.entries[path.name] = len(self.contents)
            self.contents.append(path.read_bytes())
        self.names = dict(self.entries)

    def fs(self) -> FileSystem:
        return FileSystem(**{name: getattr(self, name) for name in NAMES})

    def open(self, path: Path, flags: int, mode: int) -> int:
        descriptor = os.open(path, flags, mode)
        if path.is_dir():
            self.descriptors[descriptor] = None
        else:
            self.names[path.name] = self.descriptors[descriptor] = len(self.contents)
            self.contents.append(b"")
            self.log.append(("entry", ("create", path.name, self.names[path.name])))
        return descriptor

    def write(self, descriptor: int, content: memoryview) -> int:
        part = content[: max(len(content) // 2, 1)]  # as a system may do
        self.log.append(("write", (self.descriptors[descriptor], bytes(part))))
        return os.write(descriptor, part)

    def fsync(self, descriptor: int) -> None:
        self.log.append(("fsync", self.descriptors[descriptor]))

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)
        self.names[target.name] = self.names[source.name]
        self.log.append(("entry", ("create", target.name, self.names[target.name])))

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)
        number = self.names[target.name] = self.names.pop(source.name)
        self.log.append(("entry", ("rename", source.name, target.name, number)))

    def unlink(self, path: Path) -> None:
        path.unlink()
        self.log.append(("entry", ("remove", path.name)))

    def states(self, done: int) -> Iterator[tuple[Entries, dict[int, bytes]]]:
        """All that a loss of power may leave after the first `done` calls."""
        entries, pending = dict(self.entries), []
        written: dict[int, bytes] = {}
        synced: dict[int, bytes] = dict(enumerate(self.contents[: len(self.entries)]))
        for kind, what in self.log[:done]:
            if kind == "entry":
                pending.append(what)
            elif kind == "write":
                written[what[0]] = written.get(what[0], b"") + what[1]
            elif what is None:
                for change in pending:
                    _apply(entries, change, 0)
                pending = []
            else:
                synced[what] = written.get(what, b"")
        for folder in _subsets(entries, pending):
            unsure = sorted({n for n in folder.values() if synced.get(n) != written.get(n, synced.get(n))})
            for chosen in itertools.product(*(_remains(written[n]) for n in unsure)):
                yield (
                    folder,
                    {n: synced.get(n, b"") for n in folder.values()} | dict(zip(unsure, chosen, strict=True)),
                )


def _subsets(entries: Entries, pending: list[Any]) -> Iterator[Entries]:
    """The folder with any of the pending changes done, half done, or not done."""
    ways = [(None, 0, 1, 2) if change[0] == "rename" else (None, 0) for change in pending]
    for choice in itertools.product(*ways):
        folder = dict(entries)
        for change, way in zip(pending, choice, strict=True):
            if way is not None:
                _apply(folder, change, way)
        yield folder


def _apply(folder: Entries, change: Any, way: int) -> None:
    kind, name, *more = change
    if kind == "create":
        folder[name] = more[0]
    elif kind == "remove":
        folder.pop(name, None)
    else:
        target, number = more
        if way != 2:  # 2: gone from the old place, and not yet in the new one
            folder[target] = number
        if way != 1:  # 1: in both places
            folder.pop(name, None)


def _remains(content: bytes) -> list[bytes]:
    """What may be there of content that was not forced to the disk."""
    half = len(content) // 2
    return [b"", bytes(len(content)), content[:half], bytes(half) + content[half:], content]


def lay_out(folder: Path, entries: Entries, contents: dict[int, bytes]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, number in entries.items():
        (folder / name).write_bytes(contents[number])


def state(step: int) -> State:
    made = first_state(CONFIG, MNIST)
    made.step = step
    (velocity,) = made.optimizer_state
    velocity[:] = np.arange(velocity.size) * step
    return made


def save(folder: Path, step: int, fs: FileSystem = files.SYSTEM) -> None:
    checkpoint.save(checkpoint.of_state(CONFIG, MNIST, state(step), {}), folder / LAST, previous=PREVIOUS, fs=fs)


def found(folder: Path) -> int | None:
    """The step of the checkpoint that is found; it must be whole."""
    loaded, _ = newest(folder)
    if loaded is None:
        return None
    again = loaded.state()
    (velocity,), (expected,) = again.optimizer_state, state(again.step).optimizer_state
    assert velocity.tobytes() == expected.tobytes()
    return again.step


def losses(tmp_path: Path, saves: int, kind: type[Disk] = Disk) -> int:
    """Loses power in every way during the save number `saves`; how many ways there were."""
    folder, after = tmp_path / f"folder{saves}", tmp_path / f"after{saves}"
    folder.mkdir()
    after.mkdir()
    for step in range(1, saves):
        save(folder, step)
    disk = kind(folder)
    save(folder, saves, disk.fs())
    old, new = (saves - 1 or None), saves
    count = 0
    for done in range(len(disk.log) + 1):
        for entries, contents in disk.states(done):
            lay_out(after, entries, contents)
            count += 1
            try:
                assert found(after) in ((new,) if done == len(disk.log) else (old, new))
            except CheckpointError as error:
                raise AssertionError(f"lost after call {done}: {error}") from error
    return count


@pytest.mark.parametrize(("saves", "at_least"), [(1, 15), (2, 100), (3, 100), (4, 100)])
def test_after_a_loss_of_power_there_is_the_old_checkpoint_or_the_new(
    tmp_path: Path, saves: int, at_least: int
) -> None:
    assert losses(tmp_path, saves) >= at_least


class WithoutFile(Disk):
    """Where only folders are forced to the disk."""

    def fsync(self, descriptor: int) -> None:
        if self.descriptors[descriptor] is None:
            super().fsync(descriptor)


class WithoutFolder(Disk):
    """Where only files are."""

    def fsync(self, descriptor: int) -> None:
        if self.descriptors[descriptor] is not None:
            super().fsync(descriptor)


@pytest.mark.parametrize("saves", [1, 2, 3])
@pytest.mark.parametrize("kind", [WithoutFile, WithoutFolder])
def test_without_either_fsync_it_fails(tmp_path: Path, saves: int, kind: type[Disk]) -> None:
    with pytest.raises(AssertionError):
        losses(tmp_path, saves, kind)


def test_a_restored_checkpoint_survives_too(tmp_path: Path) -> None:
    folder, after = tmp_path / "folder", tmp_path / "after"
    folder.mkdir()
    after.mkdir()
    for step in (1, 2):
        save(folder, step)
    (folder / LAST).write_bytes(b"damaged")
    disk = Disk(folder)
    loaded, warning = newest(folder, disk.fs())
    assert loaded is not None
    assert "last.npz: not a checkpoint of bpcli, or damaged" in warning
    assert warning.endswith("going on from previous.npz, the checkpoint before")
    save(folder, 3, disk.fs())
    for done in range(len(disk.log) + 1):
        for entries, contents in disk.states(done):
            lay_out(after, entries, contents)
            assert found(after) in ((3,) if done == len(disk.log) else (1, 3))
