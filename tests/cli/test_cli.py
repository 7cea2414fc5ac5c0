"""The command line as a whole: help, version, start-up, exit codes."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import Result

import bpcli as package
from bpcli.cli import COMMANDS
from bpcli.cli.options import one_line


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


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


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]], ids=" ".join)
def test_help_needs_neither_numpy_nor_pillow(arguments: list[str]) -> None:
    result = python("-X", "importtime", "-m", "bpcli", *arguments)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "click" in imported
    assert imported.isdisjoint({"numpy", "PIL", "yaml", "msgspec", "tqdm", "threadpoolctl"})


def test_completion_needs_neither_numpy_nor_pillow() -> None:
    script = (
        "import os, sys\n"
        "os.environ.update(_BPCLI_COMPLETE='bash_complete', COMP_WORDS='bpcli train --', COMP_CWORD='2')\n"
        "sys.argv = ['bpcli']\n"
        "import atexit; atexit.register(lambda: print('loaded', {'numpy', 'PIL'} & set(sys.modules)))\n"
        "from bpcli.cli import main; main()"
    )
    result = python("-c", script)
    assert "plain,--config" in result.stdout
    assert "loaded set()" in result.stdout


def test_an_unknown_command_is_usage(bpcli: Callable[..., Result]) -> None:
    result = bpcli("trian")
    assert result.exit_code == 2
    assert "No such command 'trian'" in result.stderr


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
