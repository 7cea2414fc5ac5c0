"""The snapshots of a run: what its report shows of some of its epochs. Each is a small .npz file.

`docs/formats.md` describes the members.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bpcli.core.parameters import Layer
from bpcli.core.types import Array
from bpcli.errors import CheckpointError
from bpcli.storage import arrays, files
from bpcli.storage.archive import Archive, Malformed, pack
from bpcli.storage.files import SYSTEM, FileSystem

FOLDER = "snapshots"
VERSION = 1
MOST = 40  # that a run keeps
MAX_LENGTH = 100_000  # bytes of a file
UNITS = 48  # of the first layer, whose weights are kept
_ROOM = 48_000  # bytes of these weights
_STEPS = 127  # from a weight of 0 to the unit's largest

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run after one of its epochs.

    Attributes:
        epoch: from 1.
        units: the numbers (u,) of some units of the first layer, evenly spread.
        weights: of these units (u, side²), to a 127th of each unit's largest.
        confusion: of the validation images, a row for each label, a column for each answer; None without any.
    """

    epoch: int
    units: NDArray[np.intp]
    weights: Array
    confusion: Counts | None


def kept(epochs: int, best: int) -> set[int]:
    """Return the epochs whose snapshots a run of so many epochs keeps: at most `MOST`, evenly spread.

    They are the first, the last, the best, and the multiples of the smallest power of two that leaves few enough. Each
    of them was kept before, so that nothing is missed later.
    """
    choices = ({1, epochs, best, *range(1 << n, epochs + 1, 1 << n)} for n in count())
    return next(chosen for chosen in choices if len(chosen) <= MOST)


def chosen_units(width: int, pixels: int) -> NDArray[np.intp]:
    """Return which of the units of a first layer a snapshot holds."""
    few = min(width, UNITS, _ROOM // pixels)
    return np.arange(few, dtype=np.intp) * width // few


def add(folder: Path, epoch: int, best: int, layer: Layer, confusion: Counts | None, fs: FileSystem = SYSTEM) -> None:
    """Write the snapshot of an epoch that has just ended, and remove those that are too many now.

    Args:
        folder: of the run.
        epoch: from 1.
        best: the best epoch so far, from 1.
        layer: the first one.
        confusion: of the validation images, (classes, classes); None without any.
        fs: the system calls.

    Raises:
        OutputError: a file can't be written or removed.
    """
    files.make_folder(folder / FOLDER, fs)
    files.write_file(_path(folder, epoch), _content(epoch, layer, confusion), fs=fs)
    wanted = kept(epoch, best)
    _remove(folder, lambda each: each not in wanted, fs)


def repair(folder: Path, epochs: int, fs: FileSystem = SYSTEM) -> None:
    """Remove the snapshots of epochs that will be redone, after the first `epochs`, and what a killed process left.

    Raises:
        OutputError: one can't be removed.
    """
    files.remove_temporaries(folder / FOLDER, fs=fs)
    _remove(folder, lambda each: each > epochs, fs)


def read(folder: Path, width: int, pixels: int, classes: int) -> tuple[Snapshot, ...]:
    """Return the snapshots of a run, in the order of their epochs; none of a run that kept none.

    Args:
        folder: of the run.
        width: the number of units of its first layer.
        pixels: of an image.
        classes: the number of classes.

    Raises:
        CheckpointError: one is damaged.
    """
    found = (_read(path, epoch, width, pixels, classes) for epoch, path in _present(folder))
    return tuple(each for each in found if each)


def names(folder: Path) -> tuple[str, ...]:
    """Return the snapshots of a run as names of files, relative to its folder, in the order of their epochs."""
    return tuple(f"{FOLDER}/{path.name}" for _, path in _present(folder))


def is_name(name: str) -> bool:
    """Return whether a name of a file is that of a snapshot, relative to the run's folder."""
    return re.fullmatch(rf"{FOLDER}/[0-9]{{6}}\.npz", name) is not None


def _path(folder: Path, epoch: int) -> Path:
    return folder / FOLDER / f"{epoch:06d}.npz"


def _present(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the epochs of which there are snapshots, in their order, with the files."""
    for path in sorted((folder / FOLDER).glob("[0-9]*.npz")):
        if path.stem.isdecimal():
            yield int(path.stem), path


def _remove(folder: Path, is_needless: Callable[[int], bool], fs: FileSystem) -> None:
    for epoch, path in _present(folder):
        if is_needless(epoch):
            files.remove(path, fs)


def _content(epoch: int, layer: Layer, confusion: Counts | None) -> bytes:
    """Return the content of a snapshot's file; the same epoch gives the same bytes."""
    weights = layer.weight.T[chosen_units(layer.weight.shape[1], layer.weight.shape[0])]
    reach = abs(weights).max(axis=1).astype("<f4")
    steps = np.rint(weights * (_STEPS / np.where(reach, reach, 1))[:, None]).astype("|i1")
    members = {"format_version": np.array(VERSION, "<i4"), "epoch": np.array(epoch, "<i4")}
    members |= {"reach": reach, "weights": steps}
    if confusion is not None:
        members["confusion"] = confusion.astype("<u4")
    return pack({f"{name}.npy": arrays.npy(array) for name, array in members.items()})


def _read(path: Path, epoch: int, width: int, pixels: int, classes: int) -> Snapshot | None:
    """Return a snapshot; None if the run, which is going on, has removed it meanwhile."""
    try:
        if path.stat().st_size > MAX_LENGTH:
            raise Malformed(f"it is larger than {MAX_LENGTH:,} bytes")
        with path.open("rb") as file:
            return _parsed(Archive(file), epoch, chosen_units(width, pixels), pixels, classes)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except Malformed as error:
        raise CheckpointError(
            f"{path}: not a snapshot of this run, or damaged: {error}; remove it, and the report does without it"
        ) from error


def _parsed(archive: Archive, epoch: int, units: NDArray[np.intp], pixels: int, classes: int) -> Snapshot:
    if (version := int(arrays.read(archive, "format_version", (), "<i4"))) != VERSION:
        raise Malformed(f"its format version is {version}; this bpcli reads version {VERSION}")
    if (found := int(arrays.read(archive, "epoch", (), "<i4"))) != epoch:
        raise Malformed(f"it is of epoch {found}")
    reach = arrays.read(archive, "reach", (len(units),), "<f4")
    if not np.isfinite(reach).all():
        raise Malformed("reach holds numbers that are not finite")
    steps = arrays.read(archive, "weights", (len(units), pixels), "|i1")
    shape, has_confusion = (classes, classes), "confusion.npy" in archive.members
    confusion = arrays.read(archive, "confusion", shape, "<u4").astype(np.int64) if has_confusion else None
    return Snapshot(epoch, units, steps * (reach / _STEPS)[:, None], confusion)
