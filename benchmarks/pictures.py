"""How long `bpcli predict` takes: for 1,000 pictures, for 1,000 images of MNIST, and for one of them.

    python benchmarks/pictures.py

Beside it stands how long Python takes to start and to import NumPy and Pillow, which no such program can avoid.
"""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.scenes.look import Bytes, Look
from bpcli.data.scenes.paper import draw
from bpcli.data.spec import MNIST

COUNT = 1000
SIDE = 200  # pixels of the pictures
ROUNDS = 3


def picture(digit: Bytes, index: int) -> Image.Image:
    """A digit somewhere on 200×200 pixels of paper, half of them under a lamp with noise."""
    rng = np.random.default_rng(index)
    left, top = (int(edge) for edge in rng.integers(10, 70, 2))
    look = Look(size=110, margins=(left, top, SIDE, SIDE))
    drawn = draw(digit, replace(look, lamp=0.3, noise=0.02, texture=0.01) if index % 2 else look, rng)
    return Image.fromarray(drawn[:SIDE, :SIDE])


def seconds(*command: str | Path) -> float:
    """The least time that a command takes, of a few."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(perf_counter() - start)
    return min(times)


def main() -> None:
    """Writes the pictures and times the commands."""
    digits = read_split(None, "test", 0, MNIST).first(COUNT).images.reshape(-1, 28, 28)
    predict = ("-m", "bpcli", "predict", "-m", resources.pretrained(), "--min-score", "0", "-r")
    with tempfile.TemporaryDirectory() as name:
        large, small = Path(name) / "large", Path(name) / "small"
        for folder in (large, small):
            folder.mkdir()
        for index, digit in enumerate(digits):
            picture(digit, index).save(large / f"{index:04}.png")
            Image.fromarray(digit).save(small / f"{index:04}.png")
        imports = seconds("-c", "import numpy, PIL.Image")
        print(f"import numpy, PIL.Image   {imports:.2f} s")
        print(f"predict of one image      {seconds(*predict, small / '0000.png'):.2f} s")
        print(f"predict of {COUNT:,} of 28×28   {seconds(*predict, small):.2f} s")
        print(f"predict of {COUNT:,} of {SIDE}×{SIDE} {seconds(*predict, large):.2f} s")


if __name__ == "__main__":
    main()
