"""A user's errors in the form in which they are printed: one line on stderr, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from bpcli.cli.output import one_line, shortened
from bpcli.errors import BpcliError


class Refusal(click.ClickException):
    """A user's error in the form that click prints."""

    def __init__(self, error: BpcliError) -> None:
        super().__init__(shortened(one_line(str(error))))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click types it as the class's alone


class Misuse(click.UsageError):
    """Wrong usage of the command line: one line, and one that says where the help is."""

    def __init__(self, error: click.UsageError) -> None:
        super().__init__(shortened(one_line(error.format_message())), error.ctx)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error on stderr."""
        click.echo(f"Error: {self.format_message()}", file=file, err=file is None)
        if self.ctx is not None:
            click.echo(f"Try '{self.ctx.command_path} --help' for help.", file=file, err=file is None)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn each error of a user into one line on stderr and its exit code."""
    try:
        yield
    except BpcliError as error:
        raise Refusal(error) from error
    except Misuse:
        raise
    except click.UsageError as error:
        raise Misuse(error) from error
