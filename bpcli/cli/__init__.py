"""The command line: `bpcli COMMAND …`. Each command is a module that is imported only when it is called."""

import os
from importlib import import_module
from itertools import chain
from typing import Any

import click
from click.shell_completion import CompletionItem

from bpcli import __version__
from bpcli.cli.output import print_anywhere
from bpcli.cli.refusal import one_line_errors

COMPLETE = "_BPCLI_COMPLETE"  # the environment variable by which a shell asks; Click derives it from the name bpcli

# group: name: module, function, and what `bpcli --help` says of it without importing the module
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Train": {
        "train": ("bpcli.cli.train:train", "Train a network and keep the run."),
        "search": ("bpcli.cli.search:search", "Search for better settings, and keep every trial."),
        "runs": ("bpcli.cli.runs:runs", "List the runs that are here, and how each stands."),
        "config": ("bpcli.cli.config:config", "Print a configuration, or list the presets."),
    },
    "Use": {
        "predict": ("bpcli.cli.predict:predict", "Say which digits pictures show."),
        "evaluate": ("bpcli.cli.evaluate:evaluate", "Show how good a trained network is."),
        "completion": ("bpcli.cli.completion:completion", "Let the shell complete commands, options, keys and runs."),
    },
    "Understand": {
        "check": ("bpcli.cli.check:check", "Prove that a configuration's gradients are right."),
        "step": ("bpcli.cli.step:step", "Show one training step on one picture, with every number."),
        "playground": ("bpcli.cli.playground:playground", "Write a page in which a small network trains on digits."),
        "explain": ("bpcli.cli.explain:explain", "Show an expression's computational graph and its derivatives."),
    },
    "Data": {
        "sheet": ("bpcli.cli.sheet:sheet", "Make a sheet to fill in, and read its photographs."),
        "data": ("bpcli.cli.data:data", "Get Fashion-MNIST and other data sets by name."),
        "augment": ("bpcli.cli.augment:augment", "Draw what a network sees of distorted images."),
    },
    "Share": {
        "report": ("bpcli.cli.report:report", "Show a run, or several, as one HTML file."),
        "draw": ("bpcli.cli.draw:draw", "Write a page to draw digits on, with the network inside."),
        "export": ("bpcli.cli.export:export", "Write a network as a file for other programs."),
    },
}
COMMANDS = dict(chain.from_iterable(group.items() for group in GROUPS.values()))


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: `bpcli --help` stays quick."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the options before the command; turn a user's error into one line on stderr and its exit code."""
        with one_line_errors():
            return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command.

        Raises:
            click.UsageError: there is one that belongs to a command.
        """
        try:
            return super().parse_args(context, args)
        except click.NoSuchOption as error:
            hint = "options of a command come after its name, as in: bpcli train -c quick"
            raise click.UsageError(f"No such option '{error.option_name}'; {hint}", context) from error

    def invoke(self, context: click.Context) -> object:
        """Run the command; turn a user's error into one line on stderr and its exit code."""
        with one_line_errors():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command of a name, imported."""
        if name not in COMMANDS:
            return None
        from bpcli.cli.helpful import HelpfulCommand

        module, _, function = COMMANDS[name][0].partition(":")
        return HelpfulCommand(name, getattr(import_module(module), function))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words begin with; while the shell completes, one that is quick to import."""
        if context.resilient_parsing:
            from bpcli.cli import completers

            return args[0], completers.quick(args) or self.get_command(context, args[0]), args[1:]
        if args[0] not in COMMANDS and args[0][:1] != "-":
            from bpcli.cli import advice

            raise click.UsageError(advice.on_command(args[0], COMMANDS), context)
        return super().resolve_command(context, args)

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and the group's options that begin so, without importing a command."""
        commands = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, context, incomplete)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands into the help text, in groups."""
        width = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), summary) for name, (_, summary) in group.items()])

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples at the end of the help text."""
        from bpcli.cli import examples

        examples.write(formatter, "")


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bpcli")
@click.pass_context
def cli(context: click.Context) -> None:
    """Backpropagation you can read, check and run: an MNIST trainer in NumPy.

    \b
    Exit codes: 0 success, 1 a failed check or a bug of bpcli, 2 wrong usage, 3 configuration,
    4 data files, 5 pictures, 6 checkpoints and runs, 7 diverged training, 8 output that can't
    be written, 9 a folder that another run is using, 10 workers that can't be reached or
    fell away, 129, 130 and 143 stopped by a signal (hang-up, Ctrl-C, termination).
    """  # noqa: D301 (click's mark for text that is not to be wrapped)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line and exit."""
    print_anywhere()
    if COMPLETE in os.environ:
        from bpcli.cli import shells

        shells.register()
    cli(prog_name="bpcli")
