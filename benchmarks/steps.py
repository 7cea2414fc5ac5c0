"""Training steps side by side: the floor, bpcli and its peers in turn, each in a process of its own."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.contender import Contender, Failed
from benchmarks.machine import PEERS
from benchmarks.timing import Spread, in_turn, paired, spread

EAGER = "PyTorch, eager"
JAX = "JAX, jit with donated buffers"
SCIKIT = "scikit-learn, MLPClassifier"

# name: module of `benchmarks.contenders` and variant
PEER_KINDS = {
    EAGER: ("pytorch", "eager"),
    "PyTorch, fused SGD": ("pytorch", "fused"),
    "PyTorch, compiled": ("pytorch", "compiled"),
    "PyTorch, bfloat16": ("pytorch", "bfloat16"),
    JAX: ("jaxjit", ""),
    SCIKIT: ("scikit", ""),
}


def floor(threads: int) -> str:
    """What the floor on so many threads is called."""
    return f"the floor, {threads} thread{'s' * (threads > 1)}"


def trainer(workers: int) -> str:
    """What bpcli with so many workers is called."""
    return f"bpcli, {workers} worker{'s' * (workers > 1)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one case.

    Attributes:
        case: the case.
        seconds: of a step in each round, for each contender that took part.
        failures: why the others did not.
        about: what the contenders said of themselves, such as versions.
    """

    case: Case
    seconds: dict[str, list[float]]
    failures: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    @property
    def workers(self) -> int:
        """How many bpcli chooses; one if it could not say."""
        return int(self.about.get("auto", 1))

    def ratio(self, name: str, other: str) -> Spread | None:
        """How many times as long as another one a contender takes; None if one of the two did not take part."""
        if name not in self.seconds or other not in self.seconds:
            return None
        return paired(self.seconds[name], self.seconds[other])


def numpy_kinds(counts: Iterable[int]) -> dict[str, tuple[str, str]]:
    """The floor and bpcli on so many threads, as `PEER_KINDS` has the others."""
    counts = sorted(counts, reverse=True)
    floors = {floor(count): ("floor", str(count)) for count in counts}
    return floors | {trainer(count): ("trainer", str(count)) for count in counts}


def compare(case: Case, kinds: Mapping[str, tuple[str, str]], folder: Path, rounds: int) -> Outcome:
    """Times the steps of a case by each contender, in turn; who fails is left out, with the reason."""
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(closing(Contender(_python(module), module, case, variant, folder)))
            for name, (module, variant) in kinds.items()
            if module in ("floor", "trainer") or PEERS.exists()
        }
        outcome = Outcome(case, {}, {name: "not installed: make bench-peers" for name in kinds if name not in started})
        ready = {name: each for name, each in started.items() if _introduced(name, each, outcome)}
        timed = {name: partial(_seconds, name, each, outcome) for name, each in ready.items()}
        for name, seconds in in_turn(timed, rounds).items():
            if name not in outcome.failures:
                outcome.seconds[name] = [each / case.steps for each in seconds]
    return outcome


def _python(module: str) -> str:
    return sys.executable if module in ("floor", "trainer") else str(PEERS)


def _introduced(name: str, contender: Contender, outcome: Outcome) -> bool:
    """Whether a contender is ready; notes what it says."""
    try:
        outcome.about.update(contender.about())
    except Failed as error:
        outcome.failures[name] = str(error)
    return name not in outcome.failures


def _seconds(name: str, contender: Contender, outcome: Outcome) -> float:
    """One stretch; of no meaning once the contender has failed."""
    if name in outcome.failures:
        return 0.0
    try:
        return contender.seconds()
    except Failed as error:
        outcome.failures[name] = str(error)
        return 0.0


def rows(outcome: Outcome, kinds: Iterable[str]) -> Iterator[list[str]]:
    """A row for each contender: its time a step and an epoch, and how many times the floor's and PyTorch's that is."""
    least = floor(outcome.workers)
    for name in kinds:
        if name not in outcome.seconds:
            yield [name, f"– ({outcome.failures[name]})", "–", "–", "–"]
            continue
        step = spread(outcome.seconds[name])
        epoch = step.median * outcome.case.images / outcome.case.batch
        yield [
            name,
            f"{1e3 * step.median:.3g} ({1e3 * step.low:.3g} to {1e3 * step.high:.3g})",
            f"{epoch:.3g}",
            shown(outcome.ratio(name, least), with_quartiles=True),
            shown(outcome.ratio(name, EAGER)),
        ]


def header(outcome: Outcome) -> list[str]:
    """What stands above `rows`."""
    return [
        "contender",
        "ms a step (quartiles)",
        "s an epoch",
        f"× {floor(outcome.workers)} (quartiles)",
        f"× {EAGER}",
    ]


def shown(ratio: Spread | None, *, with_quartiles: bool = False) -> str:
    """A ratio as the tables have it."""
    if ratio is None:
        return "–"
    return f"{ratio.median:.2f}" + f" ({ratio.low:.2f} to {ratio.high:.2f})" * with_quartiles
