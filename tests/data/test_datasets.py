"""The real MNIST files against their published checksums, and splits of small ones."""

import gzip
import hashlib
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli import resources
from bpcli.data.datasets import Split, brightness, read_data_set, read_split
from bpcli.data.spec import DIGITS, MNIST, DataSpec, flaw_in_classes, flaw_in_spec
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
    fractions = [len(read_split(small_mnist, "validation", share)) for share in (0.25, 0.0, "auto")]
    assert fractions == [150, 0, 100]


def test_both_parts_of_the_training_file_come_from_one_reading(small_mnist: Path) -> None:
    _, train, validation, *_ = read_data_set(small_mnist, 100, "auto", lambda: None)
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
        (
            "train-images-idx3-ubyte",
            idx_bytes(np.zeros((600, 14, 14), np.uint8)),
            "its images are 14×14 pixels; the network expects 28×28",
        ),
        ("train-images-idx3-ubyte", idx_bytes(np.zeros((0, 28, 28), np.uint8)), "holds no images"),
        ("train-images-idx3-ubyte", idx_bytes(np.zeros((5, 28, 28), np.uint8)), "has 5 images, but"),
        (
            "train-labels-idx1-ubyte.gz",
            idx_bytes(np.full(600, 10, np.uint8)),
            "has the label 10; the network knows",
        ),
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


def write_set(folder: Path, images: np.ndarray, labels: list[int], classes: str | None = None) -> Path:
    """A data set whose training and test files are the same."""
    folder.mkdir()
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(np.array(labels, np.uint8)))
    if classes is not None:
        (folder / "classes.txt").write_text(classes, encoding="utf-8")
    return folder


def spec_of(folder: Path, kind: str = "auto") -> DataSpec:
    return read_data_set(folder, 0, kind, lambda: None).spec  # type: ignore[arg-type]


SOME = np.arange(5 * 12 * 12, dtype=np.uint8).reshape(5, 12, 12)


def test_mnist_is_what_old_checkpoints_take_for_granted() -> None:
    assert spec_of(resources.mnist()) == MNIST


def test_sides_and_classes_are_those_of_the_files(tmp_path: Path) -> None:
    named = spec_of(write_set(tmp_path / "named", SOME, [0, 1, 2, 1, 0], "a\nŉ b\nc\nd\n"))
    assert (named.side, named.classes, named.digits) == (12, ("a", "ŉ b", "c", "d"), False)
    plain = spec_of(write_set(tmp_path / "plain", SOME, [0, 1, 2, 1, 0]))
    assert (plain.classes, plain.digits) == (("0", "1", "2"), False)
    ten = write_set(tmp_path / "ten", SOME, [0, 1, 2, 1, 9])
    assert (spec_of(ten).classes, spec_of(ten).digits, spec_of(ten, "any").digits) == (DIGITS, True, False)
    signs = spec_of(tmp_path / "named", "digits")
    assert (signs.digits, signs.numerals, spec_of(ten).numerals) == (True, False, True)
    (tmp_path / "plain" / "classes.txt").write_bytes(b"\xef\xbb\xbfx\r\ny\r\nz")
    assert spec_of(tmp_path / "plain").classes == ("x", "y", "z")


