"""Contact sheets: many pictures in one image, each with a caption."""

from collections.abc import Sequence
from io import BytesIO
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

TILE = 84  # maximum side in pixels of an enlarged picture; larger pictures keep their size
CAPTION = 16  # pixels below each picture
GAP = 4
COLUMNS = 12
SOFTWARE = "bpcli sheet"
SHEET_MARK = rb"\x89PNG.*tEXtSoftware\0" + SOFTWARE.encode()  # matches the beginning of every sheet


def contact_sheet(images: NDArray[np.uint8], captions: Sequence[str]) -> bytes:
    """Return a PNG of images (n, side²) in rows of twelve, dark ink on white, each above its caption."""
    side = isqrt(images.shape[1])
    tile = side * zoom(side)
    rows = max(-(-len(images) // COLUMNS), 1)
    sheet = Image.new("L", (COLUMNS * (tile + GAP) + GAP, rows * (tile + CAPTION + GAP) + GAP), 255)
    draw = ImageDraw.Draw(sheet)
    for index, (pixels, caption) in enumerate(zip(images, captions, strict=True)):
        left = GAP + index % COLUMNS * (tile + GAP)
        top = GAP + index // COLUMNS * (tile + CAPTION + GAP)
        picture = Image.fromarray(255 - pixels.reshape(side, side)).resize((tile, tile), Image.Resampling.NEAREST)
        sheet.paste(picture, (left, top))
        draw.rectangle((left - 1, top - 1, left + tile, top + tile), outline=200)
        draw.text((left + tile / 2, top + tile + 2), _shortened(caption, draw, tile + GAP), fill=0, anchor="ma")
    content, about = BytesIO(), PngInfo()
    about.add_text("Software", SOFTWARE)
    sheet.save(content, "PNG", pnginfo=about)
    return content.getvalue()


def zoom(side: int) -> int:
    """Return the factor by which the sheet enlarges images of a side."""
    return max(TILE // side, 1)


def _shortened(text: str, draw: ImageDraw.ImageDraw, width: int) -> str:
    """Return the text, or its longest beginning that fits into `width` pixels with three dots."""
    if draw.textlength(text) <= width:
        return text
    return next((f"{text[:n]}..." for n in range(len(text), 0, -1) if draw.textlength(f"{text[:n]}...") <= width), "")
