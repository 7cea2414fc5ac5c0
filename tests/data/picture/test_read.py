import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.read import MAX_BYTES, flatten, read_colours, read_picture, to_grey
from bpcli.errors import ImageError

RAMP = np.add.outer(np.arange(0, 250, 10), np.arange(0, 6)).astype(np.uint8)
SIGNS = Image.fromarray(RAMP)


def file_of(picture: Image.Image, file_format: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def with_alpha(picture: Image.Image, mode: str) -> Image.Image:
    """Black under an opacity that makes it look, on white paper, like the picture."""
    alpha = Image.eval(picture, lambda value: 255 - value)
    black = Image.new("L", picture.size)
    return Image.merge("LA", (black, alpha)).convert(mode)


def deep(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture, np.uint16) * 257)


FILES = {
    "grey png": file_of(SIGNS, "PNG"),
    "rgb png": file_of(SIGNS.convert("RGB"), "PNG"),
    "palette png": file_of(SIGNS.convert("P"), "PNG"),
    "grey and alpha png": file_of(with_alpha(SIGNS, "LA"), "PNG"),
    "rgba png": file_of(with_alpha(SIGNS, "RGBA"), "PNG"),
    "16-bit png": file_of(deep(SIGNS), "PNG"),
    "bmp": file_of(SIGNS, "BMP"),
    "gif": file_of(SIGNS, "GIF"),
    "webp": file_of(SIGNS.convert("RGB"), "WEBP", lossless=True),
    "tiff": file_of(SIGNS, "TIFF"),
    "16-bit tiff": file_of(deep(SIGNS), "TIFF"),
    "float tiff": file_of(Image.fromarray(np.asarray(SIGNS, np.float32) / 255), "TIFF"),
    "cmyk tiff": file_of(SIGNS.convert("RGB").convert("CMYK"), "TIFF"),
    "pgm": file_of(SIGNS, "PPM"),
    "16-bit pgm": b"P5 6 25 65535\n" + (RAMP.astype(">u2") * 257).astype(">u2").tobytes(),
    "animated gif": file_of(SIGNS, "GIF", save_all=True, append_images=[Image.new("L", SIGNS.size)]),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_format_and_depth_gives_the_same_grey(kind: str) -> None:
    grey = read_picture(FILES[kind])
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, RAMP / 255, atol=1.01 / 255)


def test_one_bit_and_jpeg_are_read() -> None:
    bits = Image.fromarray(RAMP > 99)
    np.testing.assert_array_equal(read_picture(file_of(bits, "PNG")), RAMP > 99)
    flat = Image.new("L", (16, 16), 100)
    np.testing.assert_allclose(read_picture(file_of(flat, "JPEG")), 100 / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_the_picture_is_turned_upright(orientation: int, file_format: str) -> None:
    # how an upright picture comes to lie when it is stored in each orientation (EXIF 2.3, tag 274)
    laid = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = SIGNS.transpose(Image.Transpose(laid[orientation])) if orientation > 1 else SIGNS
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    content = file_of(stored.convert("RGB"), file_format, exif=exif, **options)
    np.testing.assert_allclose(read_picture(content), RAMP / 255, atol=1e-6)


def test_damaged_orientation_is_ignored() -> None:
    content = file_of(SIGNS, "PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff junk")
    np.testing.assert_allclose(read_picture(content), RAMP / 255, atol=1e-6)


def test_ink_on_nothing_lies_on_white_and_white_ink_on_black() -> None:
    alpha = np.zeros((4, 4), np.float32)
    alpha[1:3, 1:3] = 1
    np.testing.assert_array_equal(flatten(np.zeros_like(alpha), alpha), 1 - alpha)
    np.testing.assert_array_equal(flatten(np.ones_like(alpha), alpha), alpha)


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = SIGNS.convert("P")
    content = file_of(picture, "PNG", transparency=0)
    expected = np.where(RAMP == 0, 1, RAMP / 255)
    np.testing.assert_allclose(read_picture(content), expected, atol=1.01 / 255)


def test_floats_beyond_their_range_are_brought_into_it() -> None:
    values = np.array([[np.nan, -1, 0, 5, 10]], np.float32)
    np.testing.assert_allclose(to_grey(Image.fromarray(values)), [[0, 0, 0, 0.5, 1]])


def message(source: Path | bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(source)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "standard input: is empty" in message(b"")
    assert "not a picture of a known format" in message(b"%PDF-1.7 and so on")
    assert "No such file" in message(tmp_path / "none.png")
    assert "directory" in message(tmp_path)
    assert "not a picture" in message(file_of(SIGNS, "PCX"))


def test_names_with_undecodable_bytes_are_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe n\xc3\xa4me.png"))
    path.write_bytes(FILES["grey png"])
    assert read_picture(path).shape == RAMP.shape


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "25,000,000 bytes" in message(path)


def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    for side in (6_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        assert "pixels" in message(bomb)


@pytest.mark.parametrize("kind", FILES)
def test_what_pillow_opened_is_read_as_its_file(kind: str) -> None:
    with Image.open(BytesIO(FILES[kind])) as picture:
        assert (read_picture(picture) == read_picture(FILES[kind])).all()


def test_a_picture_that_pillow_opened_may_be_damaged_or_empty() -> None:
    cut = FILES["rgb png"][:-40]
    with Image.open(BytesIO(cut)) as picture, pytest.raises(ImageError, match="the picture: can't be decoded"):
        read_picture(picture, "the picture")
    with pytest.raises(ImageError, match="has 0×5 pixels"):
        read_picture(Image.new("L", (0, 5)))


@given(kind=st.sampled_from(sorted(FILES)), share=st.floats(0, 0.95), junk=st.binary(max_size=8))
def test_damaged_files_are_read_or_refused_but_never_crash(kind: str, share: float, junk: bytes) -> None:
    content = FILES[kind]
    cut = int(len(content) * share)
    for damaged in (content[:cut], content[:cut] + junk + content[cut + len(junk) :]):
        try:
            grey: NDArray[np.float32] = read_picture(damaged)
        except ImageError as error:
            assert "\n" not in str(error)
        else:
            assert grey.min() >= 0
            assert grey.max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_colours_have_the_light_of_the_grey_picture(mode: str, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    picture = Image.fromarray(colours)
    deep = Image.fromarray(colours[..., 0].astype(np.uint16) * 257)
    (deep if mode == "I;16" else picture.convert(mode)).save(tmp_path / "a.png")
    found = read_colours(tmp_path / "a.png")
    assert (found.mode, found.size) == ("RGB", (20, 12))
    light = np.asarray(found.convert("L"), np.float32) / 255
    assert light == pytest.approx(read_picture(tmp_path / "a.png"), abs=0.01)
    if mode == "RGB":
        assert np.array_equal(np.asarray(found), colours)


def test_what_is_transparent_is_white_in_colour(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (200, 0, 0, 0)).save(tmp_path / "a.png")
    assert np.all(np.asarray(read_colours(tmp_path / "a.png")) == 255)


def test_threads_leave_stderr_and_the_filters_of_warnings_as_they_were() -> None:
    before, filters = os.fstat(2), list(warnings.filters)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: read_picture(FILES["tiff"]), range(200)))
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (before.st_dev, before.st_ino)
    assert list(warnings.filters) == filters
