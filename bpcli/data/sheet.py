"""Contact sheets: many 28×28 pictures on one, each with a caption."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ZOOM = 3
TILE = 28 * ZOOM
CAPTION = 16  # pixels below each picture
GAP = 4
COLUMNS = 12


def contact_sheet(images: NDArray[np.uint8], captions: Sequence[str]) -> bytes:
    """A PNG of images (n, 784), in rows of twelve, dark ink on white, each above its caption."""
    rows = max(-(-len(images) // COLUMNS), 1)
    sheet = Image.new("L", (COLUMNS * (TILE + GAP) + GAP, rows * (TILE + CAPTION + GAP) + GAP), 255)
    draw = ImageDraw.Draw(sheet)
    for index, (pixels, caption) in enumerate(zip(images, captions, strict=True)):
        left = GAP + index % COLUMNS * (TILE + GAP)
        top = GAP + index // COLUMNS * (TILE + CAPTION + GAP)
        tile = Image.fromarray(255 - pixels.reshape(28, 28)).resize((TILE, TILE), Image.Resampling.NEAREST)
        sheet.paste(tile, (left, top))
        draw.rectangle((left - 1, top - 1, left + TILE, top + TILE), outline=200)
        draw.text((left + TILE / 2, top + TILE + 2), caption, fill=0, anchor="ma")
    content = BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()
