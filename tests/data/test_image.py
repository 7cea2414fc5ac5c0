"""Pictures made into 28×28, against MNIST's own digits in other sizes, places and inks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bpcli import resources
from bpcli.data.image import normalize_digit, read_digit
from bpcli.data.mnist import read_split
from bpcli.errors import ImageError

DIGITS = read_split(resources.mnist(), "test", 0).images.reshape(-1, 28, 28)


def test_mnists_own_pictures_pass_unchanged() -> None:
    for digit in DIGITS:
        assert normalize_digit(digit) is digit


@pytest.mark.parametrize("scale", [1, 2, 3.5, 10])
@pytest.mark.parametrize("inverted", [False, True])
def test_size_place_and_polarity_hardly_matter(scale: float, inverted: bool) -> None:
    agreements = []
    for digit in DIGITS[:100]:
        side = round(28 * scale)
        large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BILINEAR))
        picture = np.pad(large, ((5, 60), (40, 3)))
        pixels = normalize_digit(255 - picture if inverted else picture)
        agreements.append(np.corrcoef(pixels.ravel(), digit.ravel())[0, 1])
    assert np.mean(agreements) > 0.9
    assert min(agreements) > 0.5


@given(
    place=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    size=st.tuples(st.integers(2, 60), st.integers(1, 60)),
    dark=st.booleans(),
)
def test_a_bar_is_scaled_to_twenty_and_centred(place: tuple[int, int], size: tuple[int, int], dark: bool) -> None:
    picture = np.zeros((100, 100), np.uint8)
    picture[place[0] + 2 : place[0] + 2 + size[0], place[1] + 2 : place[1] + 2 + size[1]] = 200
    pixels = normalize_digit(255 - picture if dark else picture)
    rows, columns = np.nonzero(pixels)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    for axis in (rows, columns):
        assert abs(axis.mean() - 14) <= 0.5
    assert pixels.max() == 255


def save(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def test_formats_and_modes_agree(tmp_path: Path) -> None:
    grey = Image.fromarray(255 - np.pad(np.kron(DIGITS[0], np.ones((4, 4), np.uint8)), 10))
    expected = read_digit(save(tmp_path / "grey.png", grey))
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    clear.putalpha(Image.eval(grey, lambda value: 255 - value))
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    for name, picture in {
        "rgb.png": grey.convert("RGB"), "palette.gif": grey.convert("P"), "a.bmp": grey, "a.pgm": grey,
        "cmyk.tiff": grey.convert("RGB").convert("CMYK"), "clear.png": clear, "deep.png": deep, "a.webp": grey,
    }.items():  # fmt: skip
        options = {"lossless": True} if name.endswith("webp") else {}
        difference = read_digit(save(tmp_path / name, picture, **options)).astype(int) - expected
        assert abs(difference).max() <= 2, name


def test_a_turned_picture_is_turned_back(tmp_path: Path) -> None:
    picture = Image.fromarray(DIGITS[0])
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees clockwise to display"
    path = save(tmp_path / "turned.png", picture.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert (read_digit(path) == DIGITS[0]).all()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a picture of a format that Pillow reads"),
        (b"hello", "not a picture of a format that Pillow reads"),
        (None, "can't be read: No such file or directory"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "file.png").write_bytes(content)
    with pytest.raises(ImageError, match=rf"file\.png: {complaint}"):
        read_digit(tmp_path / "file.png")


def test_truncated_pictures_are_refused(tmp_path: Path) -> None:
    content = save(tmp_path / "a.png", Image.fromarray(DIGITS[0])).read_bytes()
    for length in range(40, len(content) - 20, 7):
        (tmp_path / "a.png").write_bytes(content[:length])
        with pytest.raises(ImageError):
            read_digit(tmp_path / "a.png")


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_is_refused(tmp_path: Path, value: int) -> None:
    path = save(tmp_path / "a.png", Image.new("L", (50, 40), value))
    with pytest.raises(ImageError, match="is blank"):
        read_digit(path)


def test_a_picture_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.new("1", (9000, 9000)))
    with pytest.raises(ImageError, match="at most 32,000,000 are accepted"):
        read_digit(path)
