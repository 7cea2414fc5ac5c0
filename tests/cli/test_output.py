"""What commands print: in every encoding, and bars only on a terminal."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bpcli.cli import output
from bpcli.cli.output import named_steps
from bpcli.core.threads import ThreadGroup
from bpcli.report.history import read_run
from bpcli.report.study import STEPS, study
from tests.children import HANGS

LONG = 300 * "x"  # more than a name in a file system may have


def printed(*arguments: str, **environment: str) -> bytes:
    """What `bpcli` prints in an environment of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "bpcli", *arguments], capture_output=True, check=False, timeout=HANGS,
        env=os.environ | environment,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout


def test_what_an_encoding_lacks_is_written_plainly() -> None:
    told = ("explain", "x*y - 1", "x=1", "y=2")
    everything = printed(*told, PYTHONIOENCODING="utf-8").decode()
    assert "∂a/∂x = ∂a/∂x·∂x/∂x" in everything
    windows = printed(*told, PYTHONIOENCODING="cp1252").decode("cp1252")
    assert windows == everything.replace("∂", "d").replace("−", "-")


@pytest.mark.parametrize("arguments", [["config"], ["explain", "x*y", "x=1", "y=2", "--dot"]], ids=lambda told: told[0])
def test_what_programs_read_is_utf_8_everywhere(arguments: list[str]) -> None:
    assert printed(*arguments, PYTHONIOENCODING="cp1252") == printed(*arguments, PYTHONIOENCODING="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locale")
def test_the_locale_of_c_is_no_obstacle() -> None:
    posix = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "∂a/∂x = ∂a/∂x·∂x/∂x" in printed("explain", "x*y", "x=1", "y=2", **posix).decode()


def test_nothing_is_lost_of_what_nobody_has_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    output.print_anywhere()
    for stream in streams:
        stream.write("a→b…数\udcff")
        stream.flush()
        assert stream.buffer.getvalue() == b"a->b...\\u6570\\udcff"
    monkeypatch.setattr(sys, "stdout", None)
    output.print_anywhere()


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "bar"), [(Terminal, True), (io.StringIO, False)])
def test_named_steps_are_a_bar_on_a_terminal_only(
    stream: Callable[[], io.StringIO], bar: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = stream()
    monkeypatch.setattr(sys, "stderr", screen)
    with named_steps(2) as begin:
        for name in ("reading", "drawing"):
            begin(name)
    shown = screen.getvalue()
    if bar:
        assert "reading:   0%" in shown
        assert "drawing:  50%" in shown
        assert "1/2" in shown
        assert shown.split("\r")[-2].strip() == ""
    else:
        assert shown == ""


def test_a_study_names_its_steps_in_order(trained: Path) -> None:
    begun: list[Any] = []
    study(read_run(str(trained)), ThreadGroup(1), begun.append)
    assert begun == [f"default-1, {step}" for step in STEPS]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["export", "pretrained", "-o", f"{LONG}.onnx"], 8, "can't be written: File name too long"),
        (["draw", "pretrained", "-o", LONG], 8, "can't be written: File name too long"),
        (["train", "--tensorboard", LONG], 8, "can't be written: File name too long"),
        (["predict", "-m", "pretrained", LONG], 5, "can't be read: File name too long"),
        (["predict", "-m", "pretrained", "-r", LONG], 5, "can't be read: File name too long"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_path_that_cant_be_looked_at_is_one_line(
    bpcli: Callable[..., Result], arguments: list[str], code: int, complaint: str
) -> None:
    result = bpcli(*arguments)
    assert result.exit_code == code
    assert result.stderr.startswith(f"Error: {LONG}")
    assert result.stderr.endswith(f": {complaint}\n")
    assert result.stderr.count("\n") == 1
