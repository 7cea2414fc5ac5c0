"""`bpcli predict`: which digits pictures show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from bpcli.cli import one_line
from bpcli.cli.options import print_json
from bpcli.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpcli.core.types import Array
    from bpcli.data.picture.prepare import Prepared

MIN_SCORE = 0.1  # refuses 0.4 % of the validation digits, 0.2 % with the right answer (default network, five seeds)
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".pbm", ".ppm"))
RAMP = " .:-=+*#%@"


class Seen(NamedTuple):
    """A picture that could be read: what it is called, and what was made of it."""

    name: str
    prepared: Prepared


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-m", "--model", metavar="CHECKPOINT|RUN", help="The network; by default the latest run's best.")
@click.option("-r", "--recursive", is_flag=True, help="Take the pictures in folders, and in the folders in them.")
@click.option(
    "--ink", type=click.Choice(["auto", "dark", "light"]), default="auto", show_default=True,
    help="Whether the ink is darker or lighter than the paper.",
)  # fmt: skip
@click.option(
    "--min-score", type=click.FloatRange(0, 1), default=MIN_SCORE, show_default=True,
    help="Answer 'no digit' where the best score is lower.",
)  # fmt: skip
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
    model: str | None,
    recursive: bool,
    ink: Literal["auto", "dark", "light"],
    min_score: float,
    show: bool,
    save_input: Path | None,
    as_json: bool,
) -> None:
    """Say which digit each picture shows: file, digit, and the score that the network gives it.

    IMAGE is a file, a folder (with -r) or - for standard input. A picture that can't be read is reported on stderr, one
    that shows no digit is answered so; the others are answered, and the exit code is then 5.
    """
    from bpcli.training import checkpoint, run

    loaded = checkpoint.load(run.find_checkpoint(model))
    sources = list(_sources(images, recursive))
    seen = [found for source in _with_bar(sources) if (found := _see(source, ink)) is not None]
    answers = _answers(loaded, seen, min_score)
    for number, (each, answer) in enumerate(zip(seen, answers, strict=True), 1):
        _print(answer, as_json)
        if show and not as_json:
            click.echo(_drawing(each.prepared, answer["scores"]))
        if save_input is not None:
            _save_steps(each, save_input, number)
    if any(answer["digit"] is None for answer in answers) or len(answers) < len(sources):
        context.exit(ImageError.exit_code)


def _sources(images: Iterable[str], recursive: bool) -> Iterator[Path | bytes]:
    """The pictures in the order in which they were named; those of a folder by name."""
    from bpcli.data.picture.read import MOST_BYTES

    for name in images:
        path = Path(name)
        if name == "-":
            yield sys.stdin.buffer.read(MOST_BYTES + 1)
        elif recursive and path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
        else:
            yield path


def _with_bar(sources: list[Path | bytes]) -> Iterable[Path | bytes]:
    """The sources, with a bar on a terminal where there are many."""
    if len(sources) < 20 or not sys.stderr.isatty():
        return sources
    from tqdm import tqdm

    return tqdm(sources, unit="picture", leave=False)


def _see(source: Path | bytes, ink: Literal["auto", "dark", "light"]) -> Seen | None:
    """The picture prepared, or None once stderr tells why it can't be read."""
    from bpcli.data.picture.prepare import prepare
    from bpcli.data.picture.read import read_picture

    try:
        if isinstance(source, Path) and source.is_dir():
            raise ImageError(f"{source}: is a folder; -r takes the pictures in it")
        return Seen(str(source) if isinstance(source, Path) else "-", prepare(read_picture(source), ink))
    except ImageError as error:
        click.echo(f"Error: {one_line(str(error))}", err=True)
        return None


def _answers(loaded: Any, seen: list[Seen], min_score: float) -> list[dict[str, Any]]:
    """What the network says of each picture, all of them in one pass."""
    import numpy as np

    from bpcli.training import run
    from bpcli.training.team import Team, usable_cores

    digits = [each.prepared.pixels for each in seen if each.prepared.pixels is not None]
    images = np.stack(digits).reshape(len(digits), -1) if digits else np.empty((0, 784), np.uint8)
    scores = iter(run.answers(loaded, images, Team(usable_cores()))[1])
    return [
        _answer(each.name, next(scores), min_score)
        if each.prepared.pixels is not None
        else _no_digit(each.name, each.prepared.reason)
        for each in seen
    ]


def _answer(name: str, scores: Array, min_score: float) -> dict[str, Any]:
    digit, every = int(scores.argmax()), scores.tolist()
    if every[digit] < min_score:
        reason = f"no score reaches {min_score:g}; the best, {every[digit]:.3f}, is that of {digit}"
        return _no_digit(name, reason, every[digit], every)
    return {"file": name, "digit": digit, "score": every[digit], "scores": every}


def _no_digit(name: str, reason: str, score: float | None = None, scores: list[float] | None = None) -> dict[str, Any]:
    return {"file": name, "digit": None, "score": score, "scores": scores, "reason": reason}


def _print(answer: dict[str, Any], as_json: bool) -> None:
    name = one_line(answer["file"])
    if as_json:
        print_json(answer | {"file": answer["file"].encode(errors="backslashreplace").decode()})
    elif answer["digit"] is None:
        click.echo(f"{name}: no digit ({answer['reason']})")
    else:
        click.echo(f"{name}: {answer['digit']} (score {answer['score']:.3f})")


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
    from bpcli.training.files import make_folder, write_bytes

    stem = Path(seen.name).stem if seen.name != "-" else "stdin"
    make_folder(folder)
    for order, (step, pixels) in enumerate(seen.prepared.steps.items()):
        write_bytes(folder / f"{number:04}-{stem}-{order}-{step}.png", to_png(pixels))
