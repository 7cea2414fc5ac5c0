"""What the figures are held against."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.processes import CLICK, FLOOR, HELP, MANY, NUMPY, ONE, TRAIN, Whole
from benchmarks.steps import EAGER, JAX, SCIKIT, Outcome, floor, trainer


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure with the limit that it should not exceed."""

    text: str
    found: float
    limit: float

    @property
    def row(self) -> list[str]:
        """As the table has it."""
        return [self.text, f"{self.found:.2f}", f"{self.limit:.2f}", "yes" if self.found <= self.limit else "no"]


HEADER = ("aim", "measured", "at most", "reached")


def of_steps(outcomes: Mapping[str, Outcome]) -> Iterator[Aim]:
    """Those of training steps, for the networks and contenders that took part."""
    limits = {
        "default": {"": 1.06, EAGER: 0.50, JAX: 0.70, SCIKIT: 0.45},
        "deep": {"": 1.05},
        "small": {EAGER: 0.20},
    }
    for network, outcome in outcomes.items():
        for other, limit in limits[network].items():
            other = other or floor(outcome.workers)
            ratio = outcome.ratio(trainer(outcome.workers), other)
            if ratio is not None:
                yield Aim(f"{outcome.case.name}: {trainer(outcome.workers)} ÷ {other}", ratio.median, limit)


def of_growth(growth: Mapping[str, Sequence[Outcome]]) -> Iterator[Aim]:
    """Those of other numbers of hidden units and other batches, beside the floor."""
    limits = {(512, 256): 1.20, (128, 256): 1.50, (1024, 1024): 1.12}  # by hidden units and batch
    for outcome in (each for outcomes in growth.values() for each in outcomes):
        limit = limits.get((outcome.case.sizes[1], outcome.case.batch))
        names = [name for name in outcome.seconds if name.startswith(("bpcli", "the floor"))]
        if limit and len(names) == 2:
            least, trained = sorted(names, reverse=True)
            ratio = outcome.ratio(trained, least)
            assert ratio is not None
            yield Aim(f"{outcome.case.name}: {trained} ÷ {least}", ratio.median, limit)


def of_processes(whole: Whole) -> Iterator[Aim]:
    """Those of whole processes; s is seconds."""
    yield Aim(f"{HELP} ÷ {CLICK}", whole.ratio(HELP, CLICK).median, 1.5)
    yield Aim(f"{ONE} ÷ (1.5 × {NUMPY} + 0.15 s)", whole.share(ONE, NUMPY, 1.5, 0.15).median, 1)
    yield Aim(f"{MANY}, s", whole.median(MANY), 2.0)
    yield Aim(f"{TRAIN} ÷ (1.15 × {FLOOR} + 0.6 s)", whole.share(TRAIN, FLOOR, 1.15, 0.6).median, 1)
