"""Data sets in memory: images as bytes, labels, the three splits, and the spec of all images.

A data set is a folder of four IDX files with MNIST's file names, where an optional `classes.txt` has one class name per
line; or a folder of pictures (`data/folder`).
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.folder import listing, splits
from bpcli.data.folder.listing import Kind
from bpcli.data.folder.listing import SplitName as SplitName
from bpcli.data.folder.remarks import Preparing, Remarks
from bpcli.data.folder.splits import Validation
from bpcli.data.idx import read_idx
from bpcli.data.spec import (
    DIGITS,
    MAX_CLASSES,
    MAX_NAME,
    MAX_SIDE,
    MIN_DEVIATION,
    MIN_SIDE,
    MNIST,
    DataSpec,
    flaw_in_classes,
)
from bpcli.errors import DataError

MAX_IMAGES = 1_000_000  # per file; MNIST has 60,000, EMNIST's largest digit set 240,000
MAX_BYTES = 1_000_000_000  # of images per file
CLASSES_FILE = "classes.txt"
_MAX_CLASSES_FILE = MAX_CLASSES * (4 * MAX_NAME + 2)  # bytes: a UTF-8 character takes at most four
_BLOCK = 64 * 1024  # pixels that are summed at a time

TEST = 0.15  # of a folder's pictures, those in the test split if there is no folder test
_IDX = tuple(f"{prefix}-{kind}" for prefix in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))

if TYPE_CHECKING:
    from bpcli.data.folder.pictures import Pictures

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Split:
    """Labelled images: `images` (n, side²) and `labels` (n,), both bytes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def side(self) -> int:
        """The side of an image in pixels."""
        return isqrt(self.images.shape[1])

    def first(self, n: int) -> "Split":
        """Return views of the first n images, or of all if there are fewer."""
        return Split(self.images[:n], self.labels[:n])


def joined(*splits: Split) -> Split:
    """Return one split with the images of several, in their order; a single one is returned as it is."""
    if len(splits) == 1:
        return splits[0]
    return Split(np.concatenate([each.images for each in splits]), np.concatenate([each.labels for each in splits]))


class DataSet(NamedTuple):
    """A whole data set, for training; with remarks if it was a folder of pictures."""

    spec: DataSpec
    training: Split
    validation: Split
    test: Split
    remarks: Remarks | None = None


def read_data_set(
    folder: str | Path | None,
    validation: Validation,
    kind: Kind,
    pause: Callable[[], None],
    *,
    test: float = TEST,
    side: int = MNIST.side,
) -> DataSet:
    """Return the data set in a folder, as `reading` does, without telling the progress."""
    return end_of(reading(folder, validation, kind, pause, test=test, side=side))


def reading(
    folder: str | Path | None,
    validation: Validation,
    kind: Kind,
    pause: Callable[[], None],
    *,
    test: float = TEST,
    side: int = MNIST.side,
) -> Generator[Preparing, None, DataSet]:
    """Return the data set in a folder; yield the progress where pictures are prepared.

    Args:
        folder: of the four IDX files, or of pictures; None for MNIST, which comes with bpcli.
        validation: the size of the validation split: a number of training images, a fraction of them, or "auto" for a
            sixth, of IDX files at most 10,000. Of an IDX file, they are the last ones.
        kind: whether the images show digits or other signs in ink; "auto" means yes if the classes of IDX files are 0
            to 9, or if each class of pictures is called by one letter or digit.
        pause: called between two files; it may raise to stop.
        test: the fraction of pictures in the test split; if they have a folder `test`, that is used.
        side: to which pictures are prepared; IDX files have their own.

    Raises:
        DataError: a file is missing or malformed, files contradict each other, or a split would be empty.
    """
    where = _folder(folder)
    if not is_of_pictures(where):
        return _read_idx_files(where, validation, kind, pause)
    from bpcli.data.folder import pictures  # for such folders alone: it loads subprocess and json

    return _of_pictures((yield from pictures.reading(where, side, kind, validation, test, pause)), side)


