"""How many generated numbers are read right, and how many pictures are said to show several digits.

python benchmarks/several.py [--split validation|test] [--model CHECKPOINT] [--seed N] [--count N] [--sheet FOLDER]

With `--sheet`, what was read wrong is written as PNG, a sheet a kind. The drawn boxes are those of the answers.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from bpcli import resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import prepare, prepare_all
from bpcli.data.picture.read import read_picture, to_grey
from bpcli.data.scenes.kinds import KINDS, scene
from bpcli.data.scenes.look import Bytes, Look
from bpcli.data.scenes.numbers import number
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.predictions import Digit, default_min_score, predict_numbers, predict_pictures
from bpcli.machine import usable_cores
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint

TOUCHING = 0.3  # probability that two neighbours are set so close that they may touch
SEVERAL = "--multi reads them all"
COLUMNS, CELL = 3, (640, 150)  # of a sheet


class Written(NamedTuple):
    """A generated number: its digits, its picture (h, w, 3), and whether any of them touch."""

    digits: str
    picture: Bytes
    touching: bool


def written(split: Split, seed: int, fewest: int, most: int, squeezed: bool = False) -> Iterator[Written]:
    """Endless numbers of some digits; in every other one neighbours may touch."""
    rng = np.random.default_rng(seed)
    close = False
    while True:
        chosen = rng.integers(0, len(split), int(rng.integers(fewest, most + 1)))
        size = round(float(np.exp(rng.uniform(np.log(28), np.log(150)))))
        left, top, right, bottom = (int(size * share) for share in rng.uniform(0.1, 1, 4))
        width = float(rng.uniform(0.5, 0.75)) if squeezed else 1.0
        digits = [narrow(split.images[each].reshape(28, 28), width) for each in chosen]
        look = Look(size=size, margins=(left, top, right, bottom))
        close = not close
        picture, meeting = number(digits, look, rng, touching=TOUCHING if close else 0.0)
        yield Written("".join(str(split.labels[each]) for each in chosen), picture, any(meeting))


def narrow(digit: Bytes, width: float) -> Bytes:
    """A digit (28, 28) that is narrower by a factor."""
    return np.asarray(Image.fromarray(digit).resize((round(28 * width), 28), Image.Resampling.BICUBIC))


def read(loaded: Checkpoint, numbers: Sequence[Written]) -> list[list[Digit]]:
    """The digits as `predict --multi` finds them."""
    pages = [prepare_all(to_grey(Image.fromarray(each.picture))) for each in numbers]
    return predict_numbers(Ensemble([loaded.model]), pages, default_min_score([loaded]), ThreadGroup(usable_cores()))


def measure(name: str, loaded: Checkpoint, numbers: Sequence[Written], folder: Path | None) -> None:
    """Prints the share of whole numbers that are read right, and draws the others."""
    answers = read(loaded, numbers)
    wrong = [pair for pair in zip(numbers, answers, strict=True) if pair[0].digits != _string(pair[1])]
    more = sum(len(each.digits) != len(found) for each, found in wrong)
    print(
        f"{name}: {100 * (1 - len(wrong) / len(numbers)):.1f} % of {len(numbers)} right; "
        f"{more} of the {len(wrong)} others have another number of digits"
    )
    if folder is not None:
        draw_sheet([_tile(each, found) for each, found in wrong], folder / f"{name.replace(' ', '-')}.png")


def _string(digits: Sequence[Digit]) -> str:
    return "".join(digit.answer.name or "?" for digit in digits)


def several(loaded: Checkpoint, split: Split, seed: int, count: int, folder: Path | None) -> None:
    """Prints how many numbers of 2 to 6 digits are seen to be several, and how many single digits of each kind."""
    numbers = list(islice(written(split, seed, 2, 6), count))
    found = _seen_as_several(loaded, [np.asarray(to_grey(Image.fromarray(each.picture))) for each in numbers])
    print(f"numbers of 2 to 6 digits: {100 * np.mean(found):.1f} % of {count} seen to be several")
    missed = [_tile(each, []) for each, seen in zip(numbers, found, strict=True) if not seen]
    alarms: list[Image.Image] = []
    for kind in KINDS:
        scenes = [
            np.asarray(read_picture(scene(kind, split.images[index].reshape(28, 28), index))) for index in range(count)
        ]
        wrong = np.flatnonzero(_seen_as_several(loaded, scenes)).tolist()
        print(f"single digits, {kind}: {len(wrong)} of {count} seen to be several {wrong or ''}")
        alarms += [_fitted(Image.fromarray(np.uint8(255 * scenes[index])).convert("RGB"), kind) for index in wrong]
    if folder is not None:
        draw_sheet(missed, folder / "missed.png")
        draw_sheet(alarms, folder / "alarms.png")


def _seen_as_several(loaded: Checkpoint, pictures: Sequence[np.ndarray]) -> list[bool]:
    found = [prepare(picture) for picture in pictures]
    answers = predict_pictures(
        Ensemble([loaded.model]), found, default_min_score([loaded]), ThreadGroup(usable_cores())
    )
    return [SEVERAL in answer.reason for answer in answers]


def _tile(each: Written, digits: Sequence[Digit]) -> Image.Image:
    picture = Image.fromarray(each.picture)
    for place, digit in enumerate(digits):
        ImageDraw.Draw(picture).rectangle(digit.box, outline=("red", "blue", "green")[place % 3])
    scores = " ".join(f"{digit.answer.score or 0:.2f}" for digit in digits)
    return _fitted(picture, f"{each.digits} as {_string(digits)}: {scores}")


def _fitted(picture: Image.Image, title: str) -> Image.Image:
    tile = Image.new("RGB", CELL, "white")
    scale = min(CELL[0] / picture.width, (CELL[1] - 14) / picture.height)
    tile.paste(picture.resize((max(1, int(scale * picture.width)), max(1, int(scale * picture.height)))), (0, 14))
    ImageDraw.Draw(tile).text((2, 1), title, fill="black")
    return tile


def draw_sheet(tiles: Sequence[Image.Image], path: Path) -> None:
    """Writes tiles side by side."""
    rows = max(1, -(-len(tiles) // COLUMNS))
    sheet = Image.new("RGB", (COLUMNS * CELL[0], rows * CELL[1]), "white")
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place % COLUMNS * CELL[0], place // COLUMNS * CELL[1]))
    sheet.save(path)


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--model", type=Path, default=resources.pretrained())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500, help="numbers and scenes of each kind")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="draw what is read wrong")
    parser.add_argument("--only", choices=["numbers", "several"], help="measure only that")
    given = parser.parse_args()
    loaded = checkpoint.load(given.model)
    split = read_split_of(loaded.model, given.split)
    if given.sheet is not None:
        given.sheet.mkdir(parents=True, exist_ok=True)
    if given.only != "several":
        for name, squeezed in (("", False), ("narrow ", True)):
            for touching in (False, True):
                endless = (each for each in written(split, given.seed, 3, 8, squeezed) if each.touching == touching)
                which = f"{name}numbers {'with' if touching else 'without'} touching digits"
                measure(which, loaded, list(islice(endless, given.count)), given.sheet)
    if given.only != "numbers":
        several(loaded, split, given.seed, given.count, given.sheet)


if __name__ == "__main__":
    main()
