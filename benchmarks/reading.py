"""How many numbers are read right, and how much of what is no digit is refused.

python benchmarks/reading.py [--split validation|test] [--model CHECKPOINT] [--fonts FOLDER]
"""

import argparse
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bpcli import resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import Prepared, prepare, prepare_all
from bpcli.data.picture.read import to_grey
from bpcli.data.picture.scale import Grey
from bpcli.data.scenes.kinds import KINDS
from bpcli.data.scenes.look import LUMA, Bytes, Look
from bpcli.data.scenes.numbers import number
from bpcli.data.scenes.paper import paint
from bpcli.inference.evaluation import evaluate, read_split_of
from bpcli.inference.predictions import default_min_score, predict_pictures
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint

NUMBERS = 500
LETTERS = "ACEFHJKMNPRTUVWXY"  # B, D, G, I, L, O, Q, S and Z are written like digits
FONTS = (
    "DejaVuSans",
    "DejaVuSerif-Bold",
    "DejaVuSansMono",
    "LiberationSansNarrow-Regular",
    "LiberationMono-BoldItalic",
)


class Written(NamedTuple):
    """A generated number: its digits, its picture, and whether any of them touch."""

    digits: str
    picture: Bytes
    touching: bool


def written(split: Split) -> Iterator[Written]:
    """Numbers of 3 to 8 digits; in every other one, each pair of neighbours touches with probability 0.3."""
    rng = np.random.default_rng(5)
    for index in range(NUMBERS):
        chosen = rng.integers(0, len(split), int(rng.integers(3, 9)))
        size = round(float(np.exp(rng.uniform(np.log(28), np.log(150)))))
        left, top, right, bottom = (int(size * share) for share in rng.uniform(0.1, 1, 4))
        digits = [split.images[each].reshape(28, 28) for each in chosen]
        look = Look(size=size, margins=(left, top, right, bottom))
        picture, meeting = number(digits, look, rng, touching=0.0 if index % 2 else 0.3)
        yield Written("".join(str(split.labels[each]) for each in chosen), picture, any(meeting))


def read(loaded: Checkpoint, found: list[Prepared]) -> str:
    """The digits as `predict --multi` prints them."""
    answers = predict_pictures([loaded.model], found, default_min_score([loaded]), ThreadGroup(1))
    return "".join("?" if answer.name is None else answer.name for answer in answers)


def numbers(loaded: Checkpoint, split: Split) -> None:
    """Prints the share of digits right, and of whole numbers with and without digits that touch."""
    right, total = 0, 0
    whole: dict[bool, list[bool]] = {False: [], True: []}
    for each in written(split):
        found = read(loaded, [digit for _, digit in prepare_all(to_grey(Image.fromarray(each.picture)))])
        blocks = SequenceMatcher(None, each.digits, found, autojunk=False).get_matching_blocks()
        right, total = right + sum(block.size for block in blocks), total + len(each.digits)
        whole[each.touching].append(found == each.digits)
    print(f"{NUMBERS} numbers: {100 * right / total:.1f} % of {total:,} digits right")
    for touching, results in whole.items():
        which = "some digits touch" if touching else "none touch"
        print(f"numbers of which {which}: {100 * np.mean(results):.1f} % of {len(results)} right")


def letters(folder: Path, which: str) -> list[Grey]:
    """Printed letters, black on white, in those fonts of a folder that are there."""
    files = [path for path in sorted(folder.rglob("*.ttf")) if path.stem in FONTS]
    return [_letter(letter, path) for path in files for letter in which]


def _letter(letter: str, font: Path) -> Grey:
    picture = Image.new("L", (200, 200), 255)
    face = ImageFont.truetype(str(font), 120)
    ImageDraw.Draw(picture).text((100, 100), letter, fill=0, anchor="mm", font=face)
    return to_grey(picture)


def papers(kind: str, count: int) -> list[Grey]:
    """The paper of a kind of scene, without a digit."""
    made = []
    for index in range(count):
        rng = np.random.default_rng((99, index))
        look, shape = KINDS[kind](rng), tuple(rng.integers(80, 400, 2))
        made.append(np.asarray(paint(np.zeros(shape, np.float32), look, rng) @ LUMA / 255, np.float32))
    return made


def textures(count: int) -> list[Grey]:
    """Clouds of noise of several sizes, as in photographs of leaves, cloth or skies."""
    return [_texture(np.random.default_rng((7, index))) for index in range(count)]


def _texture(rng: np.random.Generator) -> Grey:
    total = np.zeros((200, 200), np.float32)
    for cell in (3, 6, 12, 25, 50, 100):
        small = rng.standard_normal((200 // cell + 2,) * 2).astype(np.float32)
        large = np.asarray(Image.fromarray(small).resize((200, 200), Image.Resampling.BICUBIC))
        total += np.float32(cell ** rng.uniform(0.2, 1)) * large
    return np.asarray((total - total.min()) / np.ptp(total), np.float32)


def noise(count: int) -> list[Grey]:
    """Noise in every pixel."""
    return [np.random.default_rng(index).random((100 + index, 150), np.float32) for index in range(count)]


def refusals(loaded: Checkpoint, split: Split, fonts: Path) -> None:
    """Prints the share of pictures without a digit that are answered so, and of a split's digits."""
    groups = {
        f"letters {LETTERS}": letters(fonts, LETTERS),
        "letters BDGILOQSZ": letters(fonts, "BDGILOQSZ"),
        "textures": textures(200),
        "paper of photographs": papers("photograph", 200),
        "paper under a lamp": papers("lamp", 200),
        "noise": noise(100),
    }
    for name, pictures in groups.items():
        found = read(loaded, [prepare(picture) for picture in pictures])
        print(f"refused of {len(found)} {name}: {100 * found.count('?') / max(len(found), 1):.0f} %")
    scores = evaluate(loaded.model, split).scores.max(axis=1)
    refused = 100 * np.mean(scores < default_min_score([loaded]))
    print(f"refused of {len(split):,} digits at {default_min_score([loaded])}: {refused:.2f} %")


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--model", type=Path, default=resources.pretrained())
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    arguments = parser.parse_args()
    loaded = checkpoint.load(arguments.model)
    split = read_split_of(loaded.model, arguments.split)
    numbers(loaded, split)
    refusals(loaded, split, arguments.fonts)


if __name__ == "__main__":
    main()
