import numpy as np
import pytest

from bpcli import resources
from bpcli.data.datasets import read_split
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.scenes.files import FILES, WITH_EXIF, to_file
from bpcli.data.scenes.look import LUMA, Bytes, Look
from bpcli.data.scenes.paper import draw

DIGITS = read_split(resources.mnist(), "test", 0).images.reshape(-1, 28, 28)
LOSSY = {"jpeg": 2, "jpeg 30": 12}  # by how many grey levels each pixel is off on average, at most


def picture(index: int, *, two_levels: bool = False) -> Bytes:
    drawn = draw(DIGITS[index], Look(size=90), np.random.default_rng(index))
    return np.where(drawn < 128, 0, 255).astype(np.uint8) if two_levels else drawn


@pytest.mark.parametrize("file", FILES)
def test_every_file_shows_the_same(file: str) -> None:
    drawn = picture(0, two_levels="1-bit" in file)
    grey = read_picture(to_file(drawn, file, 6))
    off = abs(255 * grey - drawn @ LUMA)
    assert off.mean() <= LOSSY.get(file, 1)
    assert off.max() <= 2 or file in LOSSY


def test_colours_are_kept_by_the_files_that_have_colours() -> None:
    green = np.zeros((9, 7, 3), np.uint8)
    green[2:5, 3] = 250, 30, 90
    green[..., 1] += 120
    for file in ("rgb png", "rgba png", "cmyk tiff", "rgb webp", "rgba webp", "bmp"):
        np.testing.assert_allclose(255 * read_picture(to_file(green, file)), green @ LUMA, atol=2)


EXACT = [file for file in WITH_EXIF if file not in LOSSY]


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_twelve_formats_in_eight_orientations_give_the_same_input(index: int) -> None:
    drawn = picture(index, two_levels=True)
    inputs = [
        prepare(read_picture(to_file(drawn, file, orientation))).pixels for file in EXACT for orientation in range(1, 9)
    ]
    assert len(EXACT) == 12
    assert len(inputs) == 96
    stacked = np.stack([pixels.astype(int) for pixels in inputs if pixels is not None])
    assert len(stacked) == 96
    assert np.ptp(stacked, axis=0).max() <= 2
