"""The real MNIST files against their published checksums, and splits of small ones."""

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from bpcli import resources
from bpcli.data.mnist import read_split, read_training
from bpcli.errors import DataError
from tests.conftest import idx_bytes, write_mnist


def test_the_files_are_those_of_the_readme() -> None:
    rows = re.findall(r"`(\S+\.gz)`.*`([0-9a-f]{64})`", (resources.mnist() / "README.md").read_text())
    assert len(rows) == 4
    for name, digest in rows:
        assert hashlib.sha256(gzip.decompress((resources.mnist() / name).read_bytes())).hexdigest() == digest


def test_the_splits_of_mnist() -> None:
    sizes = {name: len(read_split(resources.mnist(), name, 10_000)) for name in ("train", "validation", "test")}
    assert sizes == {"train": 50_000, "validation": 10_000, "test": 10_000}
    test = read_split(resources.mnist(), "test", 10_000)
    assert test.images.dtype == np.uint8
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_validation_is_the_end_of_the_training_file(small_mnist: Path) -> None:
    whole = read_split(small_mnist, "train", 0)
    train, validation = read_split(small_mnist, "train", 100), read_split(small_mnist, "validation", 100)
    assert np.array_equal(np.concatenate([train.images, validation.images]), whole.images)
    assert np.array_equal(np.concatenate([train.labels, validation.labels]), whole.labels)
    assert len(read_split(small_mnist, "validation", 0)) == 0


def test_both_parts_of_the_training_file_come_from_one_reading(small_mnist: Path) -> None:
    train, validation = read_training(small_mnist, 100)
    assert np.array_equal(train.images, read_split(small_mnist, "train", 100).images)
    assert np.array_equal(validation.labels, read_split(small_mnist, "validation", 100).labels)
    end_of_train = train.images.__array_interface__["data"][0] + train.images.nbytes
    assert validation.images.__array_interface__["data"][0] == end_of_train


def test_images_stay_bytes_and_are_not_copied(small_mnist: Path) -> None:
    train = read_split(small_mnist, "train", 100)
    assert train.images.dtype == np.uint8
    assert not train.images.flags.owndata


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("train-images-idx3-ubyte", idx_bytes(np.zeros((600, 14, 14), np.uint8)), "are 14×14 pixels, not 28×28"),
        ("train-images-idx3-ubyte", idx_bytes(np.zeros((0, 28, 28), np.uint8)), "holds no images"),
        ("train-images-idx3-ubyte", idx_bytes(np.zeros((5, 28, 28), np.uint8)), "has 5 images, but"),
        ("train-labels-idx1-ubyte.gz", idx_bytes(np.full(600, 10, np.uint8)), "label 0 is 10; labels are digits"),
        ("train-labels-idx1-ubyte.gz", None, "holds neither train-labels-idx1-ubyte.gz nor train-labels-idx1-ubyte"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    folder = write_mnist(tmp_path / "data")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_split(folder, "train", 100)
    assert complaint in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder; data\.folder names"):
        read_split(tmp_path / "nowhere", "train", 0)


def test_a_validation_split_that_leaves_nothing_is_refused(small_mnist: Path) -> None:
    with pytest.raises(DataError, match=r"data\.validation = 600 leaves nothing to train on"):
        read_split(small_mnist, "train", 600)
