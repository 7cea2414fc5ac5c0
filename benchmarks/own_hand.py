"""What fifty pictures of one's own hand gain: the network that comes with bpcli, before and after `-c own-hand`.

    python benchmarks/own_hand.py [--writers 20] [--first 0] [--pictures 50] [--test 500] [--sheet FILE] [-s KEY=VALUE]

Each writer is a fixed style: one form of each digit, his own 1 and 7 among them, from `bpcli/data/drawn/hands.yaml`,
each bent in a way of his own; a slant, a width, a turn, large heads or feet; a pen. Each picture varies from that. The
seconds are those of the whole command. Writers from 1000 on were used to choose the preset; those reported were not.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

import bpcli
from bpcli.core import seeds
from bpcli.data.datasets import Split, joined
from bpcli.data.drawn.forms import Floats, Form
from bpcli.data.drawn.hands import Hand, Pen, all_forms, pressed, some_hand, some_pen, written
from bpcli.data.drawn.pen import image_of, inked
from bpcli.data.picture.digit import SIDE, Bytes
from bpcli.data.sheet import contact_sheet

DIGITS = 10
HABIT = 0.08  # standard deviation by which a writer bends the regions of a form, in heights of the digit
REACH = 0.4  # of these regions, likewise
STREAM = 1000  # of the random numbers, apart from those of training
STYLE, TRAINING, TEST = range(3)
SHOWN = 12  # pictures of each writer on the sheet
HEAD = f"{'writer':8}{'before':>8}{'after':>8}{'left':>8}{'seconds':>9}{'MNIST before':>14}{'after':>8}"


@dataclass(frozen=True, slots=True)
class Writer:
    """How somebody writes: his form of each digit, his hand and his pen."""

    seed: int
    forms: tuple[Form, ...]
    hand: Hand
    pen: Pen

    def split(self, n: int, purpose: int) -> Split:
        """Some pictures, as many of each digit."""
        streams = [seeds.stream(self.seed, STREAM, purpose, index) for index in range(n)]
        images = [self._picture(index % DIGITS, rng) for index, rng in enumerate(streams)]
        return Split(np.array(images), (np.arange(n) % DIGITS).astype(np.uint8))

    def _picture(self, digit: int, rng: Generator) -> Bytes:
        """A digit (784,) as this writer writes it once."""
        hand = replace(
            self.hand,
            slant=self.hand.slant + rng.normal(0, 0.08),
            width=self.hand.width * float(np.exp(rng.normal(0, 0.09))),
            rotation=self.hand.rotation + rng.normal(0, 3.5),
        )
        nib = self.pen.nib * rng.uniform(0.9, 1.1)
        lines = [pressed(points, self.pen, rng) for points in written(self.forms[digit], hand, rng)]
        return image_of(inked(lines, nib), SIDE)


class Row(NamedTuple):
    """What one writer gains: errors of both networks on his digits and on MNIST's test images, and the seconds."""

    before: int
    after: int
    seconds: float
    mnist_before: float
    mnist_after: float


def writer(seed: int) -> Writer:
    """The writer of a number."""
    rng = seeds.stream(seed, STREAM, STYLE)
    hand = replace(
        some_hand(rng),
        slant=rng.uniform(-0.3, 0.6),
        width=float(np.exp(rng.uniform(-0.4, 0.4))),
        rotation=rng.uniform(-10, 10),
        balance=rng.normal(0, 0.1),
        warp=0.065,
        shake=0.016,
    )
    choices = [[form for form in all_forms() if form.digit == digit] for digit in range(DIGITS)]
    forms = tuple(_bent(own[int(rng.integers(len(own)))], rng) for own in choices)
    return Writer(seed, forms, hand, some_pen(rng))


def _bent(form: Form, rng: Generator) -> Form:
    """A form as somebody has grown used to writing it: regions of it are moved."""
    centres = np.stack(np.meshgrid((0.0, 0.35, 0.7), (0.0, 0.5, 1.0)), axis=-1).reshape(-1, 2)
    moves = rng.normal(0, HABIT, centres.shape)
    strokes = (each._replace(points=_moved(each.points, centres, moves)) for each in form.strokes)
    return replace(form, strokes=tuple(strokes))


def _moved(points: Floats, centres: Floats, moves: Floats) -> Floats:
    near = np.exp(-np.square(points[:, None] - centres).sum(axis=2) / (2 * REACH**2))
    moved: Floats = points + near @ moves
    return moved


def save(folder: Path, training: Split, test: Split) -> None:
    """Write a data set of four IDX files."""
    folder.mkdir()
    for prefix, split in (("train", training), ("t10k", test)):
        images = split.images.reshape(-1, SIDE, SIDE)
        for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", split.labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / name).write_bytes(header + array.tobytes())


def gain(writer: Writer, pictures: int, images: int, settings: Sequence[str], folder: Path) -> Row:
    """Train with the pictures of a writer, by the command, and count the errors before and after."""
    test, data, run = writer.split(images, TEST), folder / f"data-{writer.seed}", folder / f"run-{writer.seed}"
    save(data, writer.split(pictures, TRAINING), test)
    given = [part for each in (f"data.folder={data}", *settings) for part in ("-s", each)]
    start = perf_counter()
    command = [sys.executable, "-m", "bpcli", "train", "-q", "-c", "own-hand", *given, "-o", str(run)]
    subprocess.run(command, check=True, capture_output=True)
    seconds, before, after = perf_counter() - start, bpcli.load("pretrained"), bpcli.load(run)
    mnist = before.split("test")
    own, others = (
        [network.evaluate(split.images, split.labels) for network in (before, after)] for split in (test, mnist)
    )
    return Row(own[0]["errors"], own[1]["errors"], seconds, others[0]["accuracy"], others[1]["accuracy"])


def line(name: str, row: Sequence[float]) -> str:
    """A row of the table."""
    before, after, seconds, *mnist = row
    left = f"{after / before:8.0%}" if before else f"{'-':>8}"
    return f"{name:8}{before:8g}{after:8g}{left}{seconds:9.1f}{mnist[0]:14.2%}{mnist[1]:8.2%}"


def main() -> None:
    """Print the table, and write the sheet if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("-s", dest="settings", action="append", default=[])
    chosen = parser.parse_args()
    writers = [writer(seed) for seed in range(chosen.first, chosen.first + chosen.writers)]
    if chosen.sheet is not None:
        shown = joined(*(each.split(SHOWN, TRAINING) for each in writers))
        chosen.sheet.write_bytes(contact_sheet(shown.images, [str(label) for label in shown.labels]))
    print(f"errors of {chosen.test} pictures of each writer, {chosen.pictures} others of whom were trained on\n{HEAD}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for each in writers:
            rows.append(gain(each, chosen.pictures, chosen.test, chosen.settings, Path(folder)))
            print(line(str(each.seed), rows[-1]), flush=True)
    print(line("mean", np.mean(rows, axis=0).tolist()))


if __name__ == "__main__":
    main()
