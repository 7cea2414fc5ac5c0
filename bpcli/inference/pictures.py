"""Picture files: find them in folders, read and prepare them, in several processes if there are many."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from bpcli import machine
from bpcli.core.types import Bytes
from bpcli.data.datasets import SplitName
from bpcli.data.picture.background import Ink
from bpcli.data.picture.prepare import Prepared, prepare, prepare_all
from bpcli.data.picture.read import read_picture
from bpcli.data.picture.segment import Box
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError, ImageError
from bpcli.inference.evaluation import read_split_of
from bpcli.model import Model

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".pbm", ".ppm"))
WORTH_A_PROCESS = 100  # pictures, which take about half a second


class Example(NamedTuple):
    """An image of a data set, with the name that users give it, such as test:123; pixels (side, side)."""

    name: str
    pixels: Bytes


Source: TypeAlias = Path | bytes | str | Example  # a file, or what it contains, or a web address, which is not read


class Seen(NamedTuple):
    """A picture that could be read, and the network inputs found in it.

    Attributes:
        name: of its file; - for standard input.
        found: the prepared inputs: one, or one for each digit.
        boxes: the box of each, (left, top, right, bottom), if several were looked for; else None.
    """

    name: str
    found: list[Prepared]
    boxes: list[Box] | None


_EXAMPLE = re.compile(r"(test|validation|train):([0-9]{1,9})")


def example(name: str, model: Model) -> Example | None:
    """Return the image of a network's own data set that a name such as test:123 stands for; None for any other name.

    Raises:
        ArgumentError: the split has no image of that number.
        DataError: the data can't be read.
    """
    found = _EXAMPLE.fullmatch(name)
    if found is None:
        return None
    split = read_split_of(model, cast(SplitName, found[1]))
    if int(found[2]) >= len(split):
        raise ArgumentError(f"{name}: the {found[1]} split has {len(split):,} images, numbered from 0")
    return Example(name, split.images[int(found[2])].reshape(model.spec.side, model.spec.side))


def files_in(path: Path) -> Iterator[Path]:
    """Yield the picture files in a folder and in the folders in it, by name."""
    yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())


def look_at_all(
    sources: Sequence[Source], spec: DataSpec, ink: Ink, *, multi: bool, keep_steps: bool
) -> Iterator[Seen | ImageError]:
    """Yield the network inputs found in each source, in order, or the error if it can't be read.

    Args:
        sources: files, contents of files, images of data sets, or web addresses.
        spec: what the network expects.
        ink: whether the ink is darker or lighter than the paper.
        multi: whether to look for several digits.
        keep_steps: whether to keep the intermediate pictures of the preparation.
    """
    look = partial(look_at, spec=spec, ink=ink, multi=multi, keep_steps=keep_steps)
    workers = min(machine.usable_cores(), len(sources) // WORTH_A_PROCESS)
    return _by_processes(look, sources, workers) if workers > 1 else map(look, sources)


def _by_processes(
    look: Callable[[Source], Seen | ImageError], sources: Iterable[Source], workers: int
) -> Iterator[Seen | ImageError]:
    """Yield `look` of each source. Threads would wait for each other, because each step on small pictures is short."""
    from concurrent.futures import ProcessPoolExecutor  # these take a tenth of the time that one picture takes
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, get_context("spawn"), _leave_interrupts_to_the_parent) as pool:
        yield from pool.map(look, sources, chunksize=8)


def _leave_interrupts_to_the_parent() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def name_of(source: Source) -> str:
    """Return the name of a source as users write it: - for standard input."""
    if isinstance(source, Example):
        return source.name
    return "-" if isinstance(source, bytes) else str(source)


def look_at(source: Source, spec: DataSpec, ink: Ink, multi: bool, keep_steps: bool) -> Seen | ImageError:
    """Return the network inputs found in one source, as `look_at_all`."""
    name = name_of(source)
    if isinstance(source, Example):
        steps = {"input": source.pixels} if keep_steps else {}
        return Seen(name, [Prepared(source.pixels, "", steps)], [(0, 0, spec.side, spec.side)] if multi else None)
    try:
        if isinstance(source, str):
            raise ImageError(f"{name}: is a web address; download the picture first, then name its file")
        if isinstance(source, Path) and source.is_dir():
            raise ImageError(f"{source}: is a folder; -r takes the pictures in it")
        grey = read_picture(source)
    except ImageError as error:
        return error
    if multi:
        found = prepare_all(grey, ink, side=spec.side)
    else:
        found = [((0, 0, 0, 0), prepare(grey, ink, side=spec.side, digits=spec.digits))]
    prepared = [each if keep_steps else replace(each, steps={}) for _, each in found]
    return Seen(name, prepared, [box for box, _ in found] if multi else None)