def test_brightness_is_that_of_the_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (333, 400), dtype=np.uint8)
    mean, deviation = brightness(images)
    assert (mean, deviation) == (round(images.mean() / 255, 4), round(images.std() / 255, 4))
    assert brightness(np.full((3, 64), 255, np.uint8)) == (1.0, 0.001)


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ("a\n", "1 class; expected 2 to 100"),
        ("\n".join(f"n{n}" for n in range(101)), "101 classes; expected 2 to 100"),
        ("a\nb\na", "two classes are called a"),
        ("a\nb\x1b[31m\nc", r"the class's name 'b\x1b[31m': expected printable characters"),
        ("a\n b\nc", "the class's name ' b': expected printable characters without blanks around them"),
        ("a\n\nc", "the class's name '': expected printable characters"),
        ("a\nb\n" + 10_000 * "c", "a class's name has 10,000 characters; expected at most 100"),
        ("a\nb\n" + 100_000 * "c", "is too long for at most 100 names of at most 100 characters"),
        ("a\nb", "names 2 classes, but there is a label 2; labels count from 0"),
    ],
)
def test_names_that_are_none_are_refused(tmp_path: Path, classes: str, complaint: str) -> None:
    folder = write_set(tmp_path / "data", SOME, [0, 1, 2, 1, 0], classes)
    with pytest.raises(DataError) as caught:
        spec_of(folder)
    assert complaint in str(caught.value)
    assert str(folder / "classes.txt") in str(caught.value)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "data", SOME, [0, 1, 2, 1, 0], "")
    (folder / "classes.txt").write_bytes(b"a\nb\n\xff")
    with pytest.raises(DataError, match=r"classes\.txt: is not UTF-8 text; expected a class's name a line"):
        spec_of(folder)
    (folder / "classes.txt").unlink()
    (folder / "classes.txt").mkdir()
    with pytest.raises(DataError, match=r"classes\.txt: can't be read: Is a directory"):
        spec_of(folder)


@pytest.mark.parametrize("shape", [(5, 7, 7), (5, 65, 65), (5, 20, 28)], ids=str)
def test_images_that_are_no_squares_of_a_fit_side_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    folder = write_set(tmp_path / "data", np.zeros(shape, np.uint8), [0, 1, 2, 1, 0])
    with pytest.raises(DataError, match=f"are {shape[1]}×{shape[2]} pixels; expected squares of 8 to 64 pixels"):
        spec_of(folder)


def test_images_of_a_wrong_size_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "data", SOME, [0, 1, 2, 1, 0])
    promised = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 30_000, 30_000)
    (folder / "train-images-idx3-ubyte").write_bytes(gzip.compress(promised))  # and nothing after it
    with pytest.raises(DataError, match="are 30000×30000 pixels; expected squares"):
        spec_of(folder)


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "data", SOME, [0, 1, 2, 1, 0])
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((5, 9, 9), np.uint8)))
    with pytest.raises(DataError, match="its test images are 9×9 pixels, its training images 12×12"):
        spec_of(folder)
    with pytest.raises(DataError, match="label 2 is 100; a label is at most 99"):
        spec_of(write_set(tmp_path / "many", SOME, [0, 1, 100, 1, 0]))


def test_a_reading_can_be_ended_between_two_files(small_mnist: Path) -> None:
    calls = []

    def pause() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_data_set(small_mnist, 0, "auto", pause)


def test_the_first_images_of_a_split(small_split: Split) -> None:
    few = small_split.first(7)
    assert (len(few), few.side) == (7, 28)
    assert np.shares_memory(few.images, small_split.images)
    assert len(small_split.first(10_000)) == 500


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"side": 7}, "a side of 7 pixels"),
        ({"side": 65}, "a side of 65 pixels"),
        ({"mean": -0.1}, "the mean -0.1"),
        ({"mean": float("nan")}, "the mean nan"),
        ({"deviation": 0.0}, "the deviation 0"),
        ({"deviation": float("inf")}, "the deviation inf"),
    ],
)
def test_a_spec_that_is_none_has_a_flaw(changed: dict[str, object], complaint: str) -> None:
    assert flaw_in_spec(MNIST) == ""
    assert complaint in flaw_in_spec(replace(MNIST, **changed))  # type: ignore[arg-type]


@given(st.lists(st.text(max_size=110), max_size=105))
def test_names_without_a_flaw_are_what_the_rules_say(names: list[str]) -> None:
    fine = 2 <= len(names) <= 100 and len(set(names)) == len(names)
    fine &= all(name.isprintable() and name == name.strip() and 0 < len(name) <= 100 for name in names)
    assert (flaw_in_classes(names) == "") == fine
