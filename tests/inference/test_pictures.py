"""The processes that prepare many pictures end with the command, however it ends, and hand on what went wrong."""

import os
import subprocess
import sys
from collections.abc import Callable
from time import sleep
from typing import Any

import pytest

from bpcli.errors import ImageError
from bpcli.inference import pictures
from bpcli.inference.pictures import _by_processes
from tests.children import HANGS

_KILLED = """
import os, signal
from time import sleep
from bpcli.inference.pictures import _by_processes

looked = _by_processes(sleep, [0.1] * 1000, 2)
print(next(looked))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_they_end_when_the_parent_is_killed() -> None:
    """They hold its stdout, which is read to its end here."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED], capture_output=True, text=True, timeout=HANGS // 5, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-9, "None\n", "")


def looked(look: Callable[[Any], Any], sources: list[Any]) -> list[Any]:
    return list(_by_processes(look, sources, 2))


def test_what_a_process_raises_is_raised_here_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="sleep length must be non-negative") as caught:
        looked(sleep, [0.0, 0.0, -1.0])
    assert "Traceback" in caught.value.__notes__[0]


def test_a_process_that_ends_early_is_an_error_though_its_share_is_large() -> None:
    """Larger than a pipe holds, so that whoever sends it must notice that nobody reads."""
    with pytest.raises(ImageError, match="the process that prepared it ended; was the memory too small"):
        looked(os._exit, [1] * 100_000)


def test_without_room_for_processes_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(pictures, "_worker", refuse)
    assert looked(abs, [-1, 2]) == [1, 2]