def is_of_pictures(folder: Path) -> bool:
    """Return whether a folder is one of pictures: it has folders, but no IDX file."""
    try:
        if not folder.is_dir():
            return False
        has_idx = any((folder / f"{name}{end}").exists() for name in _IDX for end in ("", ".gz"))
    except OSError:  # such as a path that is too long
        return False
    return not has_idx and listing.holds_folders(folder)


def end_of(steps: Generator[object, None, T]) -> T:
    """Return what a generator returns at its end."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found: T = end.value
        return found


def _of_pictures(found: "Pictures", side: int) -> DataSet:
    """Return the data set of a folder of pictures."""
    training, validation, test = (_split(found, name, found.classes) for name in ("train", "validation", "test"))
    mean, deviation = brightness(training.images)
    return DataSet(
        DataSpec(side, found.classes, mean, deviation, found.digits), training, validation, test, found.remarks
    )


def _split(found: "Pictures", name: SplitName, classes: Sequence[str]) -> Split:
    """Return a split of pictures, with the labels that their classes have among others."""
    labels = np.array([classes.index(each) for each in found.classes], np.uint8)
    chosen = found.splits[name]
    return Split(chosen.images, labels[chosen.labels])


def _read_idx_files(where: Path, validation: Validation, kind: Kind, pause: Callable[[], None]) -> DataSet:
    """Return the data set in a folder of four IDX files."""
    whole = _read_pair(where, "train")
    training, kept = _divided(where, whole, validation)
    pause()
    test = _read_pair(where, "t10k")
    if test.side != whole.side:
        raise DataError(
            f"{where}: its test images are {_size(test.side)} pixels, its training images {_size(whole.side)}"
        )
    pause()
    classes = _classes(where, max(int(whole.labels.max()), int(test.labels.max())))
    mean, deviation = brightness(whole.images)
    digits = classes == DIGITS if kind == "auto" else kind == "digits"
    return DataSet(DataSpec(whole.side, classes, mean, deviation, digits), training, kept, test)


def read_split(
    folder: str | Path | None, name: SplitName, validation: Validation, spec: DataSpec = MNIST, *, test: float = TEST
) -> Split:
    """Return one split of a data set for a network that expects images of a spec; the arguments are as in `reading`.

    Raises:
        DataError: as `reading`, or the images don't fit the spec.
    """
    where = _folder(folder)
    if is_of_pictures(where):
        from bpcli.data.folder import pictures

        found = end_of(pictures.reading(where, spec.side, "digits" if spec.digits else "any", validation, test))
        _require_known(where, found.classes, spec)
        return _split(found, name, spec.classes)
    if name == "test":
        split = _read_pair(where, "t10k")
    else:
        training, kept = _divided(where, _read_pair(where, "train"), validation)
        split = training if name == "train" else kept
    require_fit(where, split, spec)
    return split


def _require_known(folder: Path, classes: Sequence[str], spec: DataSpec) -> None:
    """Refuse classes that a network doesn't know."""
    for name in classes:
        if name not in spec.classes:
            raise DataError(f"{folder}: the network doesn't know the class {name}; it knows {_some(spec.classes)}")


def require_fit(folder: Path, split: Split, spec: DataSpec) -> None:
    """Raise an error if images don't fit a network's spec.

    Raises:
        DataError: their side differs, or a label is larger than the spec allows.
    """
    if split.side != spec.side:
        raise DataError(f"{folder}: its images are {_size(split.side)} pixels; the network expects {_size(spec.side)}")
    if len(split) and split.labels.max() >= len(spec.classes):
        raise DataError(
            f"{folder}: has the label {split.labels.max()}; the network knows {len(spec.classes)} classes, "
            f"labelled from 0"
        )


