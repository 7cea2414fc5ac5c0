"""The pages of a form as pictures and as a PDF to print."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bpcli.data.drawn.fonts import folder
from bpcli.data.form.code import encode, runs_of
from bpcli.data.form.layout import BIT, FRAME, MARGIN, MARK, MODULE, Page, Points, mark_modules

DOTS = 300 / 25.4  # a millimetre
INCH = 25.4
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
PALE, ORANGE = (255, 205, 150), (255, 140, 60)  # of frames and names: in red light both are as white as the paper
TITLE, SMALL, NAME, SMALL_NAME = 4.2, 3.0, 6.0, 2.4  # sizes of the fonts in millimetres
_ASK = "Write one character into each frame, with a dark pen."
_THEN = "Photograph the whole page, with its four corners. Then: "


def to_pdf(pages: list[Page]) -> bytes:
    """Return a PDF of the pages in their true size; the same bytes for the same pages."""
    first, *others = [draw_page(page) for page in pages]
    content = BytesIO()
    first.save(
        content, "PDF", save_all=True, append_images=others, resolution=DOTS * INCH, quality=90, subsampling=0,
        title="Sheet to fill in", producer="bpcli", creationDate=None, modDate=None,
    )  # fmt: skip
    return content.getvalue()


def draw_page(page: Page, dots: float = DOTS) -> Image.Image:
    """Return a picture of a page in RGB, with some dots a millimetre."""
    picture = Image.new("RGB", (round(page.size[0] * dots), round(page.size[1] * dots)), WHITE)
    draw = ImageDraw.Draw(picture)
    for middle in page.marks():
        _squares(draw, middle - MARK / 2, mark_modules(), MODULE, dots)
    _squares(draw, np.array(page.code()), encode(page), BIT, dots)
    _instructions(draw, page, dots)
    for column in range(len(page.names)):
        _cells(draw, page, column, dots)
    return picture


def _squares(draw: ImageDraw.ImageDraw, corner: Points, black: NDArray[np.bool_], side: float, dots: float) -> None:
    """Draw the black ones of some squares (rows, columns) below and right of a corner (2,)."""
    for place in np.argwhere(black)[:, ::-1]:
        left, top = np.rint((corner + place * side) * dots)
        right, bottom = np.rint((corner + (place + 1) * side) * dots)
        draw.rectangle((left, top, right - 1, bottom - 1), BLACK)


def _instructions(draw: ImageDraw.ImageDraw, page: Page, dots: float) -> None:
    """Print what to do, between the marks at the top."""
    option = "" if runs_of(page.classes) else " --classes ..."
    command = f"bpcli sheet --read{option} photo.jpg -o mine"
    top = MARGIN + 0.5
    for text, size in ((_ASK, TITLE), (_THEN + command, SMALL), (f"page {page.number} of {page.pages}", SMALL)):
        draw.text((page.size[0] / 2 * dots, top * dots), text, BLACK, _font(text, size * dots), anchor="ma")
        top += 1.4 * size


def _cells(draw: ImageDraw.ImageDraw, page: Page, column: int, dots: float) -> None:
    """Draw a column of frames, with its class's name large above it and small above each frame but the first."""
    name, half = page.names[column], round(FRAME / 2 * dots)
    for row, corner in enumerate(page.cells()[:, column]):
        left, top, right, bottom = (round(edge * dots) for edge in (*corner, *(corner + page.side)))
        draw.rectangle((left - half, top - half, right + half, bottom + half), WHITE, PALE, 2 * half + 1)
        size, colour = (SMALL_NAME, ORANGE) if row else (NAME, BLACK)
        font = _font(name, size * dots, page.side * dots)
        draw.text(((left + right) / 2, top - (FRAME + 0.3) * dots), name, colour, font, anchor="ms")


def _font(text: str, size: float, width: float = np.inf) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font that has all characters of a text, in which it is at most some pixels wide.

    Raises:
        ConfigError: Matplotlib's fonts are needed and missing.
    """
    file = None if text.isascii() else folder("names beyond ASCII") / "DejaVuSans.ttf"
    font = _font_of(file, size)
    length = font.getlength(text)
    return font if length <= width else _font_of(file, size * width / length)


def _font_of(file: Path | None, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)
