"""The files that pictures come in: formats, depths and orientations.

Whatever the file, it shows the same: what its format can't hold apart (two levels, JPEG's losses).
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from bpcli.data.scenes.look import Bytes

ORIENTATION = 0x0112  # EXIF's tag
# What a camera that was held so has written down, for each orientation that it says: undone, it is upright
HELD = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def to_file(pixels: Bytes, file: str, orientation: int = 1) -> bytes:
    """The content of a picture's file.

    Args:
        pixels: the scene (h, w, 3), upright.
        file: one of `FILES`.
        orientation: what EXIF says, from 1 to 8; the pixels are turned so that the picture is upright again. Files
            that can't say it (GIF, BMP, PGM) hold the picture upright.
    """
    picture = Image.fromarray(pixels)
    if file not in WITH_EXIF:
        return FILES[file](picture, {})
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    held = HELD[orientation]
    return FILES[file](picture if held is None else picture.transpose(held), {"exif": exif})


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """The content of a picture's file."""
    content = BytesIO()
    picture.save(content, file_format, **options)
    return content.getvalue()


def two_levels(picture: Image.Image) -> Image.Image:
    """Black where a picture is darker than half-way between its darkest and lightest, else white: 1 bit."""
    grey = np.asarray(picture.convert("L"))
    return Image.fromarray(grey >= (int(grey.min()) + int(grey.max()) + 1) / 2)


def deep(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits."""
    return Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)


def see_through(picture: Image.Image) -> Image.Image:
    """As transparent as can be, and on white paper the same: RGBA."""
    light = np.asarray(picture, np.float32)
    alpha = 255 - light.min(axis=2, keepdims=True)
    colour = 255 - (255 - light) * 255 / np.maximum(alpha, 1)
    return Image.fromarray(np.rint(np.concatenate([colour, alpha], axis=2)).astype(np.uint8))


def see_through_grey(picture: Image.Image) -> Image.Image:
    """As `see_through`, but grey: LA, black ink of some opacity."""
    alpha = Image.fromarray(255 - np.asarray(picture.convert("L")))
    return Image.merge("LA", (Image.new("L", picture.size), alpha))


def _animated(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """With a second frame, which is blank."""
    return saved(
        picture, file_format, save_all=True, append_images=[Image.new(picture.mode, picture.size, 255)], **options
    )


Writer = Callable[[Image.Image, dict[str, Image.Exif]], bytes]
# Each writes a colour picture with what it is told to add
WITH_EXIF: dict[str, Writer] = {
    "1-bit png": lambda picture, more: saved(two_levels(picture), "PNG", **more),
    "grey png": lambda picture, more: saved(picture.convert("L"), "PNG", **more),
    "16-bit png": lambda picture, more: saved(deep(picture), "PNG", **more),
    "palette png": lambda picture, more: saved(picture.quantize(), "PNG", **more),
    "grey and alpha png": lambda picture, more: saved(see_through_grey(picture), "PNG", **more),
    "rgb png": lambda picture, more: saved(picture, "PNG", **more),
    "rgba png": lambda picture, more: saved(see_through(picture), "PNG", **more),
    "animated png": lambda picture, more: _animated(picture.convert("L"), "PNG", **more),
    "1-bit tiff": lambda picture, more: saved(two_levels(picture), "TIFF", compression="group4", **more),
    "cmyk tiff": lambda picture, more: saved(picture.convert("CMYK"), "TIFF", **more),
    "rgb webp": lambda picture, more: saved(picture, "WEBP", lossless=True, method=0, **more),
    "rgba webp": lambda picture, more: saved(see_through(picture), "WEBP", lossless=True, method=0, **more),
    "jpeg": lambda picture, more: saved(picture, "JPEG", quality=85, **more),
    "jpeg 30": lambda picture, more: saved(picture, "JPEG", quality=30, **more),
}
FILES: dict[str, Writer] = WITH_EXIF | {
    "animated gif": lambda picture, more: _animated(picture.convert("L"), "GIF"),
    "bmp": lambda picture, more: saved(picture, "BMP"),
    "pgm": lambda picture, more: saved(picture.convert("L"), "PPM"),
}
