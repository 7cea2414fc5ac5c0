"""`bpcli predict`: which digits pictures show."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from bpcli.cli import one_line
from bpcli.cli.options import chosen_members, print_text, say, with_bar
from bpcli.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bpcli.data.picture.prepare import Prepared
    from bpcli.data.picture.segment import Box
    from bpcli.training.reading import Answer

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".pbm", ".ppm"))
WORTH_A_PROCESS = 100  # pictures, about half a second
RAMP = " .:-=+*#%@"


class Seen(NamedTuple):
    """A picture that could be read: what it is called, and the digits that were made of it.

    `boxes` has each one's (left, top, right, bottom), where several were looked for.
    """

    name: str
    digits: list[Prepared]
    boxes: list[Box] | None


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="CHECKPOINT|RUN|SERIES",
    help="The network, by default the latest run's best, or bpcli's own. Repeat it for the mean score of several.",
)  # fmt: skip
@click.option("-r", "--recursive", is_flag=True, help="Take the pictures in folders, and in the folders in them.")
@click.option(
    "--ink", type=click.Choice(["auto", "dark", "light"]), default="auto", show_default=True,
    help="Whether the ink is darker or lighter than the paper.",
)  # fmt: skip
@click.option(
    "--min-score", type=click.FloatRange(0, 1), metavar="SCORE",
    help="Answer 'no digit' where the best score is lower; by default what loses next to no digit of MNIST.",
)  # fmt: skip
@click.option("--multi", is_flag=True, help="Find several digits in each picture, in reading order.")
@click.option("--show", is_flag=True, help="Draw the 28×28 pixels that the network saw, and its scores.")
@click.option(
    "--save-input", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the 28×28 pixels and the steps that led there as PNG.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def predict(
    context: click.Context,
    images: tuple[str, ...],
    models: tuple[str, ...],
    recursive: bool,
    ink: Literal["auto", "dark", "light"],
    min_score: float | None,
    multi: bool,
    show: bool,
    save_input: Path | None,
    as_json: bool,
) -> None:
    """Say which digit each picture shows: file, digit, and the score that the network gives it.

    IMAGE is a file, a folder (with -r) or - for standard input. A picture that can't be read is reported on stderr, one
    that shows no digit is answered so; the others are answered, and the exit code is then 5.
    """
    from bpcli.training import checkpoint, reading
    from bpcli.training.team import Team, usable_cores

    members = [checkpoint.load(path) for path in chosen_members(models)]
    least = reading.default_min_score(members) if min_score is None else min_score
    sources = list(_sources(images, recursive))
    look = partial(_see, ink=ink, multi=multi, keep_steps=save_input is not None)
    seen = list(_readable(with_bar(_each(look, sources), "picture", len(sources))))
    everything = [digit for each in seen for digit in each.digits]
    answers = iter(reading.read_digits(members, everything, least, Team(usable_cores())))
    complete = len(seen) == len(sources)
    for number, each in enumerate(seen, 1):
        answered = [next(answers) for _ in each.digits]
        complete &= bool(answered) and all(answer.digit is not None for answer in answered)
        print_text(_as_json(each, answered) if as_json else _as_text(each, answered))
        if show and not as_json:
            for prepared, answer in zip(each.digits, answered, strict=True):
                print_text(_drawing(prepared, answer.scores))
        if save_input is not None:
            _save_steps(each, save_input, number)
    if not complete:
        context.exit(ImageError.exit_code)


def _sources(images: Iterable[str], recursive: bool) -> Iterator[Path | bytes]:
    """The pictures in the order in which they were named; those of a folder by name."""
    for name in images:
        path = Path(name)
        if name == "-":
            yield _standard_input()
        elif recursive and path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
        else:
            yield path


def _standard_input() -> bytes:
    """What stands on standard input, and no more than a byte above what a picture may have."""
    from bpcli.data.picture.read import MOST_BYTES

    try:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    except (OSError, AttributeError) as error:  # such as a folder; Python has no stdin where it is closed
        raise ImageError(
            f"standard input: can't be read: {getattr(error, 'strerror', None) or 'it is closed'}"
        ) from error


def _each(
    look: Callable[[Path | bytes], Seen | ImageError], sources: list[Path | bytes]
) -> Iterator[Seen | ImageError]:
    """What there is to see in each source, in order; other processes help where there are many."""
    from bpcli.training.team import usable_cores

    workers = min(usable_cores(), len(sources) // WORTH_A_PROCESS)
    if workers < 2:
        yield from map(look, sources)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # threads would wait for each other: the pictures are small, and each step on them is short
    with ProcessPoolExecutor(workers, get_context("spawn"), _leave_interrupts_to_the_parent) as pool:
        yield from pool.map(look, sources, chunksize=8)


def _leave_interrupts_to_the_parent() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _readable(found: Iterable[Seen | ImageError]) -> Iterator[Seen]:
    """The pictures that could be read; stderr tells of the others."""
    for each in found:
        if isinstance(each, ImageError):
            say(f"Error: {one_line(str(each))}")
        else:
            yield each


def _see(
    source: Path | bytes, ink: Literal["auto", "dark", "light"], multi: bool, keep_steps: bool
) -> Seen | ImageError:
    """The picture prepared, or why it can't be read."""
    from bpcli.data.picture.prepare import prepare, prepare_all
    from bpcli.data.picture.read import read_picture

    name = str(source) if isinstance(source, Path) else "-"
    try:
        if isinstance(source, Path) and source.is_dir():
            raise ImageError(f"{source}: is a folder; -r takes the pictures in it")
        grey = read_picture(source)
    except ImageError as error:
        return error
    found = prepare_all(grey, ink) if multi else [((0, 0, 0, 0), prepare(grey, ink))]
    digits = [digit if keep_steps else replace(digit, steps={}) for _, digit in found]
    return Seen(name, digits, [box for box, _ in found] if multi else None)


