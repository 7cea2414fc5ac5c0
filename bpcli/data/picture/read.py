"""Reader of picture files of many formats, depths and orientations: each becomes an array of grey from 0 to 1.

Grey is the ITU-R BT.601 luma of the encoded (not linear-light) red, green and blue, 0 black and 1 white. The next
step divides by the background. The ratio in linear light is only a power of the ratio in encoded light.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bpcli.errors import ImageError

Grey = NDArray[np.float32]
T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # Pillow's PPM includes PGM and PBM
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".pbm", ".ppm"))
MAX_BYTES = 25_000_000
MAX_PIXELS = 32_000_000
_FIRST = 64 * 1024  # bytes that are read at first: room for MAX_BYTES takes longer to find than small files to read
_TIFF = (b"II", b"MM")  # the first bytes by which Pillow recognises TIFF files
_ZIP = b"PK\x03\x04"  # the first bytes of a checkpoint
_STDERR = 2
_ALONE = Lock()  # what is changed while a picture is decoded, warnings and stderr, is the whole process's
VISIBLE = 0.25  # a picture with a smaller range of grey on white paper was meant for black paper


def read_picture(source: Path | bytes | Image.Image, name: str = "standard input") -> Grey:
    """Return the picture in a file, upright and opaque.

    Args:
        source: the file, or its content, or what Pillow opened.
        name: the name of anything but a file in error messages.

    Returns:
        The luminance (height, width), from 0 (black) to 1 (white). Of an animation, the first frame.

    Raises:
        ImageError: the file can't be read, is of no known format, is damaged or is too large.
    """
    if isinstance(source, Image.Image):
        with _decoding(name):
            return _converted(source, name, to_grey)
    if isinstance(source, Path):
        return _decode(content_of(source), str(source), to_grey)
    return _decode(source, name, to_grey)


def read_colours(path: Path) -> Image.Image:
    """Return the picture in a file in RGB, upright and on white paper.

    Raises:
        ImageError: as `read_picture`.
    """
    return _decode(content_of(path), str(path), to_rgb)


def content_of(path: str | Path) -> bytes:
    """Return the content of a file, at most one byte more than a picture may have.

    Raises:
        ImageError: it can't be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a Path takes as long to make as to read a small file)
            first = file.read(_FIRST)
            return first if len(first) < _FIRST else first + file.read(MAX_BYTES + 1 - _FIRST)
    except OSError as error:
        raise ImageError(f"{path}: can't be read: {error.strerror or error}") from error


def _decode(content: bytes, name: str, convert: Callable[[Image.Image], T]) -> T:
    if not content:
        raise ImageError(f"{name}: is empty")
    if len(content) > MAX_BYTES:
        raise ImageError(f"{name}: has more than {MAX_BYTES:,} bytes, the most that a picture may have")
    with _decoding(name, content), _silence(content), Image.open(BytesIO(content), formats=FORMATS) as picture:
        return _converted(picture, name, convert)


@contextmanager
def _decoding(name: str, content: bytes = b"") -> Iterator[None]:
    """Turn whatever a decoder raises into an `ImageError`; one picture at a time."""
    try:
        with _ALONE, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture with odd metadata is still accepted
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        hint = "; a network comes after -m" if content.startswith(_ZIP) else ""
        raise ImageError(
            f"{name}: not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM){hint}"
        ) from None
    except Exception as error:  # a damaged file can raise any error in a decoder
        raise ImageError(f"{name}: can't be decoded: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _converted(picture: Image.Image, name: str, convert: Callable[[Image.Image], T]) -> T:
    width, height = picture.size
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(f"{name}: has {width:,}×{height:,} pixels; at most {MAX_PIXELS:,} are accepted")
    return convert(_upright(picture))


@contextmanager
def _silence(content: bytes) -> Iterator[None]:
    """Keep libtiff from printing errors of a TIFF file on stderr, past Python: its result reports them too."""
    if not content.startswith(_TIFF):
        yield
        return
    try:
        kept = os.dup(_STDERR)
    except OSError:  # stderr is closed
        yield
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture rotated as its EXIF data say; unchanged if they are damaged."""
    picture.load()
    try:
        if picture.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            return picture  # without the copy that Pillow would make
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow parses EXIF data only now: damaged ones can raise any error
        return picture


def to_grey(picture: Image.Image) -> Grey:
    """Return the luminance of an opened picture in any of Pillow's modes, as `read_picture` does."""
    if picture.mode.startswith(("I", "F")):
        return _deep_grey(np.asarray(picture, np.float32), 1.0 if picture.mode == "F" else 65535.0)
    if picture.has_transparency_data:
        colour, alpha = picture.convert("RGBA").convert("LA").split()
        return flatten(_unit(colour), _unit(alpha))
    if picture.mode not in ("L", "1"):
        picture = picture.convert("RGB")  # CMYK, palettes and the like have no luminance before
    return _unit(picture.convert("L"))


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return an opened picture in any of Pillow's modes in RGB; a transparent one on white paper."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(np.rint(255 * to_grey(picture)).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _unit(picture: Image.Image) -> Grey:
    unit: Grey = np.asarray(picture, np.float32) / np.float32(255)
    return unit


def _deep_grey(values: Grey, white: float) -> Grey:
    """Return values of more than 8 bits, divided by `white` or by the largest value, whichever is larger."""
    finite = np.nan_to_num(values, nan=0.0, posinf=white, neginf=0.0)
    return np.asarray(np.clip(finite / max(white, finite.max()), 0, 1), np.float32)


def flatten(colour: Grey, alpha: Grey) -> Grey:
    """Return a transparent picture on white paper; on black paper if its ink is invisible on white."""
    on_white = colour * alpha + (1 - alpha)
    on_black: Grey = colour * alpha
    return on_white if np.ptp(on_white) >= VISIBLE else on_black
