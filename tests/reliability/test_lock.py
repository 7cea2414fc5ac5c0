"""Two runs, one folder: one wins, the others say who holds it, and a killed run's lock is nobody's."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.errors import BusyError
from bpcli.storage.lock import exclusive
from tests.children import HANGS
from tests.reliability.disks import names

Start = Callable[..., subprocess.Popen[str]]


def lines(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def rounds(python: Start, tmp_path: Path, tiny_file: Path, count: int) -> None:
    """Has eight processes begin a run in one folder at once, again and again: each time one wins."""
    start = [python("tests.reliability.rival", tmp_path, tiny_file, stdin=subprocess.PIPE) for _ in range(8)]
    for number in range(count):
        for process in start:
            assert lines(process) == "ready"
        for process in start:
            tell(process, f"folder{number}")
        answers = [lines(process) for process in start]
        assert sorted(answers) == [str(BusyError.exit_code)] * 7 + ["won"]
        for process in start:
            tell(process, "go on")
    for process in start:
        assert lines(process) == "ready"
        _, complaints = process.communicate("\n", timeout=HANGS)
        assert process.returncode == 0, complaints


def test_one_of_eight_wins(python: Start, tmp_path: Path, tiny_file: Path) -> None:
    rounds(python, tmp_path, tiny_file, 10)


@pytest.mark.torture
def test_one_of_eight_wins_a_hundred_times(python: Start, tmp_path: Path, tiny_file: Path) -> None:
    rounds(python, tmp_path, tiny_file, 100)


def test_the_second_run_says_who_holds_the_folder(bpcli: Callable[..., Result], tiny_file: Path) -> None:
    assert bpcli("train", "-q", "-c", tiny_file, "-o", "run").exit_code == 0
    with exclusive(Path("run")):
        for arguments in (["-o", "run"], ["--resume", "run"]):
            result = bpcli("train", "-q", "-c", tiny_file, *arguments)
            assert result.exit_code == BusyError.exit_code
            assert f"Error: run: another run is writing here: process {os.getpid()} on " in result.stderr
            assert len(result.stderr.splitlines()) == 1
        assert bpcli("evaluate", "run").exit_code == 0
    assert bpcli("train", "-q", "--resume", "run").exit_code == 0


def test_a_killed_runs_lock_is_released(
    python: Start, bpcli: Callable[..., Result], tmp_path: Path, tiny_file: Path
) -> None:
    process = python("tests.reliability.rival", tmp_path, tiny_file, stdin=subprocess.PIPE)
    assert lines(process) == "ready"
    tell(process, "run")
    assert lines(process) == "won"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=HANGS)
    assert f"process {process.pid} on" in (tmp_path / "run/.lock").read_text()  # nobody is asked whether it lives
    assert bpcli("train", "-q", "--resume", "run").exit_code == 0
    assert (tmp_path / "run/.lock").read_text() == ""


def test_nothing_is_put_into_a_folder_of_somebody_elses(bpcli: Callable[..., Result], tiny_file: Path) -> None:
    Path("photos").mkdir()
    Path("photos/cat.jpg").touch()
    for arguments in (["-o", "photos"], ["--resume", "photos"]):
        assert bpcli("train", "-q", "-c", tiny_file, *arguments).exit_code in (6, 8)
    assert names(Path("photos")) == {"cat.jpg"}