def _as_json(seen: Seen, answers: list[Answer]) -> str:
    """One line of JSON; names that are not Unicode are escaped."""
    import msgspec

    name = {"file": seen.name.encode(errors="backslashreplace").decode()}
    if seen.boxes is None:
        return msgspec.json.encode(name | _plain(answers[0])).decode()
    boxed = [_plain(answer) | {"box": box} for answer, box in zip(answers, seen.boxes, strict=True)]
    return msgspec.json.encode(name | {"number": _number(answers), "digits": boxed}).decode()


def _plain(answer: Answer) -> dict[str, Any]:
    plain = {"digit": answer.digit, "score": answer.score, "scores": answer.scores}
    return plain if answer.digit is not None else plain | {"reason": answer.reason}


def _number(answers: list[Answer]) -> str:
    """The digits in a row, with a question mark for each that is none."""
    return "".join("?" if answer.digit is None else str(answer.digit) for answer in answers)


def _as_text(seen: Seen, answers: list[Answer]) -> str:
    name = one_line(seen.name)
    if not answers:
        return f"{name}: no digit (nothing like one stands out from the background)"
    lowest = min(answer.score or 0.0 for answer in answers)
    if seen.boxes is not None:
        return f"{name}: {_number(answers)} (lowest score {lowest:.3f})"
    (answer,) = answers
    if answer.digit is None:
        return f"{name}: no digit ({answer.reason})"
    return f"{name}: {answer.digit} (score {lowest:.3f})"


def _drawing(prepared: Prepared, scores: list[float] | None) -> str:
    """The 28×28 pixels as characters, two for each, and beside them the scores as bars."""
    if prepared.pixels is None:
        return ""
    rows = ["".join(2 * RAMP[value * len(RAMP) // 256] for value in row) for row in prepared.pixels.tolist()]
    bars = [f"  {digit} {'█' * round(20 * score):20} {score:.3f}" for digit, score in enumerate(scores or [])]
    beside = [""] * 9 + bars + [""] * 19
    return "\n".join(f"|{row}|{bar}".rstrip() for row, bar in zip(rows, beside, strict=False))


def _save_steps(seen: Seen, folder: Path, number: int) -> None:
    """Writes each step as <number>-<name>-<step>.png."""
    from bpcli.data.picture.write import to_png
    from bpcli.training.files import make_folder, write_file

    stem = Path(seen.name).stem if seen.name != "-" else "stdin"
    make_folder(folder)
    for place, digit in enumerate(seen.digits, 1):
        which = f"{number:04}-{stem}" if seen.boxes is None else f"{number:04}-{stem}-{place:02}"
        for order, (step, pixels) in enumerate(digit.steps.items()):
            write_file(folder / f"{which}-{order}-{step}.png", to_png(pixels))
