"""The examples in the help work: each is parsed, and those that take no time are run."""

import shlex
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile, copytree
from unittest.mock import patch

import click
import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli.cli import COMMANDS, cli
from bpcli.cli.examples import EXAMPLES

PICTURES = Path(__file__).parents[1] / "pictures"
LINES = [line for lines in EXAMPLES.values() for line in lines if line.startswith("bpcli ")]
# their tests run such lines; and some want a network
SLOW = (
    "bpcli train", "bpcli search", "bpcli check", "bpcli report", "bpcli augment", "bpcli sheet --read",
    "bpcli data fetch", "bpcli data import",
)  # fmt: skip


def words(line: str) -> list[str]:
    """The words after `bpcli`, up to a redirection."""
    found = shlex.split(line.partition(" > ")[0])
    assert found[0] == "bpcli"
    return found[1:]


def test_every_command_has_two_or_three_examples_of_its_own() -> None:
    assert set(EXAMPLES) == {"", *COMMANDS}
    for command, lines in EXAMPLES.items():
        assert len(lines) in (2, 3)
        assert all(f"bpcli {command}".strip() in line for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_ends_with_them_a_line_each(bpcli: Callable[..., Result], command: str) -> None:
    shown = [f"  {line}  # {meaning}" for line, meaning in EXAMPLES[command].items()]
    assert bpcli(command, "-h").stdout.splitlines()[-len(shown) - 1 :] == ["Examples:", *shown]
    assert max(map(len, shown)) <= 80


@pytest.mark.parametrize("line", LINES)
def test_an_example_names_only_what_there_is(line: str) -> None:
    name, *rest = words(line)
    with click.Context(cli) as context:
        command = cli.get_command(context, name)
        assert command is not None
        parsed = command.make_context(name, rest).params
    if "overrides" in parsed:
        configuration.load(parsed["source"], parsed["overrides"])


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith(SLOW)])
def test_an_example_runs(bpcli: Callable[..., Result], trained: Path, line: str) -> None:
    copyfile(PICTURES / "5-blue-pen.png", "photo.png")
    copyfile(PICTURES / "194560-fibre-tip.png", "number.png")
    copytree(trained, "runs/default-2")
    with patch("webbrowser.open"):
        result = bpcli(*words(line))
    assert (result.exit_code in (0, 5), result.stderr.count("Error")) == (True, 0)
    assert result.stdout
