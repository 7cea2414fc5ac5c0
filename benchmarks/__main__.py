"""Times bpcli beside others, and prints tables in Markdown.

    python -m benchmarks [steps|processes|growth]... [--out FILE]

Without a name it does all three, in a few minutes; the machine should have nothing else to do. What it is doing goes to
stderr.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import page, processes, steps
from benchmarks.cases import BATCHES, EPOCH, HIDDEN, IMAGES, NETWORKS, Case
from benchmarks.contender import Contender
from benchmarks.machine import ROOT, environment, machine
from benchmarks.page import Results
from bpcli.training.team import usable_cores

ROUNDS = {"default": 11, "small": 9, "deep": 9, "processes": 13, "growth": 5}
PARTS = ("steps", "processes", "growth")


def main() -> None:
    """Does what the arguments say."""
    given = arguments(sys.argv[1:])
    results, start = Results(machine()), perf_counter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        _say("preparing the data")
        subprocess.run([sys.executable, "-m", "benchmarks.prepare", name], cwd=ROOT, env=environment(), check=True)
        if "steps" in given.parts:
            _steps(given, folder, results)
        if "processes" in given.parts:
            _say("whole processes")
            results.whole = _processes(folder, given.rounds or ROUNDS["processes"])
        if "growth" in given.parts:
            _growth(folder, given.rounds or ROUNDS["growth"], results)
    _say(f"done in {perf_counter() - start:.0f} s")
    text = page.text(results)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """What to do, from the words of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times bpcli beside others.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; by default all")
    parser.add_argument("--network", choices=list(NETWORKS), action="append", help="of the steps; by default all")
    parser.add_argument("--rounds", type=int, help="instead of those that each part has")
    parser.add_argument("--no-peers", action="store_true", help="only the floor and bpcli")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the tables to a file")
    given = parser.parse_args(words)
    given.parts = given.parts or list(PARTS)
    if odd := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {min(odd)}; there are {', '.join(PARTS)}")
    given.network = given.network or list(NETWORKS)
    return given


def _steps(given: argparse.Namespace, folder: Path, results: Results) -> None:
    kinds = steps.numpy_kinds({1, usable_cores()}) | ({} if given.no_peers else steps.PEER_KINDS)
    for name in given.network:
        _say(f"steps of {NETWORKS[name].name}")
        results.networks[name] = steps.compare(NETWORKS[name], kinds, folder, given.rounds or ROUNDS[name])


def _processes(folder: Path, rounds: int) -> processes.Whole:
    """Whole processes; the floor's ten epochs are taken from one, for its time is the same in each."""
    case = replace(NETWORKS["default"], steps=round(EPOCH / NETWORKS["default"].batch))
    with closing(Contender(sys.executable, "floor", case, str(usable_cores()), folder)) as floor:
        floor.about()
        return processes.measured(folder, lambda: 10 * median(floor.seconds() for _ in range(3)), rounds)


def _growth(folder: Path, rounds: int, results: Results) -> None:
    for title, cases in (("images", IMAGES), ("hidden units", HIDDEN), ("batch size", BATCHES)):
        _say(f"growth with the {title}")
        results.growth[title] = [_pair(case, folder, rounds) for case in cases]
    if not (folder / "runs").exists():
        processes.bpcli(folder, "train", "--quiet", "--epochs", "1")()
    results.predicting = processes.growth(folder, (1, 10, 100, 1000), max(1, rounds // 2))


def _pair(case: Case, folder: Path, rounds: int) -> steps.Outcome:
    """The floor and bpcli, with a worker for each core."""
    return steps.compare(case, steps.numpy_kinds({usable_cores()}), folder, rounds)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
