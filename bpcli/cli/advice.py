"""What a wrong command, option or argument may mean, for the one line that refuses it."""

from collections.abc import Collection, Sequence
from pathlib import Path

import click

from bpcli import hints, resources
from bpcli.cli.examples import EXAMPLES
from bpcli.machine import quote


def on_command(name: str, commands: Collection[str]) -> str:
    """Return the message about an unknown command."""
    theirs = hints.COMMANDS.get(name.lower(), "")
    ours = [theirs] if theirs.partition(" ")[0] in commands or theirs.startswith("-") else hints.nearest(name, commands)
    found = [f"predict {quote(name)}"] if _is_file(name) else ours
    return f"No such command '{name}'{hints.question([f'bpcli {each}' for each in found]) or '.'}"


def on_usage(command: click.Command, error: click.UsageError, words: Sequence[str], context: click.Context) -> str:
    """Return the message about words after a command that it can't take."""
    match error:
        case click.NoSuchOption():
            return _on_option(command, error.option_name, words)
        case click.BadOptionUsage():
            return _on_value(command, error)
        case click.MissingParameter() if error.param is not None:
            example = next(iter(EXAMPLES.get(str(command.name), ())), command.name)
            return f"Missing argument {error.param.get_error_hint(context)}; for example: {example}"
    return error.format_message()


def _on_option(command: click.Command, option: str, words: Sequence[str]) -> str:
    """Return the message about an unknown option among the words after a command."""
    place = next((n for n, word in enumerate(words) if word.startswith(option)), 0)
    typed, equals, value = words[place].partition("=")
    following = next((word for word in words[place + 1 : place + 2] if not word.startswith("-")), "VALUE")
    found = _meant(typed, value if equals else following, _options(command))
    return f"No such option '{typed}'{hints.question(found) or '.'}"


def _on_value(command: click.Command, error: click.BadOptionUsage) -> str:
    """Return the message about an option whose value is missing, or that takes none."""
    found = [each for each in command.params if error.option_name in each.opts and each.metavar]
    hint = f": {error.option_name} {found[0].metavar}" if found else ""
    return f"{error.format_message().rstrip('.')}{hint}"


def on_argument(command: click.Command, word: str) -> str:
    """Return the message about an argument to a command that takes none, or no more."""
    if "--set" not in _options(command) or any(isinstance(each, click.Argument) for each in command.params):
        return f"Got unexpected extra argument ({word})"
    if "=" in word:
        hint = hints.question([f"-s {quote(word)}"])
    elif word in resources.preset_names() or _is_file(word):
        hint = hints.question([f"-c {quote(word)}"])
    else:
        hint = "; a preset or a file comes after -c, a setting after -s"
    return f"{command.name} takes no argument such as '{word}'{hint}"


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # such as a name that is too long
        return False


def _options(command: click.Command) -> list[str]:
    """Return the long options of a command."""
    return [name for each in command.params for name in each.opts if name.startswith("--")]


def _meant(typed: str, value: str, options: Collection[str]) -> list[str]:
    """Return what an unknown option may mean: an option of the command, or -s with a key and the value."""
    from bpcli import config as configuration

    ours = hints.OPTIONS.get(hints.plain(typed), "")
    if ours in options:
        return [ours]
    keys = configuration.keys() if "--set" in options else []
    exact = hints.meant_keys(typed, keys)
    similar = [] if exact else hints.nearest_options(typed, options)
    return similar or [_setting(key, value, options) for key in exact or hints.nearest_keys(typed, keys)]


def _setting(key: str, value: str, options: Collection[str]) -> str:
    """Return what sets a key to a value: the option that is called like the key, or else -s."""
    from bpcli import config as configuration

    option = f"--{key.rpartition('.')[2]}"
    return option if option in options else f"-s {quote(f'{key}={configuration.in_form(key, value)}')}"
