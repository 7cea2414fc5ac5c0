"""Grey pictures as PNG files."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def to_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of grey pixels (h, w)."""
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()
