"""The results as a page in Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import aims, processes, steps
from benchmarks.cases import Case
from benchmarks.processes import Whole
from benchmarks.steps import Outcome, shown
from benchmarks.tables import table
from benchmarks.timing import spread


@dataclass(slots=True)
class Results:
    """What was measured; what was not is empty.

    Attributes:
        machine: where.
        networks: the contenders' steps, for each network.
        whole: processes from start to end.
        growth: bpcli and the floor, for each of a few cases in which one thing grows.
        predicting: rows of pictures, seconds and memory of `bpcli predict`.
        problems: what could not be measured, with the reason.
    """

    machine: Mapping[str, str]
    networks: dict[str, Outcome] = field(default_factory=dict)
    whole: Whole | None = None
    growth: dict[str, list[Outcome]] = field(default_factory=dict)
    predicting: list[list[str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def text(results: Results) -> str:
    """The page."""
    return "\n\n".join(_sections(results)) + "\n"


def _sections(results: Results) -> Iterator[str]:
    yield "# How fast bpcli is"
    yield (
        "Written by `make bench-results`. What is compared was timed in turn in the same rounds, each contender in a "
        "process\nof its own that began each turn with untimed steps. Ratios are taken round by round; the tables give "
        "medians, with\nquartiles where there is room. No environment variable steered a library. "
        "[MACHINES.md](MACHINES.md) has several machines side\nby side."
    )
    yield table(("", "this run"), [[name, value] for name, value in (_versions(results)).items()])
    for problem in results.problems:
        yield f"Not measured: {problem}"
    found = [
        *aims.of_steps(results.networks),
        *aims.of_growth(results.growth),
        *(aims.of_processes(results.whole) if results.whole else ()),
    ]
    if found:
        yield "## The aims"
        yield table(aims.HEADER, [each.row for each in found])
    if results.networks:
        yield "## Training steps"
        yield (
            "A step gathers a batch, goes forward and back and moves the parameters. The floor are its matrix products "
            "alone, by\nNumPy; bpcli also makes floats of bytes, which the others had done for them beforehand, and "
            "calculates each step's\nloss and hits. All use float32 but for bfloat16, which has half the bits."
        )
        for outcome in results.networks.values():
            yield f"### {outcome.case.name}"
            yield table(steps.header(outcome), steps.rows(outcome, [*outcome.seconds, *outcome.failures]))
            yield f"`train.threads: auto` takes {outcome.workers} here."
    if results.whole:
        yield "## Whole processes"
        yield table(processes.HEADER, processes.rows(results.whole))
    if results.growth or results.predicting:
        yield "## What grows with what"
        for title, outcomes in results.growth.items():
            yield f"The default network with other numbers: {title}."
            yield table(_growth_header(title), [_grown(_OF[title](each.case), each) for each in outcomes])
        if results.predicting:
            yield "`bpcli predict` of so many pictures."
            yield table(("pictures", "s", "peak memory, MiB"), results.predicting)


def _versions(results: Results) -> dict[str, str]:
    """The machine, and what the contenders said of themselves but for what belongs to a network."""
    outcomes = [*results.networks.values(), *(each for some in results.growth.values() for each in some)]
    said = {name: value for outcome in outcomes for name, value in outcome.about.items() if name != "auto"}
    return {**results.machine, **said}


def _images(case: Case) -> str:
    return f"{case.images:,}"


def _units(case: Case) -> str:
    return f"{case.sizes[1]:,}"


def _batch(case: Case) -> str:
    return f"{case.batch:,}"


_OF: dict[str, Callable[[Case], str]] = {"images": _images, "hidden units": _units, "batch size": _batch}


def _growth_header(title: str) -> Sequence[str]:
    return title, "ms a step", "s an epoch", "µs an image", "× the floor (quartiles)"


def _grown(name: str, outcome: Outcome) -> list[str]:
    """A row for bpcli in a case, with as many workers as it was timed with."""
    trained = next((each for each in outcome.seconds if each.startswith("bpcli")), None)
    least = next((each for each in outcome.seconds if each.startswith("the floor")), None)
    if trained is None or least is None:
        return [name, f"– ({'; '.join(outcome.failures.values())})", "–", "–", "–"]
    step = spread(outcome.seconds[trained]).median
    image = step / outcome.case.batch
    ratio = shown(outcome.ratio(trained, least), with_quartiles=True)
    return [name, f"{1e3 * step:.3g}", f"{image * outcome.case.images:.3g}", f"{1e6 * image:.3g}", ratio]
