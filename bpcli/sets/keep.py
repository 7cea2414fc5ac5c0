"""The folder that keeps named data sets: each in a folder of its own, as four IDX files with `classes.txt`.

A set is put there whole or not at all. Whatever was peculiar to it is undone then, so that everything else reads it as
it reads any folder.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from bpcli import resources
from bpcli.data.datasets import CLASSES_FILE
from bpcli.data.idx import idx_pieces
from bpcli.errors import DataError, OutputError
from bpcli.machine import quote
from bpcli.sets import layouts
from bpcli.sets.download import PATIENCE, MirrorError, download
from bpcli.sets.sums import recognised, sum_of
from bpcli.sets.table import NamedSet, Source
from bpcli.storage import files, lock

SUMS = "SHA256SUMS"  # in the form of sha256sum
_DATA_DIRS = "/usr/local/share:/usr/share"  # what $XDG_DATA_DIRS stands for where it is not set


class Watch(NamedTuple):
    """Who is told how fetching goes on.

    Attributes:
        note: called with a line for people.
        bar: called with a file's name and its bytes, None if not known; the function it yields is called with the
            number of bytes of each piece that comes.
    """

    note: Callable[[str], object]
    bar: Callable[[str, int | None], AbstractContextManager[Callable[[int], object]]]


def folder_of(named: NamedSet) -> Path:
    """Return the folder in which a data set is or would be."""
    return resources.sets() / named.name


def is_here(named: NamedSet) -> bool:
    """Return whether a data set has been fetched or imported."""
    return (folder_of(named) / SUMS).is_file()


def faults(named: NamedSet) -> list[str]:
    """Return what is wrong with the files of a data set that is here, a line each; none if all sums are right."""
    folder = folder_of(named)
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return [f"{folder / SUMS}: can't be read"]
    recorded = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    expected = {**recorded, **_published(named)}
    return [fault for name, digest in expected.items() if (fault := _fault(folder / name, digest))]


def require_here(named: NamedSet) -> Path:
    """Return the folder of a data set.

    Raises:
        DataError: it is not here.
    """
    if not is_here(named):
        raise DataError(f"{named.name}: is not here; `bpcli data fetch {named.name}` gets it")
    return folder_of(named)


def fetch(named: NamedSet, watch: Watch, patience: float = PATIENCE) -> Path:
    """Return the folder of a data set, after fetching it if it is not here or damaged.

    A file is taken from the system where a package has put it there, else from the first mirror that gives it. Files
    that have come stay if a later one doesn't, for the next time.

    Raises:
        DataError: no mirror gives a file.
        OutputError: the folder can't be written to.
        BusyError: another process fetches the same data set.
    """
    target = folder_of(named)
    if is_here(named) and not faults(named):
        return target
    with _workshop(target) as room:
        found = {source.name: _get(source, named, room, watch, patience) for source in named.sources}
        _install(named, found, room)
    return target


def import_files(named: NamedSet, paths: Iterable[Path]) -> Path:
    """Return the folder of a data set, made of files that somebody has got by hand.

    Raises:
        DataError: a file is none of the data set's, or one is missing.
        OutputError: the folder can't be written to.
        BusyError: another process fetches the same data set.
    """
    found = {_require_recognised(path, named).name: path for path in paths}
    if missing := [source for source in named.sources if source.name not in found]:
        raise DataError(f"{named.name}: wants {_listed(missing)} besides")
    with _workshop(folder_of(named)) as room:
        _install(named, found, room)
    return folder_of(named)


def _published(named: NamedSet) -> dict[str, str]:
    """Return the sums that are published of files as they are kept."""
    return {source.name.removesuffix(".gz"): source.unpacked.sha256 for source in named.sources if source.unpacked}


def _fault(path: Path, digest: str) -> str:
    if not path.is_file():
        return f"{path}: is missing"
    return "" if sum_of(path) == digest else f"{path}: is damaged: its SHA-256 is not {digest}"


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target for what is not finished; remove it once everything is.

    Raises:
        BusyError: another process is at work there.
        OutputError: the target is a folder of somebody else's.
    """
    if target.exists() and not (target / SUMS).is_file():
        raise OutputError(f"{target}: is there already, but no data set that bpcli made; move it away")
    room = target.with_name(f".{target.name}.part")
    files.make_folder(room)
    with lock.exclusive(room, "another process is fetching this data set"):
        yield room
    shutil.rmtree(room, ignore_errors=True)


def _get(source: Source, named: NamedSet, room: Path, watch: Watch, patience: float) -> Path:
    """Return where a source is, after fetching it if it is nowhere."""
    for path in (room / source.name, *_in_system(source, named)):
        if path.is_file() and recognised(path, [source]):
            watch.note(f"{source.name}: taken from {path.parent}")
            return path
    for mirror in named.mirrors:
        try:
            with watch.bar(source.name, source.size) as moved:
                download(mirror + source.name, room / source.name, source, patience, moved)
            return room / source.name
        except MirrorError as error:
            watch.note(f"{mirror}{source.name}: {error}")
    raise DataError(
        f"{named.name}: no mirror gives {source.name}; get {_listed(named.sources)} by hand and run: "
        f"bpcli data import {named.name} {' '.join(quote(each.name) for each in named.sources)}"
    )


def _in_system(source: Source, named: NamedSet) -> list[Path]:
    """Return where packages of the system may have put a source."""
    if named.system is None:
        return []
    shares = (os.environ.get("XDG_DATA_DIRS") or _DATA_DIRS).split(os.pathsep)
    names = (source.name, source.name.removesuffix(".gz"))
    return [Path(share, "datasets", named.system, name) for share in shares for name in names]


def _require_recognised(path: Path, named: NamedSet) -> Source:
    source = recognised(path, named.sources)
    if source is None:
        raise DataError(f"{path}: is no file of {named.name} by its SHA-256; expected {_listed(named.sources)}")
    return source


def _listed(sources: Sequence[Source]) -> str:
    return ", ".join(f"{each.name} ({each.size:,} bytes)" if each.size else each.name for each in sources)


def _install(named: NamedSet, found: Mapping[str, Path], room: Path) -> None:
    """Write the files as bpcli reads them, and put their folder into place."""
    ready, target = room / "ready", folder_of(named)
    shutil.rmtree(ready, ignore_errors=True)
    files.make_folder(ready)
    for prefix, part in (("train", named.train), ("t10k", named.test)):
        images, labels = layouts.read(named, part, found, room)
        files.write_pieces(ready / f"{prefix}-images-idx3-ubyte", idx_pieces(images))
        files.write_pieces(ready / f"{prefix}-labels-idx1-ubyte", idx_pieces(labels))
    files.write_file(ready / CLASSES_FILE, "".join(f"{name}\n" for name in named.classes).encode())
    sums = "".join(f"{sum_of(path)}  {path.name}\n" for path in sorted(ready.iterdir()))
    files.write_file(ready / SUMS, sums.encode())
    files.replace_folder(ready, target)
