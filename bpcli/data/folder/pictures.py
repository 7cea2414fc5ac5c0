"""Reading of a folder of pictures as a data set: prepared, split, and in the order of their content's digests."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bpcli.data.folder import cache
from bpcli.data.folder.cache import Table
from bpcli.data.folder.listing import File, Kind, SplitName, list_pictures
from bpcli.data.folder.preparing import Way, digest_of, ready_all
from bpcli.data.folder.remarks import Preparing, Refused, Remarks
from bpcli.data.folder.splits import Mask, Places, Validation, drawn, kept
from bpcli.errors import DataError, ImageError

MAX_BYTES = 1_000_000_000  # of prepared images
SHOWN = 3  # refused pictures in an error's line
_FEWEST = 10  # one refused picture among so many is too many

Rows = NDArray[np.intp]  # the index of each file's content in a table


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of the pictures.

    Attributes:
        images: (n, side²).
        labels: (n,).
        places: (n,), as `preparing.Ready.place`.
        folders: (n,) the split whose folder they lie in, or "".
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    places: Places
    folders: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: Mask) -> "Chosen":
        """Return those that a mask (n,) marks."""
        return Chosen(self.images[mask], self.labels[mask], self.places[mask], self.folders[mask])

    def of(self, *folders: str) -> "Chosen":
        """Return those in the folders of some splits."""
        return self.where(np.isin(self.folders, folders))


@dataclass(frozen=True, slots=True)
class Pictures:
    """A folder of pictures as a data set.

    Attributes:
        classes: the names of the classes.
        digits: whether the pictures were prepared as digits.
        splits: the pictures of each split.
        remarks: what else was found.
    """

    classes: tuple[str, ...]
    digits: bool
    splits: dict[SplitName, Chosen]
    remarks: Remarks


def reading(
    folder: Path,
    side: int,
    kind: Kind,
    validation: Validation,
    test: float,
    pause: Callable[[], None] = lambda: None,
) -> Generator[Preparing, None, Pictures]:
    """Return a folder of pictures, split; yield the progress if they are not in the cache.

    Args:
        folder: with a folder for each class, or those in `train`, and perhaps `validation` and `test`.
        side: to which the pictures are prepared.
        kind: whether as digits; auto: if each class is called by one letter or digit.
        validation: the number or the fraction of the training pictures that are kept, if there is no `validation`.
        test: the fraction of all pictures in the test split, if there is no `test`.
        pause: called after each file; it may raise to stop.

    Raises:
        DataError: the folder is none of pictures, more than a tenth of them can't be used, or a split lacks pictures.
    """
    listing = list_pictures(folder)
    count = len(listing.files)
    if count * side**2 > MAX_BYTES:
        raise DataError(f"{folder}: {count:,} pictures of {side}×{side} pixels are too many for one data set")
    digits = all(map(_is_sign, listing.classes)) if kind == "auto" else kind == "digits"
    files, digests, unread = _contents(folder, listing.files, pause)
    contents = {digest: index for index, digest in enumerate(sorted(set(digests)))}
    table = yield from _table(files, digests, contents, Way(side, digits), pause)
    rows = np.array([contents[digest] for digest in digests], np.intp)
    refused = tuple(sorted([*unread, *_refused(folder, files, rows, table)]))
    _require_most(folder, refused, count)
    splits = _split(folder, _usable(files, rows, table), validation, test)
    _require_some(folder, listing.classes, splits, test)
    remarks = Remarks(refused, listing.hidden, listing.others, tuple(_warnings(splits)))
    return Pictures(listing.classes, digits, splits, remarks)


def _is_sign(name: str) -> bool:
    return len(name) == 1 and name.isalnum()


def _contents(
    folder: Path, files: Sequence[File], pause: Callable[[], None]
) -> tuple[list[File], list[bytes], list[Refused]]:
    """Return the files that can be read, their SHA-256, and the others with the reason of each."""
    readable, digests, unread = list[File](), list[bytes](), list[Refused]()
    for file in files:
        try:
            digests.append(digest_of(file.path))
            readable.append(file)
        except ImageError as error:
            unread.append(Refused(_within(folder, file), str(error).removeprefix(f"{file.path}: ")))
        pause()
    return readable, digests, unread


def _within(folder: Path, file: File) -> str:
    return Path(file.path).relative_to(folder).as_posix()


def _table(
    files: Sequence[File],
    digests: Sequence[bytes],
    contents: Mapping[bytes, int],
    way: Way,
    pause: Callable[[], None],
) -> Generator[Preparing, None, Table]:
    """Return the prepared contents of files, each at its index, from the cache or anew."""
    where = cache.file_for([*contents], way)
    if found := cache.load(where, len(contents), way):
        return found
    table = Table(np.zeros(len(contents), np.uint64), np.zeros((len(contents), way.side**2), np.uint8), {})
    first = {digest: file.path for digest, file in zip(digests, files, strict=True)}
    with closing(ready_all([first[digest] for digest in contents], way)) as made:
        for (digest, index), each in zip(contents.items(), made, strict=True):
            yield Preparing(index, len(contents))
            if each.digest != digest:
                raise DataError(f"{first[digest]}: changed while it was read")
            table.put(index, each.place, each.pixels, each.reason)
            pause()
    yield Preparing(len(contents), len(contents))
    cache.save(where, table)
    return table


def _refused(folder: Path, files: Sequence[File], rows: Rows, table: Table) -> Iterator[Refused]:
    for file, row in zip(files, rows.tolist(), strict=True):
        if row in table.reasons:
            yield Refused(_within(folder, file), table.reasons[row])


def _require_most(folder: Path, refused: Sequence[Refused], count: int) -> None:
    """Refuse a folder if more than a tenth of its pictures can't be used."""
    if len(refused) * _FEWEST > count:
        some = "; ".join(f"{file}: {reason}" for file, reason in refused[:SHOWN])
        more = "; ..." if len(refused) > SHOWN else ""
        raise DataError(
            f"{folder}: {len(refused):,} of {count:,} pictures can't be used, more than a tenth: {some}{more}"
        )


