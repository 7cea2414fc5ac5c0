"""What several commands share: options, and how results are printed."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from bpcli.errors import OutputError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
_LONGEST = 1000  # characters of a message
_FEW = 10  # items that need no bar


def configured(command: F) -> F:
    """Adds -c and -s, from which `bpcli.config.load` makes a configuration."""
    source = click.option(
        "-c", "--config", "source", default="default", show_default=True, metavar="PRESET|FILE",
        help="A preset (see `bpcli config --list`) or a YAML file.",
    )  # fmt: skip
    override = click.option(
        "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE",
        help="Override a key, such as train.epochs=3. Repeatable.",
    )  # fmt: skip
    return source(override(command))


def chosen_checkpoint(source: str | None) -> Path:
    """The checkpoint that a command's argument names; stderr says so where it is the one that comes with bpcli.

    Raises:
        CheckpointError: there is none.
    """
    from bpcli import resources
    from bpcli.training.run import NO_RUN, find_network

    path = find_network(source)
    if source is None and path == resources.pretrained():
        say(NO_RUN)
    return path


def chosen_members(sources: Sequence[str]) -> list[Path]:
    """The checkpoints of the committee that a command's arguments name; stderr says what there is to say of them.

    Raises:
        CheckpointError: there are none.
        ArgumentError: one is named twice.
    """
    from bpcli.training.committee import find_members

    found = find_members(sources)
    for note in found.notes:
        say(one_line(note))
    return found.paths


def with_bar(items: Iterable[T], unit: str, total: int) -> Iterable[T]:
    """The items, with a bar on a terminal where there are many."""
    if total < _FEW or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, unit=unit, total=total, leave=False)


def print_json(result: object, *, pretty: bool = False) -> None:
    """Prints a result as JSON on stdout: one line, or indented."""
    import msgspec

    encoded = msgspec.json.encode(result)
    print_text(msgspec.json.format(encoded) if pretty else encoded)


def print_text(text: str | bytes, *, nl: bool = True) -> None:
    """Prints a result on stdout, with a new line after it.

    Raises:
        OutputError: it can't be written, as to a file on a full disk.
        BrokenPipeError: the reader has gone, which click makes the end of the program, without a word.
    """
    try:
        click.echo(text, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (or Python would try again at its end)
        raise OutputError(f"standard output: can't be written: {error.strerror or error}") from error


def say(text: str) -> None:
    """Prints on stderr; from then on nothing, once nobody listens there any more, as after a hang-up."""
    try:
        click.echo(text, err=True)
    except OSError:
        silence()


def silence() -> None:
    """Lets everything that is printed on stderr go nowhere."""
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 (for the rest of the process)


def warn(text: str) -> None:
    """Prints a warning, in one line on stderr."""
    say(f"Warning: {one_line(text)}")


def shortened(text: str) -> str:
    """The text without its middle, if it is longer than anybody would read."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def percent(fraction: float) -> str:
    """A fraction as people read it: 98.37 %."""
    return f"{100 * fraction:.2f} %"


def shown(path: Path) -> str:
    """A path as people see it: relative to the current folder where it lies below it, control characters escaped."""
    here = Path.cwd()
    return one_line(str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path))


def one_line(text: str) -> str:
    """The text with everything escaped that a terminal would not show as one plain line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
