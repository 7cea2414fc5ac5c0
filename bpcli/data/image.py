"""Pictures made into what the network knows: 28×28, white ink on black, as MNIST itself was made."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bpcli.errors import ImageError

Bytes = NDArray[np.uint8]

SIDE = 28  # pixels of MNIST's pictures
BOX = 20  # pixels of the square into which MNIST scaled each digit
MOST_PIXELS = 32_000_000
MOST_BYTES = 25_000_000
BLANK = 32  # levels of grey; a picture that spans fewer shows nothing
FAINT = 0.2  # of the picture's span: what stands out less from the background is no ink


def read_digit(path: Path) -> Bytes:
    """The digit in a picture file, as `normalize_digit` makes it.

    Raises:
        ImageError: the file can't be read as a picture, is too large, or is blank.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImageError(f"{path}: larger than {MOST_BYTES // 10**6} MB, which no picture of a digit needs to be")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata are no reason to refuse a picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            grey = _open_grey(path)
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not a picture of a format that Pillow reads") from None
    except ImageError:
        raise
    except OSError as error:
        raise ImageError(f"{path}: can't be read: {error.strerror or error}") from error
    except Exception as error:  # decoders fail in as many ways as there are damaged files
        raise ImageError(f"{path}: can't be decoded: {' '.join(str(error).split())}") from error
    if int(grey.max()) - int(grey.min()) < BLANK:
        raise ImageError(f"{path}: is blank: nothing stands out from the background")
    return normalize_digit(grey)


def _open_grey(path: Path) -> Bytes:
    """The picture upright, opaque (on white) and grey: (height, width)."""
    with Image.open(path) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise ImageError(f"{path}: has {width:,}×{height:,} pixels; at most {MOST_PIXELS:,} are accepted")
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I"):  # 16 bits
            return np.rint(np.asarray(upright, float).clip(0, 65535) / 257).astype(np.uint8)
        if upright.has_transparency_data:
            colours = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
        return np.asarray(upright.convert("RGB").convert("L"), np.uint8)


def normalize_digit(grey: Bytes) -> Bytes:
    """The digit of a grey picture (height, width), as MNIST was made: (28, 28), white ink on black.

    Dark ink on light paper is inverted; the ink's bounding box is scaled so that its longer side is 20 pixels, and
    placed so that its centre of mass lies in the middle (LeCun, Bottou, Bengio, Haffner 1998). A picture of 28×28
    whose border is empty is taken to be so already.
    """
    ink = 255 - grey if _border(grey).mean() > (int(grey.max()) + int(grey.min())) / 2 else grey
    if ink.shape == (SIDE, SIDE) and np.median(_border(ink)) == 0:
        return ink
    ink = _without_background(ink)
    return _centred(_scaled(_cropped(ink)))


def _border(grey: Bytes) -> Bytes:
    """The outermost pixels, where there is seldom ink."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _without_background(ink: Bytes) -> Bytes:
    """The ink stretched to 0…255; the background, taken from the border, and what is faint become 0."""
    low, high = float(np.median(_border(ink))), float(ink.max())
    strength = np.clip((ink - low) / max(high - low, 1), 0, 1)
    strength[strength < FAINT] = 0
    stretched: Bytes = np.rint(255 * strength).astype(np.uint8)
    return stretched


def _cropped(ink: Bytes) -> Bytes:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scaled(ink: Bytes) -> Bytes:
    """The ink with its longer side at 20 pixels, by an area filter."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize(size, resampling), np.uint8)


def _centred(ink: Bytes) -> Bytes:
    """The ink in 28×28, its centre of mass as near to pixel (14, 14) as whole pixels and the margins allow.

    There it lies in MNIST: at 13.99 and 14.01 in the mean of the test digits.
    """
    weights = ink.astype(float)
    offsets = []
    for axis, size in enumerate(ink.shape):
        mass = weights.sum(axis=1 - axis)
        centre = float(mass @ np.arange(size) / mass.sum())
        offsets.append(min(max(round(SIDE / 2 - centre), 0), SIDE - size))
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[offsets[0] : offsets[0] + ink.shape[0], offsets[1] : offsets[1] + ink.shape[1]] = ink
    return pixels
