"""Listing of a folder of pictures: order of the classes, what is skipped, and folders that are none of pictures."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.data.folder import listing
from bpcli.data.folder.listing import list_pictures, natural
from bpcli.errors import DataError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def listed(folder: Path) -> set[tuple[str, int, str | None]]:
    found = list_pictures(folder).files
    return {(os.path.relpath(path, folder), label, split) for path, label, split in found}


def test_classes_stand_in_natural_order(tmp_path: Path) -> None:
    names = ["10", "2", "b", "A10", "a2", "a2b1", "01"]
    found = list_pictures(touch(tmp_path, *(f"{name}/x.png" for name in names)))
    assert found.classes == ("01", "2", "10", "a2", "a2b1", "A10", "b")


@settings(max_examples=30)
@given(st.lists(st.text("aB10", max_size=6), unique=True))
def test_the_order_does_not_depend_on_that_of_the_disk(names: list[str]) -> None:
    turned = names[::-1]
    assert sorted(names, key=natural) == sorted(turned, key=natural)


def test_what_is_hidden_or_no_picture_is_skipped_and_counted(tmp_path: Path) -> None:
    folder = touch(
        tmp_path, "readme.txt", ".git/a.png", "a/.DS_Store", "a/1.png", "a/deep/down/2.JPEG", "a/notes.txt", "b/3.tif",
        "__MACOSX/4.png", "b/Thumbs.db",
    )  # fmt: skip
    assert listed(folder) == {("a/1.png", 0, None), ("a/deep/down/2.JPEG", 0, None), ("b/3.tif", 1, None)}
    assert (list_pictures(folder).hidden, list_pictures(folder).others) == (4, 2)


def test_folders_of_splits_stand_above_the_classes(tmp_path: Path) -> None:
    folder = touch(tmp_path, "Train/a/1.png", "Train/b/2.png", "val/b/3.png", "test/a/4.png", "test/b/note")
    assert listed(folder) == {
        ("Train/a/1.png", 0, "train"), ("Train/b/2.png", 1, "train"), ("val/b/3.png", 1, "validation"),
        ("test/a/4.png", 0, "test"),
    }  # fmt: skip


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    assert list_pictures(touch(tmp_path, "train/1.png", "bus/2.png")).classes == ("bus", "train")


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["a/1.png"], "1 class; expected 2 to 100; each folder in it is a class"),
        ([f"{n}/1.png" for n in range(101)], "101 classes; expected 2 to 100"),
        (["a/1.png", "A/1.png", "b/1.png"], "the classes A and a differ by case only"),
        (["\u00e9/1.png", "e\u0301/1.png"], "two classes are called \u00e9"),
        (["a/1.png", "b/1.heic", "b/2.heic"], "b: holds no picture, but 2 other files; a class wants some"),
        (["a/1.png", "b/.1.png"], "b: holds no picture; a class wants some"),
        (["train/a/1.png", "train/b/1.png", "test/c/1.png"], "test/c: the training split has no such class"),
        (["train/a/1.png", "test/a/1.png", "c/1.png"], "has the folders train, test of splits, but also c"),
        (["train/a/1.png", "val/a/1.png", "validation/a/1.png"], "two folders for one split: train, validation, val"),
        (["a\n/1.png", "b/1.png"], r"the class's name 'a\\n'"),
    ],
)
def test_folders_that_are_no_data_set_are_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        list_pictures(touch(tmp_path, *names))


@pytest.mark.parametrize(
    ("link", "target", "complaint"),
    [
        ("b/up", "..", "b/up: a link to a folder that it lies in"),
        ("b/x/y", "../../b", "b/x/y: a link to a folder that it lies in"),
        ("c", ".", "c: a link to a folder that it lies in"),
        ("b/itself", "itself", "b/itself: can't be read: Too many levels"),
    ],
)
def test_links_in_a_circle_are_refused(tmp_path: Path, link: str, target: str, complaint: str) -> None:
    touch(tmp_path, "a/1.png", "b/x/2.png")
    (tmp_path / link).symlink_to(target)
    with pytest.raises(DataError, match=complaint):
        list_pictures(tmp_path)


def test_other_links_are_followed(tmp_path: Path) -> None:
    folder = touch(tmp_path / "data", "a/1.png", "b/2.png")
    touch(tmp_path / "elsewhere", "deep/3.png")
    (folder / "a" / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "b" / "broken.png").symlink_to("nowhere")  # is refused when it is read
    assert listed(folder) == {
        ("a/1.png", 0, None), ("a/more/deep/3.png", 0, None), ("b/2.png", 1, None), ("b/broken.png", 1, None),
    }  # fmt: skip


def test_a_folder_without_rights_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.png", "b/2.png")
    scandir = os.scandir

    def refuse(place: str) -> object:
        if place.endswith("b"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="b: can't be read: Permission denied"):
        list_pictures(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".txt", "/"])
def test_names_without_end_are_not_read_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    touch(tmp_path, "a/1.png", "b/2.png")
    scandir: Callable[[str], object] = os.scandir

    def endless(place: str) -> object:
        if not place.endswith("a"):
            return scandir(place)
        inside, name = suffix == "/", suffix.strip("/")
        kind = {"is_dir": lambda: inside, "is_file": lambda: not inside, "is_symlink": lambda: False}
        return nullcontext(SimpleNamespace(name=f"{n}{name}", path=f"{place}/{n}{name}", **kind) for n in count())

    monkeypatch.setattr(os, "scandir", endless)
    monkeypatch.setattr(listing, "MAX_ENTRIES", 50)
    with pytest.raises(DataError, match="a: more than 50 files and folders, the most that are read"):
        list_pictures(tmp_path)
