"""What a shell completes: presets, settings, runs and files. It has to be quick, so nothing here imports NumPy."""

import os
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

from bpcli import resources
from bpcli.storage import fixed

Completer: TypeAlias = Callable[[str], list[CompletionItem]]


def nothing(incomplete: str) -> list[CompletionItem]:
    """Return no completions."""
    return []


def files(incomplete: str) -> list[CompletionItem]:
    """Return what makes the shell complete the names of files."""
    return [CompletionItem(incomplete, type="file")]


def configurations(incomplete: str) -> list[CompletionItem]:
    """Return the presets and the YAML files that begin so, or whatever file the shell finds."""
    from bpcli.cli import preset_text

    names = [name for name in resources.preset_names() if name.startswith(incomplete)]
    presets: list[CompletionItem] = [CompletionItem(name, help=preset_text.summary(name)) for name in names]
    folder, slash, start = incomplete.rpartition("/")
    found = [name for name in _names(folder + slash or ".") if name.startswith(start) and name.endswith(_YAML)]
    return [*presets, *(CompletionItem(f"{folder}{slash}{name}") for name in found), *files(incomplete)]


def settings(incomplete: str) -> list[CompletionItem]:
    """Return the keys of the configuration that begin so, or end in a name that does; after the =, a key's values."""
    from bpcli.cli import preset_text

    name, equals, value = incomplete.partition("=")
    lines = preset_text.settings()
    if equals and name == "train.start":
        return [CompletionItem(f"{name}={item.value}", type=item.type) for item in networks(value)[:-1]]
    if equals:
        choices = [choice for line in lines if line.key == name for choice in line.choices]
        return [CompletionItem(f"{name}={choice}") for choice in choices if choice.startswith(value)]
    found = [line for line in lines if line.key.startswith(name)] or [
        line for line in lines if line.name.startswith(name)
    ]
    return [CompletionItem(f"{line.key}=", help=line.comment, unfinished=True) for line in found]


def varied(incomplete: str) -> list[CompletionItem]:
    """Return the keys that a series can vary; after the =, and after each comma, a key's values not yet there."""
    before, comma, _ = incomplete.rpartition(",")
    if incomplete.partition("=")[0] in fixed.REASONS:
        return []
    if not comma:
        return [item for item in settings(incomplete) if item.value.rstrip("=") not in fixed.REASONS]
    name, _, values = before.partition("=")
    choices = (item.value.partition("=")[2] for item in settings(f"{name}={incomplete[len(before) + 1 :]}"))
    return [CompletionItem(f"{before},{choice}") for choice in choices if choice not in values.split(",")]


def runs(incomplete: str) -> list[CompletionItem]:
    """Return the runs whose names begin so, with or without `runs/`, or whatever file the shell finds."""
    folder = "runs/" if incomplete.startswith("runs/") else ""
    return _beginning(incomplete, [f"{folder}{name}" for name in _names("runs")])


def networks(incomplete: str) -> list[CompletionItem]:
    """Return the runs as `runs`, and the names pretrained and latest."""
    return [*_beginning(incomplete, ["pretrained", "latest"])[:-1], *runs(incomplete)]  # the last is for files


def named_sets(incomplete: str) -> list[CompletionItem]:
    """Return the actions of `bpcli data` and the names of data sets that begin so, or whatever file the shell finds."""
    return _beginning(incomplete, ["list", "fetch", "import", "verify", "path", *resources.set_names()])


def _beginning(incomplete: str, names: Sequence[str]) -> list[CompletionItem]:
    return [*(CompletionItem(name) for name in names if name.startswith(incomplete)), *files(incomplete)]


_YAML = (".yaml", ".yml")


def _names(folder: str) -> list[str]:
    """Return the names in a folder but for hidden ones; none if it can't be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 (names alone)
    except OSError:
        return []


# the options of any command, and the arguments of each, whose values are completed here
OPTIONS: Mapping[str, Completer] = {
    "-c": configurations, "--config": configurations, "-s": settings, "--set": settings, "--vary": varied,
    "-m": networks, "--model": networks, "--resume": runs, "--remove": runs, "--from": networks,
    "--tensorboard": files,
}  # fmt: skip
ARGUMENTS: Mapping[str, Completer] = {
    "train": nothing, "search": files, "check": nothing, "config": nothing, "explain": nothing, "augment": files,
    "predict": files, "evaluate": networks, "export": networks, "report": runs, "draw": networks, "runs": nothing,
    "step": networks, "sheet": files, "data": named_sets, "playground": nothing,
}  # fmt: skip


class Completed(click.types.StringParamType):
    """Text that the shell completes."""

    def __init__(self, complete: Completer) -> None:
        self._complete = complete

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the completions of what is typed."""
        return self._complete(incomplete)


def attached(name: str, parameters: Sequence[click.Parameter]) -> list[click.Parameter]:
    """Return the parameters of a command; those of text with their completions."""
    return [_attached(name, each) for each in parameters]


def _attached(name: str, parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter.type, click.types.StringParamType):
        return parameter
    known = ARGUMENTS.get(name) if isinstance(parameter, click.Argument) else OPTIONS.get(parameter.opts[0])
    completed = copy(parameter)
    completed.type = Completed(known or nothing)
    return completed


class Quick(click.Command):
    """A command while a value is completed: it stands in for a module that imports NumPy."""

    def __init__(self, words: Sequence[str]) -> None:
        name, lenient = words[0], {"ignore_unknown_options": True, "allow_extra_args": True}
        parameters: list[click.Parameter] = [
            click.Option([option], type=Completed(complete), multiple=True) for option, complete in OPTIONS.items()
        ]
        parameters.append(click.Argument(["values"], nargs=-1, type=Completed(ARGUMENTS.get(name, nothing))))
        super().__init__(name, params=parameters, context_settings=lenient, add_help_option=False)
        self._words = words[1:]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options of the real command that begin so; for these alone it is imported."""
        if ctx.parent is None or not isinstance(ctx.parent.command, click.Group):
            return []
        command = ctx.parent.command.get_command(ctx.parent, str(self.name))
        if command is None:
            return []
        with command.make_context(self.name, [*self._words], ctx.parent, resilient_parsing=True) as context:
            return command.shell_complete(context, incomplete)


def quick(words: Sequence[str]) -> Quick | None:
    """Return a command that completes the value after these words; None if only the command itself can."""
    if words[0] not in ARGUMENTS or (words[-1].startswith("-") and words[-1] not in OPTIONS):
        return None
    return Quick(words)
