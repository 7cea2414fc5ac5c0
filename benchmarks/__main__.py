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
from benchmarks.contender import Contender, Failed
from benchmarks.machine import ROOT, environment, machine
from benchmarks.page import Results
from bpcli.machine import usable_cores

ROUNDS = {"default": 11, "small": 9, "deep": 9, "processes": 12, "growth": 3}


def main() -> None:
    """Does what the arguments say."""
    given = arguments(sys.argv[1:])
    results, start = Results(machine()), perf_counter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        _say("preparing the data")
        subprocess.run([sys.executable, "-m", "benchmarks.prepare", name], cwd=ROOT, env=environment(), check=True)
        for part in given.parts:
            try:
                _PARTS[part](given, folder, results)
            except (Failed, RuntimeError, OSError) as error:  # minutes of other figures are not to be lost
                results.problems.append(f"{part}: {error}")
    _say(f"done in {perf_counter() - start:.0f} s")
    text = page.text(results)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """What to do, from the words of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times bpcli beside others.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; by default all")
    parser.add_argument("--network", choices=list(NETWORKS), action="append", help="of the steps; by default all")
    parser.add_argument("--rounds", type=int, help="instead of those that each part has")
    parser.add_argument("--no-peers", action="store_true", help="only the floor and bpcli")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the tables to a file")
    given = parser.parse_args(words)
    given.parts = given.parts or list(_PARTS)
    if odd := set(given.parts) - set(_PARTS):
        parser.error(f"no such part: {min(odd)}; there are {', '.join(_PARTS)}")
    given.network = given.network or list(NETWORKS)
    return given


def _steps(given: argparse.Namespace, folder: Path, results: Results) -> None:
    kinds = steps.numpy_kinds({1, usable_cores()}) | ({} if given.no_peers else steps.PEER_KINDS)
    for name in given.network:
        _say(f"steps of {NETWORKS[name].name}")
        results.networks[name] = steps.compare(NETWORKS[name], kinds, folder, given.rounds or ROUNDS[name])


def _processes(given: argparse.Namespace, folder: Path, results: Results) -> None:
    """Whole processes; the floor's ten epochs are taken from one, for its time is the same in each."""
    _say("whole processes")
    case = replace(NETWORKS["default"], steps=round(EPOCH / NETWORKS["default"].batch))
    with closing(Contender(sys.executable, "floor", case, str(usable_cores()), folder)) as floor:
        floor.about()
        results.whole = processes.measured(
            folder, lambda: 10 * median(floor.seconds() for _ in range(3)), given.rounds or ROUNDS["processes"]
        )


def _growth(given: argparse.Namespace, folder: Path, results: Results) -> None:
    rounds = given.rounds or ROUNDS["growth"]
    for title, cases in (("images", IMAGES), ("hidden units", HIDDEN), ("batch size", BATCHES)):
        _say(f"growth with the {title}")
        results.growth[title] = [_pair(case, folder, rounds) for case in cases]
    if not (folder / "runs").exists():
        processes.bpcli(folder, "train", "--quiet", "--epochs", "1")()
    results.predicting = processes.growth(folder, (1, 10, 100, 1000), rounds)


def _pair(case: Case, folder: Path, rounds: int) -> steps.Outcome:
    """The floor and bpcli, with a worker for each core."""
    return steps.compare(case, steps.numpy_kinds({usable_cores()}), folder, rounds)


_PARTS = {"steps": _steps, "processes": _processes, "growth": _growth}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
