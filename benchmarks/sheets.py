"""How sheets that were filled in are read from photographs, and whether pictures of anything else are refused.

    python benchmarks/sheets.py [--sheets 200] [--others 50] [--seed 1000] [--failures FOLDER]

Digits of MNIST's test images are written into the cells of a sheet with pens of several colours, every tenth cell is
left empty, and the sheet is photographed by `bpcli/data/scenes/desk.py`, which knows nothing of sheets. A cell is right
if it is under its class and row and shows what was written there, or if it is empty and nothing is there. A grid is
wrong if a cell shows anything else than was written into it. `read` is the share of the digits, in every fourth sheet,
that the network sees right that comes with bpcli. With --failures, FOLDER gets the photographs that went wrong.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from bpcli import resources
from bpcli.data.datasets import Split, read_split
from bpcli.data.form.draw import draw_page
from bpcli.data.form.layout import INSET, Page, form
from bpcli.data.form.read import Cell, Reading, read_form
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import to_rgb
from bpcli.data.scenes.desk import Shot, any_shot, photographed
from bpcli.data.scenes.kinds import scene
from bpcli.data.spec import DIGITS
from bpcli.errors import ImageError
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.storage.find import PRETRAINED, find_network

Bytes = NDArray[np.uint8]
Written = dict[tuple[str, int], Bytes]  # what stands in each cell (class, row) that is not empty: (h, w)

DOTS = 8  # pixels a millimetre of the printed page
EMPTY = 0.1  # share of the cells
SIZES = (0.75, 1.0)  # of a digit's square, as shares of the cell's inside
PENS = ((20, 20, 20), (25, 35, 120), (60, 60, 70), (10, 60, 50), (95, 95, 95))  # the last is a pencil
PREDICTED = 4  # one of so many sheets is read by the network
ALIKE = 0.7  # correlation of a cell with what was written into it


@dataclass(frozen=True, slots=True)
class Count:
    """What became of some sheets' cells."""

    sheets: int = 0
    cells: int = 0
    right: int = 0
    written: int = 0
    read: int = 0
    refused: int = 0
    wrong_grids: int = 0
    seconds: float = 0.0

    def plus(self, other: "Count") -> "Count":
        """The sum of both."""
        return Count(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def filled(page: Page, digits: Split, rng: Generator, dots: float = DOTS) -> tuple[Image.Image, Written]:
    """A page with digits in its cells, and what was written; its classes are digits."""
    picture = draw_page(page, dots)
    pen = PENS[rng.integers(len(PENS))]
    written: Written = {}
    for row, column in np.ndindex(page.rows, len(page.names)):
        if rng.random() < EMPTY:
            continue
        name = page.names[column]
        digit = digits.images[rng.choice(np.flatnonzero(digits.labels == int(name)))].reshape(28, 28)
        inside = _inside(page, row, column, dots)
        side = int((inside[2] - inside[0]) * rng.uniform(*SIZES))
        left, top = (int(rng.integers(low, high - side + 1)) for low, high in (inside[0::2], inside[1::2]))
        ink = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
        picture.paste(Image.new("RGB", (side, side), pen), (left, top), ink)
        written[name, row + 1] = np.asarray(picture.crop(inside).convert("L"))
    return picture, written


def _inside(page: Page, row: int, column: int, dots: float) -> tuple[int, int, int, int]:
    """The edges of a cell's inside in pixels: left, top, right, bottom."""
    left, top = page.cells()[row, column] + INSET
    side = page.side - 2 * INSET
    return round(left * dots), round(top * dots), round((left + side) * dots), round((top + side) * dots)


def opened(photograph: bytes) -> Image.Image:
    """The picture in a photograph's file, upright."""
    return to_rgb(ImageOps.exif_transpose(Image.open(BytesIO(photograph))))


def shows(cell: Cell, written: Bytes) -> bool:
    """Whether a cell shows what was written there: their correlation on 28 × 28 pixels."""
    one, two = (Image.fromarray(each).resize((28, 28), Image.Resampling.BOX) for each in (cell.pixels, written))
    return float(np.corrcoef(np.asarray(one).ravel(), np.asarray(two).ravel())[0, 1]) >= ALIKE


def digit_of(model: Model, cell: Cell) -> str | None:
    """The digit that a network sees in a cell."""
    pixels = prepare(np.asarray(cell.pixels / 255, np.float32)).pixels
    return None if pixels is None else DIGITS[int(model.scores(pixels.reshape(1, -1)).argmax())]


def count(page: Page, written: Written, reading: Reading, model: Model | None) -> Count:
    """What became of the cells of a sheet that was read; without a network, it predicts nothing."""
    found = {(cell.name, cell.row): cell for cell in reading.cells}
    there = [place for place in written if place in found and shows(found[place], written[place])]
    cells = page.rows * len(page.names)
    right = len(there) + cells - len(written) - len(found.keys() - written.keys()) - reading.hidden
    other = [place for place in found if place not in there]
    wrong = reading.page != page or len(other) > 0
    if model is None:
        return Count(1, cells, right, wrong_grids=wrong)
    read = sum(digit_of(model, found[place]) == place[0] for place in there)
    return Count(1, cells, right, len(written), read, wrong_grids=wrong)


Change = Callable[[Shot, Generator], Shot]
KINDS: dict[str, tuple[float, Change]] = {  # name: how many of the sheets, and how the shot differs
    "photographs": (1.0, lambda shot, rng: shot),
    "in grey": (0.1, lambda shot, rng: replace(shot, file="grey png")),
    "bent by 3 mm": (0.1, lambda shot, rng: replace(shot, bend=3 / 297)),
    "12 megapixels": (0.025, lambda shot, rng: replace(shot, width=4000, height=3000, blur=2.5 * shot.blur)),
    "1 megapixel": (0.1, lambda shot, rng: replace(shot, width=1200, height=900, blur=0.75 * shot.blur, fill=0.95)),
}


def measure(kind: str, sheets: int, seed: int, digits: Split, model: Model, failures: Path | None) -> Count:
    """What became of some sheets of a kind."""
    total = Count()
    for index in range(sheets):
        rng = np.random.default_rng((seed, list(KINDS).index(kind), index))
        page = form(DIGITS, 10, str(rng.choice(["a4", "letter"])))[0]
        picture, written = filled(page, digits, rng)
        photograph = photographed(picture, KINDS[kind][1](any_shot(rng), rng), rng)
        image, before = opened(photograph), time.perf_counter()
        try:
            reading = read_form(image, f"{kind} {index}")
            seconds = time.perf_counter() - before
            found = replace(count(page, written, reading, None if index % PREDICTED else model), seconds=seconds)
        except ImageError as error:
            print(error)
            found = Count(1, page.rows * len(page.names), refused=1)
        total = total.plus(found)
        if failures is not None and found.right < found.cells:
            (failures / f"{kind}-{index}.jpg").write_bytes(photograph)
    return total


def a_sheet(digits: Split, rng: Generator) -> Image.Image:
    """A filled-in sheet."""
    return filled(form(DIGITS, 10, "a4")[0], digits, rng)[0]


def corner_covered(digits: Split, rng: Generator) -> bytes:
    """A sheet with a thumb on one of its marks."""
    picture, corner = a_sheet(digits, rng), form(DIGITS, 10, "a4")[0].marks()[rng.integers(4)] * DOTS
    ImageDraw.Draw(picture).ellipse((*(corner - 80), *(corner + 80)), (190, 150, 130))
    return photographed(picture, any_shot(rng), rng)


def code_covered(digits: Split, rng: Generator) -> bytes:
    """A sheet with a scrap of paper on its code."""
    picture, left = a_sheet(digits, rng), int(rng.integers(300, 1200))
    ImageDraw.Draw(picture).rectangle((left, picture.height - 240, left + 100, picture.height - 60), (250, 250, 250))
    return photographed(picture, any_shot(rng), rng)


def frames_covered(digits: Split, rng: Generator) -> bytes:
    """A sheet with another paper on its frames."""
    picture = a_sheet(digits, rng)
    ImageDraw.Draw(picture).rectangle((250, 500, 1450, 1300), (235, 230, 220))
    return photographed(picture, any_shot(rng), rng)


def frames_moved(digits: Split, rng: Generator) -> bytes:
    """A sheet whose frames are not where its code says."""
    picture = a_sheet(digits, rng)
    picture.paste(picture.crop((0, 300, picture.width, 2000)), (0, 300 + int(rng.integers(40, 80))))
    return photographed(picture, any_shot(rng), rng)


def cut_off(digits: Split, rng: Generator) -> bytes:
    """A sheet that is larger than its photograph."""
    return photographed(a_sheet(digits, rng), replace(any_shot(rng), fill=float(rng.uniform(1.25, 1.6))), rng)


def mirrored(digits: Split, rng: Generator) -> bytes:
    """A sheet in a mirror."""
    return photographed(ImageOps.mirror(a_sheet(digits, rng)), any_shot(rng), rng)


def two_sheets(digits: Split, rng: Generator) -> bytes:
    """Two sheets side by side."""
    one, other = a_sheet(digits, rng), a_sheet(digits, rng)
    both = Image.new("RGB", (2 * one.width + 100, one.height), (90, 90, 90))
    both.paste(one, (0, 0))
    both.paste(other, (one.width + 100, 0))
    return photographed(both, any_shot(rng), rng)


def marks_alone(digits: Split, rng: Generator) -> bytes:
    """The four marks with nothing between them."""
    picture = a_sheet(digits, rng)
    ImageDraw.Draw(picture).rectangle((210, 0, 1460, 2376), "white")
    return photographed(picture, any_shot(rng), rng)


def text(digits: Split, rng: Generator) -> bytes:
    """A page of text."""
    picture = Image.new("RGB", (1680, 2376), "white")
    for line in range(100, 2300, 24):
        ImageDraw.Draw(picture).text((100, line), "".join(map(chr, rng.integers(33, 127, 220))), (30, 30, 30))
    return photographed(picture, any_shot(rng), rng)


def digit(digits: Split, rng: Generator) -> bytes:
    """A photograph of a single digit."""
    index = int(rng.integers(len(digits)))
    return scene("photograph", digits.images[index].reshape(28, 28), index)


OTHERS = (
    corner_covered, code_covered, frames_covered, frames_moved, cut_off, mirrored, two_sheets, marks_alone, text, digit,
)  # fmt: skip


def refusals(number: int, seed: int, digits: Split, failures: Path | None) -> None:
    """Print for each kind of other pictures how many are refused."""
    for order, picture in enumerate(OTHERS):
        name, shown = picture.__name__.replace("_", " "), len(range(order, number, len(OTHERS)))
        refused, reason = 0, ""
        for index in range(shown):
            photograph = picture(digits, np.random.default_rng((seed, 99, order, index)))
            try:
                read_form(opened(photograph), "")
                if failures is not None:
                    (failures / f"{name}-{index}.jpg").write_bytes(photograph)
            except ImageError as error:
                refused, reason = refused + 1, str(error)
        print(f"{name:18}{shown:4}{refused:9}  {reason.removeprefix(': ')}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=int, default=200)
    parser.add_argument("--others", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--failures", type=Path)
    chosen = parser.parse_args()
    if chosen.failures is not None:
        chosen.failures.mkdir(parents=True, exist_ok=True)
    digits = read_split(resources.mnist(), "test", 0)
    model = checkpoint.load(find_network(PRETRAINED)).model
    head = "sheets", "cells", "right", "wrong grids", "refused", "read", "seconds"
    print(f"{'':18}" + "".join(f"{name:>12}" for name in head))
    for kind, (share, _) in KINDS.items():
        n = round(chosen.sheets * share)
        found = measure(kind, n, chosen.seed, digits, model, chosen.failures) if n else Count()
        if n:
            figures = found.right / found.cells, found.wrong_grids, found.refused, found.read / max(found.written, 1)
            print(f"{kind:18}{n:12}{found.cells:12,}{figures[0]:12.3%}{figures[1]:12}{figures[2]:12}"
                  f"{figures[3]:12.2%}{found.seconds / n:12.2f}", flush=True)  # fmt: skip
    print(f"\n{'no whole sheet':18}{'':4}{'refused':>9}")
    refusals(chosen.others, chosen.seed, digits, chosen.failures)


if __name__ == "__main__":
    main()
