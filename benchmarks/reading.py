"""How much of what is no digit is refused. `benchmarks/several.py` measures numbers.

python benchmarks/reading.py [--split validation|test] [--model CHECKPOINT] [--fonts FOLDER]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bpcli import resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.picture.read import to_grey
from bpcli.data.picture.scale import Grey
from bpcli.data.scenes.kinds import KINDS
from bpcli.data.scenes.look import LUMA
from bpcli.data.scenes.paper import paint
from bpcli.inference.evaluation import evaluate, read_split_of
from bpcli.inference.predictions import default_min_score, predict_pictures
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint

LETTERS = "ACEFHJKMNPRTUVWXY"  # B, D, G, I, L, O, Q, S and Z are written like digits
FONTS = (
    "DejaVuSans",
    "DejaVuSerif-Bold",
    "DejaVuSansMono",
    "LiberationSansNarrow-Regular",
    "LiberationMono-BoldItalic",
)


def read(loaded: Checkpoint, found: list[Prepared]) -> str:
    """The digits as `predict` prints them."""
    answers = predict_pictures([loaded.model], found, default_min_score([loaded]), ThreadGroup(1))
    return "".join("?" if answer.name is None else answer.name for answer in answers)


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
    refusals(loaded, split, arguments.fonts)


if __name__ == "__main__":
    main()