def brightness(images: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean and the standard deviation of pixels as fractions of 255, rounded to four digits.

    MNIST's are 0.1307 and 0.3081. The deviation is never 0, because pixels are divided by it.
    """
    flat, block = images.reshape(-1), np.empty(_BLOCK, np.float32)
    total = squares = 0.0
    for start in range(0, len(flat), _BLOCK):
        piece = flat[start : start + _BLOCK]
        x = block[: len(piece)]
        np.copyto(x, piece)
        total += float(x.sum())
        squares += float(x @ x)
    mean = total / len(flat)
    deviation = max(squares / len(flat) - mean**2, 0.0) ** 0.5
    return round(mean / 255, 4), round(max(deviation / 255, MIN_DEVIATION), 4)


def _folder(folder: str | Path | None) -> Path:
    return resources.mnist() if folder is None else Path(folder)


def _divided(folder: Path, whole: Split, validation: Validation) -> tuple[Split, Split]:
    """Return the training and the validation split as views of one file's images."""
    kept = splits.kept_of(len(whole), validation)
    if kept >= len(whole):
        raise DataError(
            f"{folder}: data.validation = {validation:,} leaves nothing to train on; "
            f"the training file has {len(whole):,} images"
        )
    cut = len(whole) - kept
    return whole.first(cut), Split(whole.images[cut:], whole.labels[cut:])


def _read_pair(folder: Path, prefix: str) -> Split:
    image_file = _find(folder, f"{prefix}-images-idx3-ubyte")
    label_file = _find(folder, f"{prefix}-labels-idx1-ubyte")
    images = read_idx(image_file, 3, longest=MAX_BYTES, require=_require_squares)
    labels = read_idx(label_file, 1, longest=MAX_IMAGES)
    if not len(images):
        raise DataError(f"{image_file}: holds no images")
    if len(images) != len(labels):
        raise DataError(f"{image_file} has {len(images):,} images, but {label_file} has {len(labels):,} labels")
    if labels.max() >= MAX_CLASSES:
        first = int(np.argmax(labels >= MAX_CLASSES))
        raise DataError(f"{label_file}: label {first:,} is {labels[first]}; a label is at most {MAX_CLASSES - 1}")
    return Split(images.reshape(len(images), -1), labels)


def _require_squares(path: Path, shape: tuple[int, ...]) -> None:
    _, height, width = shape
    if height != width or not MIN_SIDE <= height <= MAX_SIDE:
        raise DataError(
            f"{path}: its images are {height}×{width} pixels; expected squares of {MIN_SIDE} to {MAX_SIDE} pixels"
        )


def _classes(folder: Path, largest: int) -> tuple[str, ...]:
    """Return the class names from `classes.txt`, or the labels as names if the file is missing."""
    path = folder / CLASSES_FILE
    names = _names(path) or tuple(map(str, range(largest + 1)))
    if flaw := flaw_in_classes(names):
        raise DataError(f"{path if path.exists() else folder}: {flaw}")
    if largest >= len(names):
        raise DataError(f"{path}: names {len(names)} classes, but there is a label {largest}; labels count from 0")
    return names


def _names(path: Path) -> tuple[str, ...]:
    """Return the lines of a file, or none if it is missing."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CLASSES_FILE + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error
    if len(content) > _MAX_CLASSES_FILE:
        raise DataError(f"{path}: is too long for at most {MAX_CLASSES} names of at most {MAX_NAME} characters")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; expected a class's name a line") from None
    return tuple(text.replace("\r\n", "\n").removesuffix("\n").split("\n"))


def _find(folder: Path, name: str) -> Path:
    try:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; {_how_to_get(folder)}")
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                return path
    except OSError as error:  # such as a path that is too long
        raise DataError(f"{folder}: can't be read: {error.strerror or error}") from error
    raise DataError(f"{folder}: holds neither {name}.gz nor {name}, nor a folder of pictures for each class")


def _how_to_get(folder: Path) -> str:
    if folder.parent == resources.sets():
        return f"`bpcli data fetch {folder.name}` gets this data set"
    return "data.folder names the one with the four IDX files, or pictures"


def _size(side: int) -> str:
    return f"{side}×{side}"


def _some(names: tuple[str, ...]) -> str:
    """Return the first five names, for a message."""
    return ", ".join(names[:5]) + ", ..." * (len(names) > 5)
