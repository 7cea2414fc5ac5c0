"""Picture files: find them in folders, read and prepare them, in several processes if there are many."""

import os
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import numpy as np

from bpcli import machine
from bpcli.core.processes import deaf
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Bytes
from bpcli.data.datasets import SplitName
from bpcli.data.picture.background import Ink
from bpcli.data.picture.prepare import Line, Prepared, prepare, prepare_all
from bpcli.data.picture.read import SUFFIXES, read_picture
from bpcli.data.picture.scale import Grey
from bpcli.data.picture.segment import Box
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError, ImageError
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.predictions import Digit, Prediction, predict_numbers, predict_pictures
from bpcli.model import Model

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_A_PROCESS = 100  # pictures, which take about half a second


class Example(NamedTuple):
    """An image of a data set, with the name that users give it, such as test:123.

    Attributes:
        name: of the split, and the number in it, from 0.
        pixels: (side, side).
        label: the index of its class.
    """

    name: str
    pixels: Bytes
    label: int

    @property
    def grey(self) -> Grey:
        """The image from 0 (black) to 1 (white)."""
        return np.asarray(self.pixels / 255, np.float32)


class NoPicture(NamedTuple):
    """A folder in which no picture is to be found, and why."""

    path: Path
    reason: str


Source: TypeAlias = Path | bytes | str | Example | NoPicture  # a text is a web address, which is not read


class Seen(NamedTuple):
    """A picture that could be read, and what was found in it.

    Attributes:
        name: of its file; - for standard input.
        prepared: the network's input; None if several digits were looked for.
        lines: the lines of what may be digits, if several were looked for.
    """

    name: str
    prepared: Prepared | None
    lines: Sequence[Line]


class Answered(NamedTuple):
    """A picture with its answers.

    Attributes:
        name: as in `Seen`.
        found: the prepared inputs: one, or one for each digit.
        boxes: the box of each, (left, top, right, bottom), if several were looked for; else None.
        answers: one for each.
    """

    name: str
    found: list[Prepared]
    boxes: list[Box] | None
    answers: list[Prediction]


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
    index, side = int(found[2]), model.spec.side
    return Example(name, split.images[index].reshape(side, side), int(split.labels[index]))


def in_folder(path: Path) -> list[Path] | list[NoPicture]:
    """Return the picture files in a folder and in the folders in it, by name, or why there are none."""
    try:
        os.scandir(path).close()
    except OSError as error:
        return [NoPicture(path, f"can't be read: {error.strerror or error}")]
    return list(files_in(path)) or [NoPicture(path, "holds no picture")]


def files_in(path: Path) -> Iterator[Path]:
    """Yield the picture files in a folder and in the folders in it, by name."""
    yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and _may_be_file(each))


def _may_be_file(path: Path) -> bool:
    """Return whether a path leads to a file, or to what can't be looked at; reading it will say why."""
    try:
        return path.is_file()
    except OSError:
        return True


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
    look: Callable[[Source], Seen | ImageError], sources: Sequence[Source], workers: int
) -> Iterator[Seen | ImageError]:
    """Yield `look` of each source. Threads would wait for each other, because each step on small pictures is short."""
    with ExitStack() as stack:
        try:
            ends = [stack.enter_context(_worker()) for _ in range(workers)]
        except OSError:  # such as too many open files
            yield from map(look, sources)
            return
        for first, end in enumerate(ends):
            with suppress(BrokenPipeError):  # of a process that has ended; receiving from it says so
                end.send((look, sources[first::workers]))
        for index, source in enumerate(sources):
            yield _received(ends[index % workers], source)


def _received(end: "Connection", source: Source) -> Seen | ImageError:
    """Return what a process has found in a source.

    Raises:
        ImageError: the process ended early.
        Exception: what `look` raised.
    """
    try:
        found: Seen | ImageError | _Raised = end.recv()
    except (EOFError, ConnectionError) as error:
        reason = "the process that prepared it ended; was the memory too small?"
        raise ImageError(f"{name_of(source)}: {reason}") from error
    if isinstance(found, _Raised):
        raise found.error
    return found


