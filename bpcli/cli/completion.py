"""`bpcli completion`: what makes a shell complete commands, options, presets, keys, values and runs."""

import sys

import click

from bpcli.cli import shells
from bpcli.cli.output import print_text, say


@click.command()
@click.argument("shell", type=click.Choice(list(shells.SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Let the shell complete commands, options, presets, keys and their values, and runs.

    What is printed is for the shell to read. Its first line says which line to add to which file, so that every new
    shell reads it.
    """
    print_text(shells.script(shell, context.find_root().command), nl=False)
    if sys.stdout.isatty():
        say(shells.advice(shell))
