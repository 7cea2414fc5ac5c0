"""Picture files of many formats, depths and orientations.

Each shows the same picture, except for what its format loses (two levels, JPEG compression).
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from bpcli.data.scenes.look import Bytes

ORIENTATION = 0x0112  # EXIF's tag
# For each EXIF orientation, the transposition of the stored pixels, which a viewer undoes
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
    """Return the content of a picture's file.

    Args:
        pixels: the scene (h, w, 3), upright.
        file: one of `FILES`.
        orientation: EXIF's, from 1 to 8; the stored pixels are transposed so that a viewer shows the scene upright.
            Formats without EXIF (GIF, BMP, PGM) store it upright.
    """
    picture = Image.fromarray(pixels)
    if file not in WITH_EXIF:
        return FILES[file](picture, {})
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    held = HELD[orientation]
    return FILES[file](picture if held is None else picture.transpose(held), {"exif": exif})


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """Return the content of a picture's file in a format of Pillow."""
    content = BytesIO()
    picture.save(content, file_format, **options)
    return content.getvalue()


def two_levels(picture: Image.Image) -> Image.Image:
    """Return a 1-bit picture: black below the mean of the darkest and the lightest value, else white."""
    grey = np.asarray(picture.convert("L"))
    return Image.fromarray(grey >= (int(grey.min()) + int(grey.max()) + 1) / 2)


def deep(picture: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits."""
    return Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)


def see_through(picture: Image.Image) -> Image.Image:
    """Return the most transparent RGBA picture that looks the same on white paper."""
    light = np.asarray(picture, np.float32)
    alpha = 255 - light.min(axis=2, keepdims=True)
    colour = 255 - (255 - light) * 255 / np.maximum(alpha, 1)
    return Image.fromarray(np.rint(np.concatenate([colour, alpha], axis=2)).astype(np.uint8))


def see_through_grey(picture: Image.Image) -> Image.Image:
    """Return the same in grey: an LA picture, black ink of varying opacity."""
    alpha = Image.fromarray(255 - np.asarray(picture.convert("L")))
    return Image.merge("LA", (Image.new("L", picture.size), alpha))


def _animated(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """Return the content of a file with a second, blank frame."""
    return saved(
        picture, file_format, save_all=True, append_images=[Image.new(picture.mode, picture.size, 255)], **options
    )


Writer = Callable[[Image.Image, dict[str, Image.Exif]], bytes]
# Each encodes a colour picture; `more` holds EXIF data
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
