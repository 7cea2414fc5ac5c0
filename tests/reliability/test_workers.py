"""A run whose worker is killed ends with one line, and can be resumed."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
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
        return python("bpcli", "train", "-q", "-c", tiny_file, "-s", "train.threads=2", "-o", folder, *arguments)

    return begin


def test_a_killed_worker_ends_the_run_in_one_line(begun: Python, python: Python, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = begun(folder, "-s", "train.epochs=4000")
    os.kill(worker_of(run), signal.SIGKILL)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 7
    lines = error.splitlines()
    assert len(lines) == 1, error
    assert lines[0].startswith("Error: a worker process was ended by the signal 9, in epoch ")
    assert "--resume" in lines[0]
    resumed = python("bpcli", "train", "-q", "--resume", folder)
    time.sleep(0.5)
    resumed.send_signal(signal.SIGTERM)
    _, error = resumed.communicate(timeout=60)
    assert resumed.returncode == 128 + signal.SIGTERM, error
    assert checkpoint.load(folder / LAST).progress is not None


def worker_of(run: subprocess.Popen[str]) -> int:
    """The number of the process that works with a run's, which begins one anew for each epoch."""
    path = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    for _ in range(5000):
        if found := path.read_text(encoding="ascii").split():
            return int(found[0])
        time.sleep(0.001)
    raise AssertionError("no worker was started")
