"""Commands whose help ends with examples, whose refusals say what would be right, and whose values are completed."""

import os

import click

from bpcli.cli import COMPLETE


class HelpfulCommand(click.Command):
    """A command with examples and hints, made from a plain one."""

    def __init__(self, name: str, command: click.Command) -> None:
        super().__init__(
            name, callback=command.callback, params=_completed(name, command.params), help=command.help,
            context_settings={**command.context_settings, "allow_extra_args": True},
        )  # fmt: skip

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name; say what would be right where click would only refuse.

        Raises:
            click.UsageError: the words are not what the command takes.
        """
        words = list(args)
        try:
            rest = super().parse_args(context, args)
        except click.UsageError as error:
            from bpcli.cli import advice  # which needs difflib

            raise click.UsageError(advice.on_usage(self, error, words, context), context) from error
        if rest and not context.resilient_parsing:
            from bpcli.cli import advice

            raise click.UsageError(advice.on_argument(self, rest[0]), context)
        return rest

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples at the end of the help text."""
        from bpcli.cli import examples

        examples.write(formatter, str(self.name))


def _completed(name: str, params: list[click.Parameter]) -> list[click.Parameter]:
    """Return a command's parameters; where a shell asks for completions, with what completes their values."""
    if COMPLETE not in os.environ:
        return params
    from bpcli.cli import completers

    return completers.attached(name, params)
