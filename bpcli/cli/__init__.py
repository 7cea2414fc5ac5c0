"""The command line: `bpcli COMMAND …`. Each command is a module that is imported only when it is called."""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from bpcli import __version__
from bpcli.cli.output import one_line, print_anywhere, shortened
from bpcli.errors import BpcliError

# name: module, function, and what `bpcli --help` says of it without importing the module
COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("bpcli.cli.train:train", "Train a network and keep the run."),
    "evaluate": ("bpcli.cli.evaluate:evaluate", "Show how good a trained network is."),
    "runs": ("bpcli.cli.runs:runs", "List the runs that are here, and how each stands."),
    "predict": ("bpcli.cli.predict:predict", "Say which digits pictures show."),
    "check": ("bpcli.cli.check:check", "Prove that a configuration's gradients are right."),
    "explain": ("bpcli.cli.explain:explain", "Show the computational graph of an expression and its derivatives."),
    "report": (
        "bpcli.cli.report:report",
        "Show a run, or several, as one HTML file.",
    ),
    "draw": ("bpcli.cli.draw:draw", "Write a page to draw digits on, with the network inside."),
    "augment": ("bpcli.cli.augment:augment", "Draw what a network sees of distorted images."),
    "config": ("bpcli.cli.config:config", "Print a configuration, or list the presets."),
}


class Refusal(click.ClickException):
    """A user's error in the form that click prints."""

    def __init__(self, error: BpcliError) -> None:
        super().__init__(shortened(one_line(str(error))))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click types it as the class's alone


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: `bpcli --help` stays quick."""

    def invoke(self, context: click.Context) -> object:
        """Run the command; turn a user's error into one line on stderr and its exit code."""
        try:
            return super().invoke(context)
        except BpcliError as error:
            raise Refusal(error) from error

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command of a name, imported."""
        if name not in COMMANDS:
            return None
        module, _, function = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and the group's options that begin so, without importing a command."""
        commands = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, context, incomplete)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands into the help text."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bpcli")
def cli() -> None:
    """Backpropagation you can read, check and run: an MNIST trainer in NumPy.

    \b
    Exit codes: 0 success, 1 a failed check or a bug of bpcli, 2 wrong usage, 3 configuration,
    4 data files, 5 pictures, 6 checkpoints and runs, 7 diverged training, 8 output that can't
    be written, 9 a folder that another run is using, 129, 130 and 143 stopped by a signal
    (hang-up, Ctrl-C, termination).
    """  # noqa: D301 (click's mark for text that is not to be wrapped)


def main() -> None:
    """Run the command line and exit."""
    print_anywhere()
    cli(prog_name="bpcli")
