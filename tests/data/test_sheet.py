from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bpcli.data.sheet import CAPTION, COLUMNS, GAP, contact_sheet, zoom


@pytest.mark.parametrize("side", [8, 20, 28, 64, 100])
@pytest.mark.parametrize("n", [0, 1, COLUMNS, COLUMNS + 1])
@pytest.mark.parametrize("caption", ["7 as 1", "a caption that is much wider than its picture is"])
def test_every_picture_stands_in_its_place(n: int, side: int, caption: str) -> None:
    images = np.random.default_rng(0).integers(256, size=(n, side * side), dtype=np.uint8)
    sheet = np.asarray(Image.open(BytesIO(contact_sheet(images, [caption] * n))))
    size = side * zoom(side)
    for index, pixels in enumerate(images):
        left, top = GAP + index % COLUMNS * (size + GAP), GAP + index // COLUMNS * (size + CAPTION + GAP)
        tile = sheet[top : top + size : zoom(side), left : left + size : zoom(side)]
        assert np.array_equal(tile, 255 - pixels.reshape(side, side))
    assert (sheet < 255).any() == (n > 0)


def test_a_long_caption_does_not_reach_its_neighbour() -> None:
    images = np.full((3, 784), 0, np.uint8)
    sheets = [np.asarray(Image.open(BytesIO(contact_sheet(images, ["", text, ""])))) for text in ("", "x" * 99)]
    left, right = 2 * GAP + 84 - GAP // 2, 2 * (84 + GAP) + GAP // 2
    changed = np.flatnonzero((sheets[0] != sheets[1]).any(axis=0))
    assert len(changed) > 60
    assert left <= changed.min()
    assert changed.max() <= right