class _Raised(NamedTuple):
    """What `look` raised in a process, with its traceback as a note."""

    error: Exception


@contextmanager
def _worker() -> Iterator["Connection"]:
    """Yield the connection to a process that looks at what it is sent, and end the process.

    Raises:
        OSError: it can't be started.
    """
    from multiprocessing import get_context  # takes a tenth of the time that one picture takes

    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_look_at_share, args=(theirs,), daemon=True)
    try:
        with deaf():
            process.start()
        theirs.close()
        yield mine
    finally:
        mine.close()
        theirs.close()
        if process.pid is not None:
            process.kill()
            process.join()


def _look_at_share(end: "Connection") -> None:
    """Be a process: look at the sources that come, and send back what is found in each, or what was raised."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the parent, which ends this process
    with suppress(EOFError, ConnectionError):  # the parent has ended
        look, share = end.recv()
        try:
            for source in share:
                end.send(look(source))
        except ConnectionError:
            raise
        except Exception as error:
            error.add_note(traceback.format_exc())
            end.send(_Raised(error))


def name_of(source: Source) -> str:
    """Return the name of a source as users write it: - for standard input."""
    if isinstance(source, Example):
        return source.name
    if isinstance(source, NoPicture):
        return str(source.path)
    return "-" if isinstance(source, bytes) else str(source)


def look_at(source: Source, spec: DataSpec, ink: Ink, multi: bool, keep_steps: bool) -> Seen | ImageError:
    """Return the network inputs found in one source, as `look_at_all`."""
    name = name_of(source)
    if isinstance(source, Example) and not multi:
        return Seen(name, Prepared(source.pixels, "", {"input": source.pixels} if keep_steps else {}), ())
    try:
        if isinstance(source, NoPicture):
            raise ImageError(f"{name}: {source.reason}")
        if isinstance(source, str):
            raise ImageError(f"{name}: is a web address; download the picture first, then name its file")
        if isinstance(source, Path) and os.path.isdir(source):  # noqa: PTH112 (False where it can't be looked at)
            raise ImageError(f"{source}: is a folder; -r takes the pictures in it")
        grey = source.grey if isinstance(source, Example) else read_picture(source)
    except ImageError as error:
        return error
    if multi:
        lines = prepare_all(grey, ink, side=spec.side)
        return Seen(name, None, lines if keep_steps else _without_steps(lines))
    prepared = prepare(grey, ink, side=spec.side, digits=spec.digits)
    steps = prepared.steps if keep_steps else {}
    return Seen(name, replace(prepared, steps=steps, lines=_without_steps(prepared.lines)), ())


def _without_steps(lines: Sequence[Line]) -> list[Line]:
    return [[option._replace(prepared=replace(option.prepared, steps={})) for option in line] for line in lines]


def answer_all(seen: Sequence[Seen], ensemble: Ensemble, min_score: float, threads: ThreadGroup) -> list[Answered]:
    """Return the pictures with their answers, all of them in one or two passes through each network.

    Args:
        seen: as `look_at_all` yields them.
        ensemble: the networks that answer.
        min_score: if the best score is below it, the answer has no class.
        threads: the threads that share the work.
    """
    single = [each.prepared for each in seen if each.prepared is not None]
    answers = iter(predict_pictures(ensemble, single, min_score, threads))
    numbers = iter(
        predict_numbers(ensemble, [each.lines for each in seen if each.prepared is None], min_score, threads)
    )
    return [
        Answered(each.name, [each.prepared], None, [next(answers)])
        if each.prepared is not None
        else _as_number(each.name, next(numbers))
        for each in seen
    ]


def _as_number(name: str, digits: Sequence[Digit]) -> Answered:
    found, boxes, answers = ([getattr(digit, field) for digit in digits] for field in ("prepared", "box", "answer"))
    return Answered(name, found, boxes, answers)
