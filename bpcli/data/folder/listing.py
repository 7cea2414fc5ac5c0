"""Listing of a folder of pictures: its classes in natural order, and the picture files of each.

`<folder>/<class>/…` holds the pictures of a class, in folders inside it too. Above the classes there may be folders for
the splits: `train/`, and `validation/` and `test/` if they are given.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from unicodedata import normalize

from bpcli.data.picture.read import SUFFIXES
from bpcli.data.spec import flaw_in_classes
from bpcli.errors import DataError

SplitName = Literal["train", "validation", "test"]
Kind = Literal["auto", "digits", "any"]

MAX_ENTRIES = 1_000_000  # names that are read, of files and folders
SPLITS: Mapping[str, SplitName] = {
    "train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test",
}  # fmt: skip
LITTER = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))  # hidden where they come from
_NUMBERED = re.compile(r"([^0-9]*)([0-9]*)")

Identity = tuple[int, int]  # of a folder: its device and its number there


class File(NamedTuple):
    """A picture file.

    Attributes:
        path: of the file.
        label: the index of its class.
        split: the one that it was put into; None if the folder leaves that open.
    """

    path: str
    label: int
    split: SplitName | None


class Listing(NamedTuple):
    """What a folder of pictures holds.

    Attributes:
        classes: the names of the folders, in natural order.
        files: the pictures, in no order.
        hidden: how many files and folders were skipped because they are hidden.
        others: how many files were skipped because they are no pictures by their names.
    """

    classes: tuple[str, ...]
    files: list[File]
    hidden: int
    others: int


@dataclass(slots=True)
class _Counts:
    read: int = 0
    hidden: int = 0
    others: int = 0


def holds_folders(folder: Path) -> bool:
    """Return whether a folder has one in it that is not hidden; False if it can't be read."""
    try:
        return any(map(_is_folder, _visible(str(folder), _Counts())))
    except DataError:
        return False


def list_pictures(folder: Path) -> Listing:
    """Return the classes and the picture files of a folder.

    Symbolic links are followed, but not in a circle.

    Raises:
        DataError: a folder can't be read, there are too many files, too few or too many classes, a class is empty, or
            names of classes can't be told apart on every system.
    """
    counts = _Counts()
    splits = _splits(folder, counts)
    classes = _classes(folder, next(iter(splits.values())))  # of the training split
    files: list[File] = []
    for split, places in splits.items():
        for name, place in places.items():
            paths = _pictures(place, counts, _identities(folder, Path(place).parent))
            label, before, others = _label(name, classes, place), len(files), counts.others
            files += (File(path, label, split) for path in paths)
            if len(files) == before and split in (None, "train"):
                raise _empty(place, counts.others - others)
    return Listing(classes, files, counts.hidden, counts.others)


def _empty(place: str, others: int) -> DataError:
    found = f", but {others:,} other files" if others else ""
    return DataError(f"{place}: holds no picture{found}; a class wants some (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM)")


def natural(name: str) -> tuple[list[tuple[str, int]], str]:
    """Return a key that sorts names as people do, "2" before "10"."""
    parts = _NUMBERED.findall(name.casefold())
    return [(text, int(number or -1)) for text, number in parts], name


def _splits(folder: Path, counts: _Counts) -> dict[SplitName | None, dict[str, str]]:
    """Return the folders of the classes in each split, the training split's first; of None without such splits."""
    inside = _folders(str(folder), counts)
    known = sorted(
        (name for name in inside if name.casefold() in SPLITS), key=lambda name: [*SPLITS].index(name.casefold())
    )
    others = sorted(set(inside) - set(known))
    if not known or SPLITS[known[0].casefold()] != "train" or (len(known) == 1 and others):
        return {None: inside}  # a class may have such a name
    if others:
        raise DataError(f"{folder}: has the folders {', '.join(known)} of splits, but also {others[0]}")
    splits: dict[SplitName | None, dict[str, str]] = {
        SPLITS[name.casefold()]: _folders(inside[name], counts) for name in known
    }
    if len(splits) < len(known):
        raise DataError(f"{folder}: has two folders for one split: {', '.join(known)}")
    return splits


def _classes(folder: Path, places: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the classes in natural order."""
    names = sorted((normalize("NFC", name) for name in places), key=natural)
    if flaw := flaw_in_classes(names):
        raise DataError(f"{folder}: {flaw}; each folder in it is a class")
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise DataError(
                f"{folder}: the classes {other} and {name} differ by case only, which some systems can't tell apart"
            )
    return tuple(names)


def _label(name: str, classes: tuple[str, ...], place: str) -> int:
    """Return the label of a folder; one outside of the training split may be of no class."""
    try:
        return classes.index(normalize("NFC", name))
    except ValueError:
        raise DataError(f"{place}: the training split has no such class") from None


def _folders(where: str, counts: _Counts) -> dict[str, str]:
    """Return the paths of the folders in a folder by their names, and count its files."""
    found = {}
    for entry in _visible(where, counts):
        if _is_folder(entry):
            found[entry.name] = entry.path
        else:
            counts.others += 1
    return found


def _pictures(where: str, counts: _Counts, above: frozenset[Identity]) -> Iterator[str]:
    """Yield the picture files in a folder and in those inside it; `above` are those that it lies in."""
    waiting = [(where, above)]
    while waiting:
        place, above = waiting.pop()
        (own,) = _identities(place)
        if own in above:
            raise DataError(f"{place}: a link to a folder that it lies in; remove the link")
        for entry in _visible(place, counts):
            if _is_folder(entry):
                waiting.append((entry.path, above | {own}))
            elif _is_picture(entry):
                yield entry.path
            else:
                counts.others += 1


def _visible(where: str, counts: _Counts) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder and not hidden; count the rest."""
    try:
        with os.scandir(where) as entries:
            for entry in entries:
                counts.read += 1
                if counts.read > MAX_ENTRIES:
                    raise DataError(f"{where}: more than {MAX_ENTRIES:,} files and folders, the most that are read")
                if entry.name.startswith(".") or entry.name in LITTER:
                    counts.hidden += 1
                else:
                    yield entry
    except OSError as error:
        raise _unreadable(where, error) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:  # such as a link to itself
        raise _unreadable(entry.path, error) from error


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file, by its name a picture; or a broken link, which is refused when it is read."""
    if os.path.splitext(entry.name)[1].lower() not in SUFFIXES:  # noqa: PTH122 (a million of them)
        return False
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())


def _identities(*folders: str | Path) -> frozenset[Identity]:
    try:
        return frozenset((about.st_dev, about.st_ino) for about in map(os.stat, folders))
    except OSError as error:
        raise _unreadable(str(folders[-1]), error) from error


def _unreadable(where: str, error: OSError) -> DataError:
    return DataError(f"{where}: can't be read: {error.strerror or error}")