def _usable(files: Sequence[File], rows: Rows, table: Table) -> Chosen:
    """Return the pictures that can be used, in an order that only their content determines."""
    labels = np.array([file.label for file in files], np.uint8)
    folders = np.array([file.split or "" for file in files])
    order = np.lexsort((folders, labels, rows, table.places[rows]))
    order = order[~np.isin(rows[order], [*table.reasons])]
    return Chosen(table.images[rows[order]], labels[order], table.places[rows[order]], folders[order])


def _split(folder: Path, usable: Chosen, validation: Validation, test: float) -> dict[SplitName, Chosen]:
    """Return the pictures of each split: those of its own folder, or those that their content puts there."""
    tested, rest, share = usable.of("test"), usable.of("", "train"), 0.0
    if not len(tested):
        share, chosen = test, drawn(rest.places, test)
        tested, rest = rest.where(chosen), rest.where(~chosen)
        if len(tested) and not len(rest):
            raise DataError(f"{folder}: data.test = {test} leaves nothing to train on; lower it, or add pictures")
    validated = usable.of("validation")
    if not len(validated):
        _require_enough(folder, len(rest), validation)
        chosen = kept(rest.places, share, validation)
        validated, rest = rest.where(chosen), rest.where(~chosen)
    return {"train": rest, "validation": validated, "test": tested}


def _require_enough(folder: Path, count: int, validation: Validation) -> None:
    """Refuse to keep all pictures for validation."""
    if isinstance(validation, int) and validation >= count:
        raise DataError(
            f"{folder}: data.validation = {validation:,} leaves nothing to train on; {count:,} pictures are not in the "
            "test split"
        )


def _require_some(folder: Path, classes: Sequence[str], splits: Mapping[SplitName, Chosen], test: float) -> None:
    """Refuse splits that lack what a training needs."""
    if not len(splits["test"]):
        raise DataError(f"{folder}: data.test = {test} leaves no picture to test on; add pictures, or raise it")
    counts = np.bincount(splits["train"].labels, minlength=len(classes))
    if not counts.all():
        name = classes[int(counts.argmin())]
        raise DataError(f"{folder}: no picture of the class {name} is left to train on; add some")


def _warnings(splits: Mapping[SplitName, Chosen]) -> Iterator[str]:
    """Yield what speaks against the data, in lines."""
    for name in ("validation", "test"):
        if twice := int(np.isin(splits[name].places, splits["train"].places).sum()):
            yield f"pictures of the {name} split that are in the training split too: {twice:,}; leave each in one"
    pairs = {pair for each in splits.values() for pair in zip(each.places.tolist(), each.labels.tolist(), strict=True)}
    if unclear := len(pairs) - len({place for place, _ in pairs}):
        yield f"pictures that lie in several classes: {unclear:,}; leave each in one"
