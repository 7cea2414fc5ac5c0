"""Folders of pictures, made up."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(number: int, side: int = 10) -> Image.Image:
    """Noise, another one for each number; dark above and light below, or the other way round, by its parity."""
    pixels = np.random.default_rng(number).integers(0, 100, (side, side), dtype=np.uint8)
    pixels[: side // 2] += np.uint8(155 * (number % 2))
    pixels[side // 2 :] += np.uint8(155 * (1 - number % 2))
    return Image.fromarray(pixels)


def write(folder: Path, counts: Mapping[str, int], start: int = 0) -> Path:
    """A folder with so many pictures of each class: those of even numbers in the first one, of odd ones in the next."""
    for label, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture(2 * (start + number) + label % 2 + 1000 * label).save(folder / name / f"{start + number}.png")
    return folder
