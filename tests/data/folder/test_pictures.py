"""A folder of pictures as a data set: the same whatever its names and place, and split by content."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bpcli import resources
from bpcli.core.threads import Interrupted
from bpcli.data.datasets import DataSet, Split, SplitName, end_of, is_of_pictures, read_data_set, read_split
from bpcli.data.folder import preparing
from bpcli.data.folder.pictures import reading
from bpcli.data.folder.remarks import Preparing
from bpcli.data.folder.splits import Validation
from bpcli.data.picture.read import content_of
from bpcli.data.spec import MNIST
from bpcli.errors import DataError, ImageError
from tests.data.folder.made import picture, write

SPLITS = ("training", "validation", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures of each of two classes."""
    return write(tmp_path_factory.mktemp("data") / "pictures", {"dark": 60, "light": 60})


def data_of(folder: Path, validation: Validation = "auto", test: float = 0.15) -> DataSet:
    return read_data_set(folder, validation, "auto", lambda: None, test=test, side=10)


def contents(split: Split) -> set[bytes]:
    return {image.tobytes() for image in split.images}


def test_names_and_place_and_order_of_files_change_nothing(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    for number, path in enumerate(sorted(folder.rglob("*.png"), reverse=True)):
        place = other / path.parent.name / f"in {number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place / f"{number}.PNG")
    one, two = data_of(folder), data_of(other)
    assert one.spec == two.spec
    for name in SPLITS:
        first, second = getattr(one, name), getattr(two, name)
        assert np.array_equal(first.images, second.images)
        assert np.array_equal(first.labels, second.labels)


def test_the_splits_are_parts_of_all_pictures_in_mixed_order(folder: Path) -> None:
    data = data_of(folder)
    assert sum(len(contents(getattr(data, name))) for name in SPLITS) == 120
    assert (data.spec.classes, data.spec.side, data.spec.digits) == (("dark", "light"), 10, False)
    assert 8 <= len(data.test) <= 30
    assert np.bincount(data.training.labels[:20]).min() > 0
    light = data.training.images[data.training.labels == 1].reshape(-1, 10, 10)
    assert light[:, :5].mean() > light[:, 5:].mean() + 100  # as the pictures of odd numbers are made


def test_pictures_stay_in_their_split_when_others_are_added(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "more")
    write(tmp_path / "more", {"dark": 40, "light": 30}, start=100)
    before, after = data_of(folder), data_of(tmp_path / "more")
    for name in SPLITS:
        assert contents(getattr(before, name)) < contents(getattr(after, name))
    assert contents(data_of(folder, 0.5).test) == contents(before.test)


def test_copies_never_lie_in_two_splits(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "twice")
    for label, name in enumerate(("dark", "light")):
        for number in range(60):
            picture(2 * number + label + 1000 * label).save(tmp_path / "twice" / name / f"copy-{number}.bmp")
    data = data_of(tmp_path / "twice", 25)
    found = [contents(getattr(data, name)) for name in SPLITS]
    assert sum(map(len, found)) == 120
    assert sum(len(getattr(data, name)) for name in SPLITS) == 240
    assert len(data.validation) == 26  # a picture and its copy stay together


@pytest.mark.parametrize(("validation", "expected"), [(0, 0), (7, 7), (0.0, 0), ("auto", 17), (0.5, 54)])
def test_validation_is_a_number_or_a_fraction(folder: Path, validation: Validation, expected: int) -> None:
    assert len(data_of(folder, validation).validation) == pytest.approx(expected, abs=0 if expected < 10 else 11)


def test_a_network_reads_the_same_splits_again(folder: Path) -> None:
    data = data_of(folder)
    names: tuple[SplitName, ...] = ("train", "validation", "test")
    for name in names:
        again = read_split(folder, name, "auto", data.spec)
        same = data.training if name == "train" else getattr(data, name)
        assert np.array_equal(again.images, same.images)
        assert np.array_equal(again.labels, same.labels)


def test_labels_are_those_of_the_network(folder: Path) -> None:
    own, more = data_of(folder).spec, ("bright", "dark", "light")
    found = read_split(folder, "test", "auto", replace(own, classes=more))
    assert np.array_equal(found.labels, data_of(folder).test.labels + 1)
    with pytest.raises(DataError, match=r"the network doesn't know the class dark; it knows 0, 1, 2, 3, 4, \.\.\."):
        read_split(folder, "test", "auto", replace(own, classes=MNIST.classes))


def test_pictures_are_prepared_once(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPCLI_CACHE_DIR", str(tmp_path))
    assert [*reading(folder, 10, "auto", "auto", 0.15)] == [Preparing(done, 120) for done in range(121)]
    assert [*reading(folder, 10, "auto", "auto", 0.15)] == []
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(cached.read_bytes()[:-1])
    assert len([*reading(folder, 10, "auto", "auto", 0.15)]) == 121
    assert resources.cache() == tmp_path


@pytest.mark.parametrize("stop", [5, 125])
def test_a_pause_may_end_the_reading(folder: Path, stop: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While the files are compared with the cache, and while they are prepared."""
    monkeypatch.setenv("BPCLI_CACHE_DIR", str(tmp_path))
    calls = iter(range(1, stop))

    def pause() -> None:
        if next(calls, None) is None:
            raise Interrupted

    with pytest.raises(Interrupted):
        read_data_set(folder, "auto", "auto", pause, side=10)
    assert [*tmp_path.iterdir()] == []


def test_a_picture_that_changes_meanwhile_is_noticed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "x")
    picture(77_777).save(tmp_path / "x" / "dark" / "0.png")
    steps = reading(tmp_path / "x", 10, "auto", "auto", 0.15)
    next(steps)
    for path in (tmp_path / "x").rglob("*.png"):
        picture(99_999).save(path)
    with pytest.raises(DataError, match="png: changed while it was read"):
        end_of(steps)


def test_given_splits_are_used(tmp_path: Path) -> None:
    write(tmp_path / "train", {"aa": 30, "bb": 30})
    write(tmp_path / "test", {"aa": 3, "bb": 5}, start=200)
    data = data_of(tmp_path)
    assert np.bincount(data.test.labels).tolist() == [3, 5]
    assert len(data.training) + len(data.validation) == 60
    assert data.remarks is not None
    assert data.remarks.warnings == ()
    write(tmp_path / "validation", {"aa": 4, "bb": 4}, start=300)
    shutil.copy(tmp_path / "train/aa/0.png", tmp_path / "test/aa/copy.png")
    shutil.copy(tmp_path / "train/aa/1.png", tmp_path / "train/bb/copy.png")
    whole = data_of(tmp_path, 0.5)
    assert [len(whole.training), len(whole.validation), len(whole.test)] == [61, 8, 9]
    assert whole.remarks is not None
    assert whole.remarks.warnings == (
        "pictures of the test split that are in the training split too: 1; leave each in one",
        "pictures that lie in several classes: 1; leave each in one",
    )


def test_few_pictures_that_can_not_be_used_are_listed_and_many_refused(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(folder, bad)
    for number in range(12):
        (bad / "dark" / f"{number}.png").write_bytes(b"?" * (number % 2))
    data = data_of(bad)
    assert data.remarks is not None
    assert data.remarks.refused[:2] == (
        ("dark/0.png", "is empty"),
        ("dark/1.png", "not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM)"),
    )
    assert (len(data.remarks.refused), sum(len(getattr(data, name)) for name in SPLITS)) == (12, 108)
    (bad / "light" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"bad: 13 of 120 pictures can't be used, more than a tenth: dark/0.png: is"):
        data_of(bad)


def test_each_picture_that_can_not_be_read_has_its_own_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = content_of
    for reasons in ({"0.png": "gone", "1.png": "broken"}, {"0.png": "broken", "2.png": "gone"}):

        def refuse(path: str | Path, reasons: dict[str, str] = reasons) -> bytes:
            name = Path(path).name if "dark" in str(path) else ""
            if name in reasons:
                raise ImageError(f"{path}: can't be read: {reasons[name]}")
            return read(path)

        monkeypatch.setattr(preparing, "content_of", refuse)
        data = data_of(folder)
        assert data.remarks is not None
        assert data.remarks.refused == tuple((f"dark/{name}", f"can't be read: {why}") for name, why in reasons.items())


@pytest.mark.parametrize(
    ("counts", "validation", "test", "complaint"),
    [
        ({"aa": 5, "bb": 5}, "auto", 0.001, "data.test = 0.001 leaves no picture to test on; add pictures"),
        ({"aa": 20, "bb": 20}, 40, 0.2, "data.validation = 40 leaves nothing to train on"),
        ({"aa": 5, "bb": 5}, 0, 0.99, "data.test = 0.99 leaves nothing to train on; lower it, or add pictures"),
        ({"aa": 60, "bb": 1}, 0.9, 0.9, "no picture of the class bb is left to train on"),
    ],
)
def test_splits_that_lack_something_are_refused(
    tmp_path: Path, counts: dict[str, int], validation: Validation, test: float, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        data_of(write(tmp_path, counts), validation, test)


@pytest.mark.parametrize(
    ("names", "digits"), [("17", True), ("aZ", True), ("é3", True), ("a!", False), (["1", "10"], False)]
)
def test_signs_are_told_by_the_names_of_the_classes(tmp_path: Path, names: Sequence[str], digits: bool) -> None:
    for label, name in enumerate(names):
        (tmp_path / name).mkdir()
        for number in range(20):
            drawn = picture(number).resize((30, 40)).point(lambda value: 255)
            drawn.paste(0, (8 + number % 7, 5 + number // 7, 12 + number % 7, 35 - number // 7))
            drawn.paste(0, (8, 10, 22, 14 + 9 * label))
            drawn.save(tmp_path / name / f"{number}.png")
    spec = read_data_set(tmp_path, "auto", "auto", lambda: None, test=0.3).spec
    assert (spec.digits, spec.numerals) == (digits, False)


def test_a_folder_is_told_by_what_is_in_it(folder: Path, small_mnist: Path, tmp_path: Path) -> None:
    assert is_of_pictures(folder)
    assert not is_of_pictures(folder / "dark")
    shutil.copytree(small_mnist, tmp_path / "idx")
    (tmp_path / "idx" / "notes").mkdir()
    assert not is_of_pictures(tmp_path / "idx")
    assert not is_of_pictures(Path("a\0b"))
    with pytest.raises(DataError, match="nor a folder of pictures for each class"):
        data_of(folder / "dark")
