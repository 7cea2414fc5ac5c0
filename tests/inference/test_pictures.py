"""The processes that prepare many pictures end with the command, however it ends."""

import subprocess
import sys

from tests.children import HANGS

_KILLED = """
import os, signal
from time import sleep
from bpcli.inference.pictures import _by_processes

looked = _by_processes(sleep, [0.1] * 1000, 2)
print(next(looked))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_they_end_when_the_parent_is_killed() -> None:
    """They hold its stdout, which is read to its end here."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED], capture_output=True, text=True, timeout=HANGS // 5, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-9, "None\n", "")
