"""A process that trains and is killed at every point at which it changes the disk, each time in a child of its own.

    python -m tests.reliability.victim TEMPLATE OUT CONFIG [naive | series | KEY=VALUE...]

The folder TEMPLATE is copied to OUT/<n> for the point n; there the run in `run` is begun, or resumed if it is there,
with the settings; or, where they are `series`, a series of the seeds 3 and 0.
Prints for each point whether the kill fired; ends after the first child that came to its end.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Generator
from itertools import count
from pathlib import Path

from bpcli import config as configuration
from bpcli.storage import checkpoint
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.members import of_seeds
from bpcli.training.events import CheckpointDue, EpochEnd, Event
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import recorded_series
from tests.children import HANGS
from tests.reliability.disks import Deadly, wait_for_no_disk

RUN = Path("run")
SEEDS = (3, 0)


def main() -> None:
    template, out, config, *settings = sys.argv[1:]
    if settings == ["naive"]:
        setattr(checkpoint, "write_file", naive_write)  # noqa: B010 (mypy would object to the plain form)
        settings = []
    wait_for_no_disk()
    for point in count(1):
        folder = Path(out, str(point))
        shutil.copytree(template, folder, symlinks=True)
        child = os.fork()
        if not child:
            live(folder, Path(config).resolve(), settings, point)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"point": point, "killed": killed, "exit": status}), flush=True)
        if not killed:
            return


def live(folder: Path, config: Path, settings: list[str], point: int) -> None:
    """Trains until the kill; notes beside the run what is saved for certain."""
    signal.alarm(HANGS)  # rather than wait without end
    os.chdir(folder)
    noted = os.open("noted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for event in begin(config, settings, Deadly(point).fs):
        if isinstance(event, EpochEnd):
            os.write(noted, f"{event.epoch + 1} 0\n".encode())
        elif isinstance(event, CheckpointDue):
            os.write(noted, f"{event.epoch} {event.step}\n".encode())
    os._exit(0)


def begin(config: Path, settings: list[str], fs: FileSystem) -> Generator[Event, None, None]:
    if settings == ["series"]:
        return recorded_series(of_seeds(configuration.load(str(config)), SEEDS), "x", RUN, fs=fs)
    if RUN.exists():
        return resumed_training(str(RUN), overrides=settings, fs=fs)
    return recorded_training(configuration.load(str(config)), "x", RUN, fs=fs)


def naive_write(path: Path, content: bytes, *, previous: str | None = None, fs: FileSystem = SYSTEM) -> None:
    """How files are usually written."""
    descriptor = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    fs.write(descriptor, memoryview(content))
    fs.close(descriptor)


if __name__ == "__main__":
    main()
