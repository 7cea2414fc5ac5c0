"""What workers gain: steps of networks of many sizes with 1, 2 and more workers, up to the machine's processors.

Where workers are processes, as many threads are timed beside the most of them.

    python -m benchmarks.workers [--rounds N]

A step with T workers takes about s + p/T: a part that each worker does, and a part that they share. From the times with
the fewest and the most workers, this reckons what more would take. `auto` is what `train.threads: auto` takes.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import steps
from benchmarks.cases import NETWORKS, stretch
from benchmarks.machine import ROOT, environment, machine
from benchmarks.tables import table
from bpcli.machine import usable_cores

SHAPES = ((32, 256), (64, 256), (128, 256), (512, 256), (1024, 256), (128, 64), (512, 10), (1024, 10))  # hidden, batch
COUNTS = sorted({1, usable_cores(), *(count for count in (2, 4, 8) if count < usable_cores())})  # workers
RECKONED = (4, 8, 16)
THREADS = "threads"


def reckoned(seconds: Mapping[int, float], workers: int) -> float:
    """The seconds of a step with so many workers, from those with the fewest and the most that were timed.

    Args:
        seconds: of a step, by the number of workers.
        workers: how many.
    """
    few, many = min(seconds), max(seconds)
    shared = (seconds[few] - seconds[many]) / (1 / few - 1 / many)
    return seconds[many] + shared * (1 / workers - 1 / many)


def row(hidden: int, batch: int, folder: Path, rounds: int) -> list[str]:
    """The row of a network: ms by the number of workers, processes ÷ threads, what `auto` and what more would take."""
    case = stretch(replace(NETWORKS["default"], sizes=(784, hidden, 10), batch=batch))
    kinds = {steps.trainer(count): ("trainer", str(count)) for count in COUNTS}
    kinds[THREADS] = ("trainer", f"{COUNTS[-1]} threads")
    outcome = steps.compare(case, kinds, folder, rounds)
    found = {count: median(outcome.seconds[steps.trainer(count)]) for count in COUNTS}
    more = [f"{1e3 * reckoned(found, count):.3g}" if len(found) > 1 else "–" for count in RECKONED]
    beside = steps.shown(outcome.ratio(steps.trainer(COUNTS[-1]), THREADS), with_quartiles=True)
    return [case.name, *(f"{1e3 * seconds:.3g}" for seconds in found.values()), beside, str(outcome.workers), *more]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as name:
        subprocess.run([sys.executable, "-m", "benchmarks.prepare", name], cwd=ROOT, env=environment(), check=True)
        rows = [row(hidden, batch, Path(name), rounds) for hidden, batch in SHAPES]
    timed, more = (
        [f"ms, {count}{text}" for count in counts] for counts, text in ((COUNTS, ""), (RECKONED, " reckoned"))
    )
    print(machine()["processor"])
    print(table(["network", *timed, f"{COUNTS[-1]} processes ÷ {COUNTS[-1]} threads", "auto", *more], rows))


if __name__ == "__main__":
    main()
