"""Commands whose help ends with examples and whose refusals say what would be right, in one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import click

from bpcli.cli import completers
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


def write_examples(formatter: click.HelpFormatter, examples: Mapping[str, str]) -> None:
    """Write a command's examples into its help text."""
    with formatter.section("Examples"):
        for example, meaning in examples.items():
            formatter.write(f"{'':{formatter.current_indent}}{example}  # {meaning}\n")


class HelpfulCommand(click.Command):
    """A command with examples and hints, made from a plain one."""

    def __init__(self, name: str, command: click.Command, examples: Mapping[str, str]) -> None:
        super().__init__(
            name, callback=command.callback, params=completers.attached(name, command.params), help=command.help,
            context_settings={**command.context_settings, "allow_extra_args": True},
        )  # fmt: skip
        self._examples = examples

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name; say what would be right where click would only refuse.

        Raises:
            click.UsageError: the words are not what the command takes.
        """
        words = list(args)
        try:
            rest = super().parse_args(context, args)
        except click.NoSuchOption as error:
            from bpcli.cli import advice

            raise click.UsageError(advice.on_option(self, error.option_name, words), context) from error
        except click.MissingParameter as error:
            missing = error.param.get_error_hint(context) if error.param is not None else ""
            example = next(iter(self._examples), self.name)
            raise click.UsageError(f"Missing argument {missing}; for example: {example}", context) from error
        if rest and not context.resilient_parsing:
            from bpcli.cli import advice

            raise click.UsageError(advice.on_argument(self, rest[0]), context)
        return rest

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples at the end of the help text."""
        write_examples(formatter, self._examples)
