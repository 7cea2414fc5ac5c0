"""The MNIST data set in memory: images as bytes, labels, and the three splits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bpcli.data.idx import read_idx
from bpcli.errors import DataError

PIXELS = 28 * 28
CLASSES = 10
MOST_IMAGES = 1_000_000  # per file; MNIST has 60,000, EMNIST's largest digit set 240,000

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Split:
    """Some labelled images: `images` (n, 784) and `labels` (n,), both bytes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def read_split(folder: Path, name: SplitName, validation: int) -> Split:
    """One split of the data set in a folder.

    The validation split is the last `validation` images of the training file; with 0 it is empty and the training
    split is the whole file.

    Raises:
        DataError: a file is missing or malformed, images and labels disagree in number, or a split would be empty.
    """
    if name == "test":
        return _read_pair(folder, "t10k")
    train, kept = read_training(folder, validation)
    return train if name == "train" else kept


def read_training(folder: Path, validation: int) -> tuple[Split, Split]:
    """The training and the validation split, whose file is read once.

    Raises:
        DataError: as `read_split`.
    """
    whole = _read_pair(folder, "train")
    if validation >= len(whole):
        raise DataError(
            f"{folder}: data.validation = {validation:,} leaves nothing to train on; "
            f"the training file has {len(whole):,} images"
        )
    cut = len(whole) - validation
    return Split(whole.images[:cut], whole.labels[:cut]), Split(whole.images[cut:], whole.labels[cut:])


def _read_pair(folder: Path, prefix: str) -> Split:
    image_file = _find(folder, f"{prefix}-images-idx3-ubyte")
    label_file = _find(folder, f"{prefix}-labels-idx1-ubyte")
    images = read_idx(image_file, 3, longest=MOST_IMAGES * PIXELS)
    labels = read_idx(label_file, 1, longest=MOST_IMAGES)
    if images.shape[1:] != (28, 28):
        raise DataError(f"{image_file}: its images are {images.shape[1]}×{images.shape[2]} pixels, not 28×28")
    if not len(images):
        raise DataError(f"{image_file}: holds no images")
    if len(images) != len(labels):
        raise DataError(f"{image_file} has {len(images):,} images, but {label_file} has {len(labels):,} labels")
    if labels.max() >= CLASSES:
        first = int(np.argmax(labels >= CLASSES))
        raise DataError(f"{label_file}: label {first:,} is {labels[first]}; labels are digits from 0 to 9")
    return Split(images.reshape(-1, PIXELS), labels)


def _find(folder: Path, name: str) -> Path:
    try:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; data.folder names the one with the four MNIST files")
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                return path
    except OSError as error:  # such as a name that is too long
        raise DataError(f"{folder}: can't be read: {error.strerror or error}") from error
    raise DataError(f"{folder}: holds neither {name}.gz nor {name}")
