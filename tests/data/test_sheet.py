from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bpcli.data.sheet import CAPTION, COLUMNS, GAP, TILE, ZOOM, contact_sheet


@pytest.mark.parametrize("n", [0, 1, COLUMNS, COLUMNS + 1])
def test_every_picture_stands_in_its_place(n: int) -> None:
    images = np.random.default_rng(0).integers(256, size=(n, 784), dtype=np.uint8)
    sheet = np.asarray(Image.open(BytesIO(contact_sheet(images, ["7 as 1"] * n))))
    for index, pixels in enumerate(images):
        left, top = GAP + index % COLUMNS * (TILE + GAP), GAP + index // COLUMNS * (TILE + CAPTION + GAP)
        tile = sheet[top : top + TILE : ZOOM, left : left + TILE : ZOOM]
        assert np.array_equal(tile, 255 - pixels.reshape(28, 28))
    assert (sheet < 255).any() == (n > 0)
