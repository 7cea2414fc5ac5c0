"""Picture files of many formats, depths and orientations, all made into one kind of array: grey from 0 to 1.

Grey is luminance: ITU-R BT.601 luma of the encoded (not linear-light) red, green and blue, 0 black and 1
white. Dividing by the background, which comes next, is the same in both lights up to an exponent.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bpcli.errors import ImageError

Grey = NDArray[np.float32]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # Pillow calls PGM and PBM so too
MAX_BYTES = 25_000_000
MAX_PIXELS = 32_000_000
_TIFF = (b"II", b"MM")  # how Pillow's reader of TIFF files tells them
_STDERR = 2
VISIBLE = 0.25  # a spread of grey below this, once white paper lies below, is ink that was meant for black


def read_picture(source: Path | bytes, name: str = "standard input") -> Grey:
    """The picture in a file, upright and opaque.

    Args:
        source: the file, or what it contains.
        name: what error messages call it, where `source` is bytes.

    Returns:
        The luminance (height, width), from 0 (black) to 1 (white). Of an animation, the first frame.

    Raises:
        ImageError: the file can't be read, is of no known format, is damaged or is too large.
    """
    if isinstance(source, Path):
        return _decode(_read(source), str(source))
    return _decode(source, name)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path}: can't be read: {error.strerror or error}") from error


def _decode(content: bytes, name: str) -> Grey:
    if not content:
        raise ImageError(f"{name}: is empty")
    if len(content) > MAX_BYTES:
        raise ImageError(f"{name}: has more than {MAX_BYTES:,} bytes, the most that a picture may have")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata are no reason to refuse a picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _grey_of_file(content, name)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM)") from None
    except Exception as error:  # a decoder fails in as many ways as a file can be damaged
        raise ImageError(f"{name}: can't be decoded: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _grey_of_file(content: bytes, name: str) -> Grey:
    with _silence(content), Image.open(BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise ImageError(f"{name}: has {width:,}×{height:,} pixels; at most {MAX_PIXELS:,} are accepted")
        return to_grey(_upright(picture))


@contextmanager
def _silence(content: bytes) -> Iterator[None]:
    """Keeps libtiff from printing on stderr, past Python, what is wrong with a TIFF file: it says so by its result."""
    if not content.startswith(_TIFF):
        yield
        return
    try:
        kept = os.dup(_STDERR)
    except OSError:  # closed
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
    """The picture turned as its EXIF data say; as it is where they are damaged."""
    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # EXIF data are parsed lazily, and by hand: any error can come out
        return picture


def to_grey(picture: Image.Image) -> Grey:
    """The luminance of an opened picture of any of Pillow's modes, as `read_picture` returns it."""
    if picture.mode.startswith(("I", "F")):
        return _deep_grey(np.asarray(picture, np.float32), 1.0 if picture.mode == "F" else 65535.0)
    if picture.has_transparency_data:
        colour, alpha = picture.convert("RGBA").convert("LA").split()
        return flatten(_unit(colour), _unit(alpha))
    if picture.mode not in ("L", "1"):
        picture = picture.convert("RGB")  # CMYK, palettes and the like have luminance only as colours
    return _unit(picture.convert("L"))


def _unit(picture: Image.Image) -> Grey:
    unit: Grey = np.asarray(picture, np.float32) / np.float32(255)
    return unit


def _deep_grey(values: Grey, white: float) -> Grey:
    """Values of more than 8 bits, where `white` is 1; the largest value is, where it is larger than that."""
    finite = np.nan_to_num(values, nan=0.0, posinf=white, neginf=0.0)
    return np.asarray(np.clip(finite / max(white, finite.max()), 0, 1), np.float32)


def flatten(colour: Grey, alpha: Grey) -> Grey:
    """A transparent picture laid on white paper; on black, where its ink can't be seen on white."""
    on_white = colour * alpha + (1 - alpha)
    on_black: Grey = colour * alpha
    return on_white if np.ptp(on_white) >= VISIBLE else on_black
