"""Small pictures that travel inside a page: images and weights as PNG, in data URLs."""

import base64
import io
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bpcli.core.types import Array, Bytes

ACROSS = 32  # images in a row of a sheet
LEVELS = 16  # of grey: an image looks the same, and its picture is half as large


def image_url(image: Bytes) -> str:
    """One image (side²,), as it is in the data set."""
    return sheet_url(image[None], 1)


def sheet_url(images: Bytes, across: int = ACROSS) -> str:
    """Images (n, side²) side by side, so many in a row, the first at the top left."""
    grid = _grid(np.rint(images * ((LEVELS - 1) / 255)).astype(np.uint8), across)
    picture = Image.fromarray(grid).convert("P")
    picture.putpalette(np.repeat(np.linspace(0, 255, LEVELS).astype(np.uint8), 3).tobytes())
    return _data_url(picture, bits=4)


def weights_url(weights: Array) -> str:
    """The weights (side²,) of a unit: blue where a bright pixel speaks against it, white at zero, red where for it."""
    picture = Image.fromarray(_grid(diverging(weights)[None], 1)).convert("P")
    picture.putpalette(palette().tobytes())
    return _data_url(picture, bits=8)


def diverging(weights: Array) -> Bytes:
    """Weights as places in the palette: 127 at zero, 0 and 254 at the largest weight of either sign."""
    reach = float(abs(weights).max()) or 1.0
    places: Bytes = np.rint(127 + 127 * weights / reach).astype(np.uint8)
    return places


def palette() -> Bytes:
    """The colours (255, 3) from blue over white to red."""
    blue, white, red = np.array([[24, 78, 163], [250, 250, 250], [178, 36, 30]])
    share = np.linspace(0, 1, 128)[:, None]
    lower, upper = blue + (white - blue) * share, white + (red - white) * share
    colours: Bytes = np.rint(np.concatenate([lower, upper[1:]])).astype(np.uint8)
    return colours


def _grid(images: Bytes, across: int) -> NDArray[np.uint8]:
    """Images (n, side²) as one (rows·side, across·side); fewer across if there are fewer."""
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
