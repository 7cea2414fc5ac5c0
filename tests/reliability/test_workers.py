"""A run whose worker is killed ends with one line, and can be resumed."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bpcli.core.processes import available
from bpcli.storage import checkpoint
from bpcli.storage.run_folder import LAST

pytestmark = pytest.mark.skipif(not available(), reason="processes can't share the work here")

Python = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begun(python: Python, tiny_file: Path) -> Callable[..., subprocess.Popen[str]]:
    def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
        settings = ("-c", tiny_file, "-s", "train.threads=2")
        return python("bpcli", "train", "-q", *settings, "-o", folder, *arguments, cwd=folder.parent)

    return begin


def test_a_killed_worker_ends_the_run_in_one_line(begun: Python, python: Python, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = begun(folder, "-s", "train.epochs=4000")
    while run.poll() is None:  # a worker that has just ended can't be killed
        kill_workers_of(run)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 7
    lines = error.splitlines()
    assert len(lines) == 1, error
    assert lines[0].startswith("Error: a worker process was ended by the signal 9, in epoch ")
    assert "--resume" in lines[0]
    saved = checkpoint.load(folder / LAST).progress if (folder / LAST).exists() else None
    epochs = f"train.epochs={saved.epoch + 2 if saved else 2}"
    resumed = python("bpcli", "train", "-q", "--resume", folder, "-s", epochs, cwd=tmp_path)
    _, error = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, error


def kill_workers_of(run: subprocess.Popen[str]) -> None:
    """Kill the processes that work with a run's, which begins them anew for each epoch."""
    with suppress(OSError):  # the run or the worker has ended meanwhile
        for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="ascii").split():
            os.kill(int(child), signal.SIGKILL)
