"""`bpcli predict`: which digits pictures show, or which class."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from bpcli import machine
from bpcli.cli.options import FiniteRange, Named, chosen_members, combining, ensemble_of, introduce, joined
from bpcli.cli.output import one_line, print_text, say, unicode_only, with_bar
from bpcli.core.threads import ThreadGroup
from bpcli.data.picture.prepare import Prepared
from bpcli.data.picture.read import MAX_BYTES
from bpcli.data.picture.write import to_png
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError, ImageError
from bpcli.inference.ensemble import Rule, Weighting
from bpcli.inference.pictures import Answered, Seen, Source, answer_all, example, in_folder, look_at_all, name_of
from bpcli.inference.predictions import Prediction, default_min_score
from bpcli.model import Model
from bpcli.storage.files import make_folder, write_file

_WEB_ADDRESS = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)
RAMP = " .:-=+*#%@"


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="CHECKPOINT|RUN|SERIES",
    help="The network; `pretrained` is bpcli's own. Repeat it for several that answer as one.",
)  # fmt: skip
@combining
@click.option("-r", "--recursive", is_flag=True, help="Take the pictures in folders, and in the folders in them.")
@click.option(
    "--ink", type=click.Choice(["auto", "dark", "light"]), default="auto", show_default=True,
    help="Whether the ink is darker or lighter than the paper.",
)  # fmt: skip
@click.option(
    "--min-score", type=FiniteRange(0, 1), metavar="SCORE",
    help="Answer 'no digit' where the best score is lower; by default what loses next to no digit of MNIST.",
)  # fmt: skip
@click.option("--multi", is_flag=True, help="Find several digits in each picture, in reading order.")
@click.option("--show", is_flag=True, help="Draw the pixels that the network saw, and its scores.")
@click.option(
    "--save-input", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the pixels that the network saw, and the steps that led there, as PNG.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def predict(
    context: click.Context,
    images: tuple[str, ...],
    models: tuple[str, ...],
    combine: Rule,
    weights: Weighting,
    recursive: bool,
    ink: Literal["auto", "dark", "light"],
    min_score: float | None,
    multi: bool,
    show: bool,
    save_input: Path | None,
    as_json: bool,
) -> None:
    """Say which digit each picture shows: file, digit, and the score that the network gives it.

    IMAGE is a file, a folder (with -r), - for standard input, or an image of the network's own data set such as
    test:123, validation:5 or train:0. A picture that can't be read is reported on stderr, one that shows no digit is
    answered so; the others are answered, and the exit code is then 5. A network that was trained on other classes
    answers with their names. Without -m: the run in the folder runs that ended last, or, where none has, the network
    that comes with bpcli.
    """
    members = chosen_members(models)
    ensemble, least = ensemble_of(members, combine, weights), _least(members, min_score)
    spec = ensemble.spec
    if multi and not spec.digits:
        raise ArgumentError("--multi looks for digits; this network was trained on pictures of other things")
    sources = list(_sources(images, recursive, members[0].model))
    looked = look_at_all(sources, spec, ink, multi=multi, keep_steps=save_input is not None)
    results = list(_reported(with_bar(looked, "picture", len(sources))))
    seen = [each for each in results if isinstance(each, Seen)]
    answered = answer_all(seen, ensemble, least, ThreadGroup(machine.usable_cores()))
    if answered:
        introduce(members, by_default=not models)
    pictures = _in_order(results, answered)
    _print_all(sources, pictures, members, show=show, as_json=as_json)
    if save_input is not None:
        _save_all_steps(answered, save_input)
    if not all(map(_is_whole, pictures)):
        context.exit(ImageError.exit_code)


def _least(members: Sequence[Named], min_score: float | None) -> float:
    """Return the score below which there is no answer."""
    return default_min_score([member.checkpoint for member in members]) if min_score is None else min_score


def _in_order(results: Iterable[Seen | ImageError], answered: Iterable[Answered]) -> list[Answered | ImageError]:
    """Return each picture's answers, or why it can't be read."""
    rest = iter(answered)
    return [each if isinstance(each, ImageError) else next(rest) for each in results]


def _is_whole(picture: Answered | ImageError) -> bool:
    """Return whether a picture has an answer, or each of its digits."""
    return isinstance(picture, Answered) and bool(picture.answers) and all(each.name for each in picture.answers)


def _sources(images: Iterable[str], recursive: bool, model: Model) -> Iterator[Source]:
    """Yield the pictures in the order in which they were named; those of a folder by name."""
    for name in images:
        path = Path(name)
        if name == "-":
            yield _standard_input()
        elif _WEB_ADDRESS.match(name):
            yield name  # not a path, which would be shown with one slash
        elif recursive and os.path.isdir(path):  # noqa: PTH112 (False where it can't be looked at)
            yield from in_folder(path)
        else:
            yield path if os.path.exists(path) else example(name, model) or path  # noqa: PTH110 (likewise)


def _standard_input() -> bytes:
    """Return the content of standard input, at most one byte more than a picture may have."""
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except (OSError, AttributeError) as error:  # such as a folder; Python has no stdin where it is closed
        raise ImageError(
            f"standard input: can't be read: {getattr(error, 'strerror', None) or 'it is closed'}"
        ) from error


def _reported(found: Iterable[Seen | ImageError]) -> Iterator[Seen | ImageError]:
    """Yield what was found; print the errors on stderr."""
    for each in found:
        if isinstance(each, ImageError):
            say(f"Error: {one_line(str(each))}")
        yield each


def _failure(source: Source, error: ImageError) -> bytes:
    """Return the line of JSON for a picture that can't be read."""
    name = "standard input" if isinstance(source, bytes) else name_of(source)
    message = str(error).removeprefix(f"{name}: ")
    return msgspec.json.encode({"file": unicode_only(name_of(source)), "error": unicode_only(message)})


