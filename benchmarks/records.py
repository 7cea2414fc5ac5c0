"""The figures of docs/records.md: the errors of runs on all the test images, on each half of them, and together.

python -m benchmarks.records [--split validation] [--above ACCURACY] RUN... [--against RUN...]

With --above, Student's t-test of whether the mean accuracy is higher than that, in per cent.

With --against, another recipe of as many runs, with the seeds in the same order. Each pair of runs is compared by
McNemar's exact test, and the recipes by the errors that all their runs make on each image
(`bpcli.inference.statistics.sign_flip_p`). That test takes the images for a sample and the runs as they are. Whether
other seeds would say the same, the pairs show.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from math import gamma, pi, sqrt
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.statistics import binomial_interval, mcnemar, sign_flip_p
from bpcli.machine import usable_cores
from bpcli.report.history import read_run

_STEPS = 100_000  # of the integral


class Member(NamedTuple):
    """A network: its run, the seconds that its epochs took, and its scores (n, 10)."""

    name: str
    seconds: float
    scores: Array


class Errors(NamedTuple):
    """How many of a split's images, of its first half's and of its second half's, got a wrong answer."""

    all: int
    first: int
    second: int


def mistaken(scores: Array, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether scores (n, 10) are wrong about each label (n,)."""
    wrong: NDArray[np.bool_] = scores.argmax(axis=1) != labels
    return wrong


def count_errors(scores: Array, labels: NDArray[np.uint8]) -> Errors:
    """The errors of scores (n, 10) against labels (n,)."""
    wrong = mistaken(scores, labels)
    half = len(wrong) // 2
    return Errors(int(wrong.sum()), int(wrong[:half].sum()), int(wrong[half:].sum()))


def p_value(sample: Sequence[float], least: float) -> float:
    """How likely a mean as high as the sample's would be if the true one were `least`: the t-test, one-sided."""
    freedom = len(sample) - 1
    t = (mean(sample) - least) / (stdev(sample) / sqrt(len(sample)))
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    at = np.linspace(0, abs(t), _STEPS + 1)
    between = float(np.trapezoid(scale * (1 + at * at / freedom) ** (-(freedom + 1) / 2), at))
    return 0.5 - between if t > 0 else 0.5 + between


def read_members(sources: Sequence[str], split: Split) -> list[Member]:
    """The networks of runs, each with what it makes of a split."""
    runs, threads = [read_run(source) for source in sources], ThreadGroup(usable_cores())
    return [Member(each.name, each.seconds, each.model.scores(split.images, threads)) for each in runs]


def together(members: Sequence[Member]) -> Member:
    """The committee, whose scores are the mean of its members'."""
    return Member("together", sum(each.seconds for each in members), np.mean([m.scores for m in members], axis=0))


def table(members: Sequence[Member], labels: NDArray[np.uint8]) -> list[str]:
    """A row for each member, in Markdown."""
    lines = [
        "| run | errors | error, 95 % interval | first half | second half | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each in members:
        found = count_errors(each.scores, labels)
        low, high = (100 * end for end in binomial_interval(found.all, len(labels)))
        counts = f"{found.all} | {low:.2f} to {high:.2f} % | {found.first} | {found.second}"
        lines.append(f"| {each.name} | {counts} | {each.seconds:,.1f} |")
    return lines


def comparison(members: Sequence[Member], others: Sequence[Member], labels: NDArray[np.uint8]) -> list[str]:
    """A row for each pair of runs, in Markdown, and the two recipes as wholes."""
    one, two = (np.array([mistaken(each.scores, labels) for each in recipe]) for recipe in (members, others))
    lines = ["| run | against | only the one wrong | only the other wrong | p |", "| --- | --- | --- | --- | --- |"]
    for pair in zip(members, others, one, two, strict=True):
        n01, n10, p = mcnemar(*pair[2:])
        lines.append(f"| {pair[0].name} | {pair[1].name} | {n01} | {n10} | {p:.3g} |")
    p = sign_flip_p(one.sum(axis=0) - two.sum(axis=0))
    return [*lines, "", f"mean error {100 * one.mean():.3f} % against {100 * two.mean():.3f} %: p = {p:.3g}"]


def spread(rates: Sequence[float]) -> str:
    """Mean, standard deviation and extremes of rates in per cent."""
    return f"{mean(rates):.3f} % ± {stdev(rates):.3f}, from {min(rates):.2f} to {max(rates):.2f} %"


def main() -> None:
    """Reads the runs and prints their figures."""
    parser = ArgumentParser(description="The figures of docs/records.md.")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--split", choices=["test", "validation"], default="test")
    parser.add_argument("--above", type=float, metavar="ACCURACY")
    parser.add_argument("--against", nargs="+", default=[], metavar="RUN")
    chosen = parser.parse_args()
    if len(chosen.against) not in (0, len(chosen.runs)):
        parser.error(f"--against names {len(chosen.against)} runs, but there are {len(chosen.runs)} to compare")
    split = read_split_of(read_run(chosen.runs[0]).model, chosen.split)
    members = read_members(chosen.runs, split)
    committee = together(members)
    rows = [*members, committee] if len(members) > 1 else members
    print("\n".join(table(rows, split.labels)))
    if len(members) > 1:
        wrong = [count_errors(each.scores, split.labels).all / len(split) for each in members]
        print(f"\nerror {spread([100 * rate for rate in wrong])}")
        if chosen.above is not None:
            p = p_value([100 * (1 - rate) for rate in wrong], chosen.above)
            print(f"accuracy above {chosen.above} %: p = {p:.2g}")
    if chosen.against:
        print("", *comparison(members, read_members(chosen.against, split), split.labels), sep="\n")


if __name__ == "__main__":
    main()
