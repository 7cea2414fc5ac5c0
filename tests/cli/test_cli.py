"""The command line as a whole: help, version, start-up, exit codes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import bpcli as package
from bpcli import hints
from bpcli.cli import COMMANDS, GROUPS, advice
from bpcli.cli.output import one_line
from bpcli.errors import OutputError
from tests.children import HANGS, child


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=HANGS)


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "command", [["config"], ["explain", "a*b", "a=2", "b=3", "--json"]], ids=lambda words: words[0]
)
@pytest.mark.parametrize("buffering", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_result_that_cant_be_written_is_one_line_and_a_code(command: list[str], buffering: str) -> None:
    with FULL.open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "bpcli", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"PYTHONUNBUFFERED": buffering}, timeout=HANGS,
        )  # fmt: skip
    assert result.returncode == OutputError.exit_code
    assert result.stderr == "Error: standard output: can't be written: No space left on device\n"


def test_a_reader_that_has_gone_is_no_matter() -> None:
    with child(
        [sys.executable, "-m", "bpcli", "config"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], *[[name, "-h"] for name in COMMANDS]], ids=" ".join)
def test_help_is_everywhere(bpcli: Callable[..., Result], arguments: list[str]) -> None:
    result = bpcli(*arguments)
    assert result.exit_code == 0
    assert "Usage: bpcli" in result.stdout


def test_the_summaries_in_the_overview_are_the_commands_own(bpcli: Callable[..., Result]) -> None:
    overview = bpcli("--help").stdout
    for name, (_, summary) in COMMANDS.items():
        assert f"{name} " in overview
        assert summary in overview


def test_python_dash_m_and_the_version() -> None:
    result = python("-m", "bpcli", "--version")
    assert (result.returncode, result.stdout) == (0, f"bpcli, version {package.__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"]], ids=" ".join)
def test_help_needs_neither_numpy_nor_pillow(arguments: list[str]) -> None:
    result = python("-X", "importtime", "-m", "bpcli", *arguments)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "click" in imported
    assert imported.isdisjoint({"numpy", "PIL", "yaml", "msgspec", "tqdm", "threadpoolctl"})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("trian", "bpcli train"),
        ("eval", "bpcli evaluate"),
        ("presets", "bpcli config --list"),
        ("help", "bpcli --help"),
        ("resume", "bpcli train --resume"),
    ],
)
def test_an_unknown_command_is_usage_and_says_which_may_be_meant(
    bpcli: Callable[..., Result], typed: str, meant: str
) -> None:
    result = bpcli(typed)
    assert result.exit_code == 2
    assert result.stderr == f"Error: No such command '{typed}'; did you mean {meant}?\nTry 'bpcli --help' for help.\n"


def test_every_other_tools_command_leads_to_one_of_ours() -> None:
    for typed in hints.COMMANDS:
        ours = advice.on_command(typed, COMMANDS).partition("did you mean bpcli ")[2].rstrip("?")
        assert ours.partition(" ")[0] in {*COMMANDS, "--help", "--version"} or hints.COMMANDS[typed] == "runs"


def test_nothing_at_all_prints_the_help(bpcli: Callable[..., Result]) -> None:
    result = bpcli()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == bpcli("--help").stdout


def test_the_commands_are_listed_in_groups_a_line_each(bpcli: Callable[..., Result]) -> None:
    lines = bpcli("--help").stdout.splitlines()
    for title, group in GROUPS.items():
        start = lines.index(f"{title}:") + 1
        assert [line.split()[0] for line in lines[start : start + len(group)]] == list(group)
        assert lines[start + len(group)] == ""


def test_control_characters_never_reach_the_terminal() -> None:
    assert one_line("a\nb\x1b[31m\udcff é 数") == "a\\nb\\x1b[31m\\udcff é 数"


def test_our_own_mistakes_keep_their_traceback() -> None:
    script = (
        "import sys, bpcli.config as c; c.load = None; sys.argv[1:] = ['config']; from bpcli.cli import main; main()"
    )
    result = python("-c", script)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "TypeError" in result.stderr
