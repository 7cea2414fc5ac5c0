"""Output of commands: results on stdout, everything else on stderr, each message on one plain line."""

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from bpcli.errors import OutputError

T = TypeVar("T")
_MAX_LENGTH = 1000  # characters of a message
_FEW = 10  # items that need no bar
_STEPS_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"  # without a rate: steps differ
_PLAIN = str.maketrans(  # what is printed where a terminal's encoding lacks a character
    {"∂": "d", "δ": "delta", "·": "*", "×": "x", "−": "-", "–": "-"}
    | {"→": "->", "←": "<-", "↓": "v", "█": "#", "│": "|", "…": "..."}
)


def print_anywhere() -> None:
    """Make stdout and stderr print plainer characters where their encoding lacks some, as that of Windows does."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # it is None where it is closed
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return ASCII for the characters that can't be encoded, and where the text goes on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(_PLAIN)
    return lacking.encode("ascii", "backslashreplace"), error.end


def with_bar(items: Iterable[T], unit: str, total: int) -> Iterable[T]:
    """Return the items, with a progress bar if they are many and stderr is a terminal."""
    if total < _FEW or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, unit=unit, total=total, leave=False)


@contextmanager
def named_steps(total: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that begins a step with a name; a progress bar shows it if stderr is a terminal.

    Any thread may call it.
    """
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from threading import Lock

    from tqdm import tqdm

    lock = Lock()
    with tqdm(total=total, leave=False, bar_format=_STEPS_BAR) as bar:

        def begin(name: str) -> None:
            with lock:
                before = bar.desc
                bar.set_description(name, refresh=False)
                bar.update(before != "")  # the step before is done
                if bar.desc != before:
                    bar.refresh()

        yield begin


def print_json(result: object, *, pretty: bool = False) -> None:
    """Print a result as JSON on stdout: one line, or indented."""
    import msgspec

    encoded = msgspec.json.encode(result)
    print_text(msgspec.json.format(encoded) if pretty else encoded)


def print_text(text: str | bytes, *, nl: bool = True) -> None:
    """Print a result on stdout, with a new line after it.

    Raises:
        OutputError: it can't be written, for example because the disk is full.
        BrokenPipeError: the reader has gone; click then ends the program silently.
    """
    try:
        click.echo(text, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (or Python would try again at its end)
        raise OutputError(f"standard output: can't be written: {error.strerror or error}") from error


def print_file(text: str) -> None:
    """Print the text of a file on stdout: in UTF-8, in which it is read back, unless a terminal shows it.

    Raises:
        OutputError: it can't be written.
        BrokenPipeError: the reader has gone.
    """
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    print_text(text if on_terminal else text.encode(), nl=False)


def say(text: str) -> None:
    """Print on stderr. If that fails, as after a hang-up, print nothing there from then on."""
    try:
        click.echo(text, err=True)
    except OSError:
        silence()


def silence() -> None:
    """Discard everything that is printed on stderr from now on."""
    if getattr(sys.stderr, "name", None) != os.devnull:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 (for the rest of the process)


def warn(text: str) -> None:
    """Print a warning, in one line on stderr."""
    say(f"Warning: {one_line(text)}")


def shortened(text: str) -> str:
    """Return the text, without its middle if it is too long to read."""
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH // 2]} ... {text[-_MAX_LENGTH // 2 :]}"


def percent(fraction: float) -> str:
    """Return a fraction as people read it: 98.37 %."""
    return f"{100 * fraction:.2f} %"


def shown(path: Path) -> str:
    """Return a path for people: relative to the current folder if it lies below it, control characters escaped."""
    here = Path.cwd()
    return one_line(str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path))


def unicode_only(text: str) -> str:
    """Return the text; what is not Unicode in it, as in names of files, is escaped."""
    return text.encode(errors="backslashreplace").decode()


def with_paths_shown(values: Any) -> Any:
    """Return plain data with each path in its form for people."""
    match values:
        case Path():
            return shown(values)
        case dict():
            return {key: with_paths_shown(value) for key, value in values.items()}
        case list():
            return [with_paths_shown(value) for value in values]
    return values


def one_line(text: str) -> str:
    """Return the text with everything escaped that a terminal would not show as one plain line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def open_page(path: Path) -> None:
    """Show a file in the browser."""
    import webbrowser

    webbrowser.open(path.resolve().as_uri())