def _print_all(
    sources: Sequence[Source],
    pictures: Sequence[Answered | ImageError],
    members: Sequence[Named],
    *,
    show: bool,
    as_json: bool,
) -> None:
    """Print the answers; of a picture that can't be read, only a line of JSON."""
    for source, picture in zip(sources, pictures, strict=True):
        if as_json:
            print_text(_as_json(source, picture, members))
        elif isinstance(picture, Answered):
            _print(picture, members[0].model.spec, show)


def _print(seen: Answered, spec: DataSpec, show: bool) -> None:
    print_text(_as_text(seen, spec))
    if show:
        _show(seen, spec)


def _as_json(source: Source, seen: Answered | ImageError, members: Sequence[Named]) -> bytes:
    """Return one line of JSON, UTF-8 whatever the terminal's encoding is."""
    if isinstance(seen, ImageError):
        return _failure(source, seen)
    answers, spec = seen.answers, members[0].model.spec
    name = {"file": unicode_only(seen.name), "model": joined(members)}
    if seen.boxes is None:
        return msgspec.json.encode(name | _plain(answers[0], spec))
    boxed = [_plain(answer, spec) | {"box": box} for answer, box in zip(answers, seen.boxes, strict=True)]
    return msgspec.json.encode(name | {"number": _number(answers), "digits": boxed})


def _plain(answer: Prediction, spec: DataSpec) -> dict[str, Any]:
    """Return an answer as plain data; it has the number `digit` if the classes are digits."""
    digit = {"digit": answer.label} if spec.numerals else {}
    plain = digit | {"class": answer.name, "score": answer.score, "scores": answer.scores}
    return plain if answer.label is not None else plain | {"reason": answer.reason}


def _number(answers: Sequence[Prediction]) -> str:
    """Return the classes in a row, with a question mark for each without an answer; long names with blanks between."""
    names = [answer.name or "?" for answer in answers]
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)


def _as_text(seen: Answered, spec: DataSpec) -> str:
    name, answers = one_line(seen.name), seen.answers
    if not answers:
        return f"{name}: no digit (nothing like one stands out from the background)"
    lowest = min(answer.score or 0.0 for answer in answers)
    if seen.boxes is not None:
        return f"{name}: {_number(answers)} (lowest score {lowest:.3f})"
    (answer,) = answers
    if answer.name is None:
        return f"{name}: no {'digit' if spec.numerals else 'class'} ({answer.reason})"
    return f"{name}: {answer.name} (score {lowest:.3f})"


def _show(seen: Answered, spec: DataSpec) -> None:
    for prepared, answer in zip(seen.found, seen.answers, strict=True):
        print_text(_drawing(prepared, answer.scores or [], spec.classes))


def _drawing(prepared: Prepared, scores: Sequence[float], classes: Sequence[str]) -> str:
    """Return the pixels as characters, two for each, and beside them the scores as bars."""
    if prepared.pixels is None:
        return ""
    rows = ["".join(2 * RAMP[value * len(RAMP) // 256] for value in row) for row in prepared.pixels.tolist()]
    bars = _bars(scores, classes, len(rows))
    above = (len(rows) - len(bars)) // 2
    beside = [""] * above + bars + [""] * (len(rows) - above - len(bars))
    return "\n".join(f"|{row}|{bar}".rstrip() for row, bar in zip(rows, beside, strict=True))


def _bars(scores: Sequence[float], classes: Sequence[str], most: int) -> list[str]:
    """Return a bar for each class, in their order; only the best classes if there are too many."""
    best = sorted(sorted(range(len(scores)), key=lambda label: -scores[label])[:most])
    width = max((len(classes[label]) for label in best), default=0)
    return [
        f"  {classes[label]:{width}} {'█' * round(20 * min(max(scores[label], 0), 1)):20} {scores[label]:.3f}"
        for label in best
    ]


def _save_all_steps(seen: Sequence[Answered], folder: Path) -> None:
    for number, picture in enumerate(seen, 1):
        _save_steps(picture, folder, number)


def _save_steps(seen: Answered, folder: Path, number: int) -> None:
    """Write each step as <number>-<name>-<step>.png."""
    stem = Path(seen.name).stem.replace(":", "-") if seen.name != "-" else "stdin"  # Windows allows no colon
    make_folder(folder)
    for place, each in enumerate(seen.found, 1):
        which = f"{number:04}-{stem}" if seen.boxes is None else f"{number:04}-{stem}-{place:02}"
        for order, (step, pixels) in enumerate(each.steps.items()):
            write_file(folder / f"{which}-{order}-{step}.png", to_png(pixels))
