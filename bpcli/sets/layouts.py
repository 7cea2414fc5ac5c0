"""Read the files of a named data set in the layout of its authors, and undo what is peculiar to it."""

import bz2
import gzip
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.data.datasets import MAX_BYTES, MAX_IMAGES
from bpcli.data.idx import read_idx
from bpcli.errors import DataError
from bpcli.sets.sums import pieces_of
from bpcli.sets.table import NamedSet, Part
from bpcli.storage import files

_INT_ROWS = bytes([0, 0, 0x0C, 2])  # IDX: 32-bit integers in two dimensions


class Images(NamedTuple):
    """Squares of bytes (n, side, side), and their labels (n,), bytes too."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


Names: TypeAlias = Sequence[str]  # of the files of a part
Found: TypeAlias = Mapping[str, Path]  # the sources by their names


def read(named: NamedSet, part: Part, found: Found, room: Path) -> Images:
    """Return a part of a data set: images upright, labels from 0.

    Args:
        named: the data set.
        part: its training or test part.
        found: its sources, whose sums are right.
        room: a folder for temporary files.

    Raises:
        DataError: the files are not laid out as the table says.
        OutputError: a temporary file can't be written.
    """
    images, labels = LAYOUTS[named.layout](part.files, found, room)
    if not len(images) == len(labels) == part.count:
        counts = f"{len(images):,} images and {len(labels):,} labels"
        raise DataError(f"{named.name}: {part.files[0]} holds {counts}; expected {part.count:,}")
    if labels.min() < named.first_label:
        raise DataError(f"{named.name}: {part.files[-1]} has the label {labels.min()}, below {named.first_label}")
    upright = np.ascontiguousarray(images.swapaxes(1, 2)) if named.transposed else images
    return Images(upright, labels - np.uint8(named.first_label))


def _idx(names: Names, found: Found, room: Path) -> Images:
    """Read MNIST's own layout."""
    images, labels = (found[name] for name in names)
    return Images(read_idx(images, 3, longest=MAX_BYTES), read_idx(labels, 1, longest=MAX_IMAGES))


def _zip(names: Names, found: Found, room: Path) -> Images:
    """Read EMNIST's: IDX files inside one large archive, of which only those that are wanted are taken out."""
    (archive,) = found.values()
    members = {name: room / Path(name).name for name in names}
    try:
        with zipfile.ZipFile(archive) as bundle:
            for name, path in members.items():
                with bundle.open(name) as file:
                    files.write_pieces(path, pieces_of(file))  # type: ignore[arg-type]  # it reads bytes
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive}: {error}") from error
    return _idx(names, members, room)


def _qmnist(names: Names, found: Found, room: Path) -> Images:
    """Read QMNIST's: a row of integers an image, of which the first is the label."""
    images, labels = (found[name] for name in names)
    return Images(read_idx(images, 3, longest=MAX_BYTES), _first_column(labels))


def _first_column(path: Path) -> NDArray[np.uint8]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(MAX_BYTES)
    rows, columns = struct.unpack_from(">II", content, 4) if len(content) > 12 else (0, 0)
    if content[:4] != _INT_ROWS or len(content) != 12 + 4 * rows * columns:
        raise DataError(f"{path}: not an IDX file of integers in two dimensions")
    return np.frombuffer(content, ">i4", offset=12).reshape(rows, columns)[:, 0].astype(np.uint8)


def _libsvm(names: Names, found: Found, room: Path) -> Images:
    """Read USPS's: a line an image, the label and then `index:value`, from −1 for paper to 1 for ink."""
    (path,) = (found[name] for name in names)
    with bz2.open(path, "rt", encoding="ascii") as file:
        rows = [line.split() for line in file]
    pixels = [_values(row[1:]) for row in rows]
    size = max(max(each, default=0) for each in pixels)
    if isqrt(size) ** 2 != size:
        raise DataError(f"{path}: has {size} pixels an image, which is no square")
    values = np.zeros((len(rows), size))
    for image, each in zip(values, pixels, strict=True):
        image[np.array(list(each)) - 1] = list(each.values())
    images = np.rint(np.clip((values + 1) / 2, 0, 1) * 255).astype(np.uint8)
    return Images(images.reshape(-1, isqrt(size), isqrt(size)), np.array([int(row[0]) for row in rows], np.uint8))


def _values(pairs: Sequence[str]) -> dict[int, float]:
    """Return the values of `index:value` pairs by their indices, which count from 1."""
    split = (pair.partition(":") for pair in pairs)
    return {int(index): float(value) for index, _, value in split}


LAYOUTS: Mapping[str, Callable[[Names, Found, Path], Images]] = {
    "idx": _idx, "zip": _zip, "qmnist": _qmnist, "libsvm": _libsvm,
}  # fmt: skip
