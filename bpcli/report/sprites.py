"""Small pictures embedded in a page: images and weights as PNG in data URLs."""

import base64
import io
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.core.types import Array, Bytes

ACROSS = 32  # images in a row of a sheet
LEVELS = 16  # of grey: images look the same, and their PNG files are half as large


def image_url(image: Bytes) -> str:
    """Return a data URL of one image (side²,), as in the data set."""
    return sheet_url(image[None], 1)


def sheet_url(images: Bytes, across: int = ACROSS) -> str:
    """Return a data URL of images (n, side²), `across` in a row, the first at the top left."""
    grid = _grid(np.rint(images * ((LEVELS - 1) / 255)).astype(np.uint8), across)
    picture = Image.fromarray(grid).convert("P")
    picture.putpalette(np.repeat(np.linspace(0, 255, LEVELS).astype(np.uint8), 3).tobytes())
    return _data_url(picture, bits=4)


def exact_url(images: Bytes, across: int = ACROSS) -> str:
    """Return a data URL of images as `sheet_url`, with every level of grey."""
    return _data_url(Image.fromarray(_grid(images, across)), bits=8)


def weights_url(weights: Array) -> str:
    """Return a data URL of a unit's weights (side²,): negative in blue, zero in white, positive in red."""
    picture = Image.fromarray(_grid(diverging(weights)[None], 1)).convert("P")
    picture.putpalette(palette().tobytes())
    return _data_url(picture, bits=8)


def diverging(weights: Array) -> Bytes:
    """Return the weights' indices in the palette: 127 for zero, 0 and 254 for minus and plus the largest |weight|."""
    reach = float(abs(weights).max()) or 1.0
    places: Bytes = np.rint(127 + 127 * weights / reach).astype(np.uint8)
    return places


def palette() -> Bytes:
    """Return the colours (255, 3) from blue over white to red."""
    blue, white, red = np.array([[24, 78, 163], [250, 250, 250], [178, 36, 30]])
    share = np.linspace(0, 1, 128)[:, None]
    lower, upper = blue + (white - blue) * share, white + (red - white) * share
    colours: Bytes = np.rint(np.concatenate([lower, upper[1:]])).astype(np.uint8)
    return colours


def _grid(images: Bytes, across: int) -> NDArray[np.uint8]:
    """Return images (n, side²) as one image (rows·side, across·side); narrower if there are fewer than `across`."""
    side = isqrt(images.shape[1])
    across = min(across, len(images))
    rows = -(-len(images) // across)
    whole = np.zeros((rows * across, side, side), np.uint8)
    whole[: len(images)] = images.reshape(-1, side, side)
    return whole.reshape(rows, across, side, side).swapaxes(1, 2).reshape(rows * side, across * side)


def _data_url(picture: Image.Image, bits: int) -> str:
    content = io.BytesIO()
    picture.save(content, "PNG", bits=bits, optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
