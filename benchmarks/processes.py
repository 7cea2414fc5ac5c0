"""Whole processes: how long a command takes from its start to its end, and the most memory that it has at a time."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.machine import environment
from benchmarks.timing import Spread, in_turn, paired, spread

MEBI = 2**20


@dataclass(slots=True)
class Process:
    """A command that is run again and again.

    Attributes:
        arguments: the command.
        folder: where it runs.
        peak: the most bytes of memory that a run had, after the first.
    """

    arguments: list[str]
    folder: Path
    peak: int = 0

    def __call__(self) -> float:
        """The seconds of one run.

        Raises:
            RuntimeError: it fails.
        """
        log = self.folder / "log"
        with log.open("wb") as output:
            start = perf_counter()
            process = subprocess.Popen(
                self.arguments, cwd=self.folder, env=environment(), stdout=output, stderr=subprocess.STDOUT
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(self.arguments)}: {log.read_text(errors='replace')[-400:]}")
        self.peak = max(self.peak, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
        return seconds


def python(code: str, folder: Path) -> Process:
    """Python with a few words of code."""
    return Process([sys.executable, "-c", code], folder)


def bpcli(folder: Path, *arguments: str) -> Process:
    """A command of bpcli, by its script where it is installed."""
    script = Path(sys.executable).with_name("bpcli")
    return Process([*([str(script)] if script.exists() else [sys.executable, "-m", "bpcli"]), *arguments], folder)


CLICK = "python -c 'import click'"
NUMPY = "python -c 'import numpy, PIL.Image'"
FLOOR = "ten epochs of the floor, by steps"
HELP = "bpcli --help"
TRAIN = "bpcli train"
EVALUATE = "bpcli evaluate"
ONE, MANY = "bpcli predict, one picture", "bpcli predict, 1,000 pictures"


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole processes, timed.

    Attributes:
        seconds: of each round.
        peaks: the most bytes that each had; nothing for what is no process.
    """

    seconds: dict[str, list[float]]
    peaks: dict[str, int]

    def ratio(self, name: str, other: str) -> Spread:
        """How many times as long as another, of the same rounds, a process takes."""
        return self.share(name, other, 1, 0)

    def share(self, name: str, other: str, factor: float, seconds: float) -> Spread:
        """How many times as long as a factor of another's time, and so many seconds, a process takes."""
        return paired(self.seconds[name], [factor * each + seconds for each in self.seconds[other]])

    def median(self, name: str) -> float:
        """The median of the seconds."""
        return spread(self.seconds[name]).median


def measured(folder: Path, ten_epochs: Callable[[], float], rounds: int) -> Whole:
    """Times the commands, each beside what it is compared with.

    Args:
        folder: where `prepare` has written; the commands run there.
        ten_epochs: the seconds of ten epochs of the floor.
        rounds: of the shorter commands; fewer of the longer ones.
    """
    python_, bpcli_ = partial(python, folder=folder), partial(bpcli, folder)
    processes = {
        TRAIN: bpcli_("train", "--quiet"),  # the first one, for the others need its network
        CLICK: python_("import click"),
        HELP: bpcli_("--help"),
        NUMPY: python_("import numpy, PIL.Image"),
        ONE: bpcli_("predict", "digits/0000.png"),
        MANY: bpcli_("predict", "--min-score", "0", "-r", "digits"),
        EVALUATE: bpcli_("evaluate"),
    }
    fewer = max(1, rounds // 4)
    seconds = in_turn({FLOOR: ten_epochs, TRAIN: processes[TRAIN]}, fewer)
    for names, count in ((CLICK, HELP), rounds), ((NUMPY, ONE), rounds), ((MANY, EVALUATE), max(1, rounds // 2)):
        for name in names:
            processes[name]()  # its files are in memory from now on
        seconds |= in_turn({name: processes[name] for name in names}, count)
    return Whole(seconds, {name: process.peak for name, process in processes.items()})


def rows(whole: Whole) -> list[list[str]]:
    """A row for each process: seconds, their quartiles, and the most memory."""
    found = []
    for name, seconds in whole.seconds.items():
        low, median, high = spread(seconds)
        memory = f"{whole.peaks[name] / MEBI:.0f}" if name in whole.peaks else "–"
        found.append([name, f"{median:.3f}", f"{low:.3f} to {high:.3f}", memory])
    return found


HEADER: Sequence[str] = ("process", "s", "quartiles", "peak memory, MiB")


def growth(folder: Path, counts: Sequence[int], rounds: int) -> list[list[str]]:
    """The seconds that `bpcli predict` takes for so many pictures, a row for each number."""
    names = [f"digits/{number:04}.png" for number in range(max(counts))]
    commands = {f"{count:,}": bpcli(folder, "predict", "--min-score", "0", *names[:count]) for count in counts}
    timed = in_turn(commands, rounds)
    return [
        [name, f"{spread(seconds).median:.3f}", f"{commands[name].peak / MEBI:.0f}"] for name, seconds in timed.items()
    ]
