"""How commands print: results on stdout, everything else on stderr, one plain line where a line is meant."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import click

from bpcli.errors import OutputError

T = TypeVar("T")
_MAX_LENGTH = 1000  # characters of a message
_FEW = 10  # items that need no bar


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
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH // 2]} ... {text[-_MAX_LENGTH // 2 :]}"


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


def open_page(path: Path) -> None:
    """Show a file in the browser."""
    import webbrowser

    webbrowser.open(path.resolve().as_uri())
