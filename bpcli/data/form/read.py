"""Reading of filled-in forms: from a photograph of a page to the pictures of its cells."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bpcli.data.form.code import page_of
from bpcli.data.form.find import Marks, Sighting, find_marks, find_pages
from bpcli.data.form.frames import Frames, find_frames
from bpcli.data.form.layout import INSET, Page, Points
from bpcli.data.form.plane import Matrix, flattened, moved
from bpcli.data.picture.scale import Grey
from bpcli.errors import ImageError

Bytes = NDArray[np.uint8]

SEARCHED = (1600, 3200)  # longest sides in pixels at which a page is looked for
SCALE = 8  # pixels a millimetre of the flattened page
STROKE = 7  # millimetres: wider dark parts are shadow
HIDDEN = 0.1  # largest share of the frames that may be hidden
DARK = 0.2  # share of the paper's light that ink takes away at least
LEAST = 0.6  # square millimetres of ink; less is a speck
MARKS = 4


class Cell(NamedTuple):
    """What was written into a cell.

    Attributes:
        name: the class of the cell.
        row: of the cell, from 1.
        pixels: (side, side), dark ink on white paper, without the frame.
    """

    name: str
    row: int
    pixels: Bytes


class Reading(NamedTuple):
    """A page that was read.

    Attributes:
        page: what was printed on it.
        cells: those with ink, by columns.
        empty: the number of the others.
        hidden: the number of those whose frame can't be seen; nothing is known of them.
    """

    page: Page
    cells: list[Cell]
    empty: int
    hidden: int


def read_form(photograph: Image.Image, name: str, classes: Sequence[str] | None = None) -> Reading:
    """Return the cells of the page that a photograph shows.

    Args:
        photograph: in RGB, turned in any way.
        name: of the photograph, for messages.
        classes: those of the form, where its code doesn't carry them.

    Raises:
        ImageError: there is no page, more than one, or one that can't be read with certainty.
    """
    sighting = _only_page(photograph, name)
    page = page_of(sighting.code, classes if classes is None else tuple(classes))
    if isinstance(page, str):
        raise ImageError(f"{name}: {page}")
    red, blue = _flat_grid(photograph, sighting.matrix, page)
    expected = (page.cells() - page.grid()[:2]).reshape(-1, 2)
    frames = find_frames(1 - blue / np.float32(255), expected, page.side, SCALE)
    hidden = int(np.count_nonzero(~frames.seen))
    if hidden > HIDDEN * frames.seen.size:
        raise ImageError(
            f"{name}: {hidden} of {frames.seen.size} frames can't be seen where they belong; lay the page flat, "
            "with nothing on it, and photograph it in colour"
        )
    written = _written(red, page, frames)
    return Reading(page, written, frames.seen.size - hidden - len(written), hidden)


def _only_page(photograph: Image.Image, name: str) -> Sighting:
    """Return the one page in a photograph, looked for in a shrunk picture first."""
    marks = Marks(np.empty((0, 2)), np.empty(0))
    for longest in SEARCHED:
        shrunk = photograph.convert("L")
        shrunk.thumbnail((longest, longest), Image.Resampling.BOX)
        marks = find_marks(shrunk)
        found = find_pages(shrunk, marks)
        if len(found) > 1:
            raise ImageError(f"{name}: shows more than one sheet; photograph each alone")
        if found:
            return _enlarged(found[0], photograph.width / shrunk.width, photograph.height / shrunk.height)
        if max(photograph.size) <= longest:
            break
    raise ImageError(f"{name}: {_lack(len(marks.sizes))}")


def _lack(marks: int) -> str:
    """Return why there is no page among some marks."""
    if marks < MARKS:
        seen = f"{marks} of its {MARKS} corner marks" if marks else "none of its corner marks"
        return f"no sheet of bpcli: {seen} can be seen; all must be in the picture, sharp and uncovered"
    return "no sheet of bpcli: no code can be read between the marks; is it covered, blurred or mirrored?"


def _enlarged(sighting: Sighting, across: float, down: float) -> Sighting:
    return sighting._replace(matrix=np.diag([across, down, 1]) @ sighting.matrix)


def _flat_grid(photograph: Image.Image, matrix: Matrix, page: Page) -> tuple[Grey, Grey]:
    """Return a page's grid in red and in blue light as a scanner would show it, 255 where there is bare paper."""
    factor = max(int(_pixels_a_millimetre(matrix, page) / SCALE), 1)
    reduced = np.diag([1 / factor, 1 / factor, 1]) @ matrix
    flat = flattened(photograph.reduce(factor), reduced, page.grid(), SCALE)
    red, _, blue = flat.split()
    return _on_white(red), _on_white(blue)


def _pixels_a_millimetre(matrix: Matrix, page: Page) -> float:
    """Return the mean number of a photograph's pixels along a millimetre of the page's sides."""
    there, here = moved(matrix, page.marks()), page.marks()
    lengths = [np.linalg.norm(np.roll(points, 1, axis=0) - points, axis=1) for points in (there, here)]
    return float(lengths[0].sum() / lengths[1].sum())


def _on_white(channel: Image.Image) -> Grey:
    """Return what is printed (h, w) divided by the light of the paper: a grey closing of square millimetres."""
    small = channel.reduce(SCALE).filter(ImageFilter.MaxFilter(STROKE)).filter(ImageFilter.MinFilter(STROKE))
    paper = small.filter(ImageFilter.GaussianBlur(2)).resize(channel.size, Image.Resampling.BILINEAR)
    light = np.asarray(channel, np.float32) / np.maximum(np.asarray(paper, np.float32), 8)
    return np.minimum(light * np.float32(255), np.float32(255))


def _written(red: Grey, page: Page, frames: Frames) -> list[Cell]:
    """Return the cells with ink, by columns."""
    columns = len(page.names)
    return [
        Cell(name, row + 1, pixels)
        for column, name in enumerate(page.names)
        for row in range(page.rows)
        if frames.seen[index := row * columns + column]
        and _has_ink(pixels := _cut(red, frames.corners[index], page.side))
    ]


def _cut(red: Grey, corner: Points, side: float) -> Bytes:
    """Return what lies inside of a frame."""
    left, top = np.rint((corner + INSET) * SCALE).astype(int)
    size = round((side - 2 * INSET) * SCALE)
    return np.rint(red[top : top + size, left : left + size]).astype(np.uint8)


def _has_ink(pixels: Bytes) -> bool:
    """Return whether something is written in a cell."""
    small = np.asarray(Image.fromarray(pixels).reduce(SCALE // 4), np.float32)
    return float(np.mean(small < 255 * (1 - DARK))) * (len(pixels) / SCALE) ** 2 >= LEAST
