"""The little pictures, read back by Pillow."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from bpcli.data.datasets import Split
from bpcli.report.sprites import image_url, sheet_url, weights_url


def decoded(url: str) -> np.ndarray:
    kind, _, content = url.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_a_sheet_holds_every_digit_in_its_place(small_split: Split) -> None:
    images = small_split.images[:70]
    sheet = decoded(sheet_url(images, 32))
    assert sheet.shape == (3 * 28, 32 * 28, 3)
    for place, image in enumerate(images):
        top, left = 28 * (place // 32), 28 * (place % 32)
        assert abs(sheet[top : top + 28, left : left + 28, 0] - image.reshape(28, 28)).max() <= 9  # of 16 levels
    assert not sheet[56:, 6 * 28 :].any()


@pytest.mark.parametrize("side", [8, 20, 64])
def test_a_sheet_holds_images_of_any_side(side: int) -> None:
    images = np.random.default_rng(side).integers(256, size=(5, side * side), dtype=np.uint8)
    sheet = decoded(sheet_url(images, 3))
    assert sheet.shape == (2 * side, 3 * side, 3)
    last = sheet[side:, side : 2 * side, 0]
    assert abs(last - images[4].reshape(side, side)).max() <= 9
    assert decoded(weights_url(np.ones(side * side, np.float32))).shape == (side, side, 3)


def test_one_digit_is_28_by_28(small_split: Split) -> None:
    assert decoded(image_url(small_split.images[0])).shape == (28, 28, 3)


def test_weights_are_red_where_they_speak_for_the_unit_and_blue_where_against() -> None:
    weights = np.zeros(784, np.float32)
    weights[[0, 1]] = 2, -1
    picture = decoded(weights_url(weights)).reshape(784, 3)
    red, blue, white = picture[0], picture[1], picture[2]
    assert red[0] > 150 > red[2]
    assert blue[2] > blue[0]
    assert white.tolist() == [250, 250, 250]
    assert decoded(weights_url(np.zeros(784, np.float32))).min() == 250
