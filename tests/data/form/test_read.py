"""Photographs of filled-in sheets become their cells; anything else is refused."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from benchmarks.sheets import shows
from bpcli.data.form.layout import Page, form
from bpcli.data.form.read import read_form
from bpcli.errors import ImageError
from tests.data.form.conftest import SHOT, Filled

DOTS = 4  # a millimetre of the sheet's picture


def refusal(picture: Image.Image, classes: tuple[str, ...] | None = None) -> str:
    with pytest.raises(ImageError) as error:
        read_form(picture, "photo.jpg", classes)
    return str(error.value)


def require_right(picture: Image.Image, sheet: Filled) -> None:
    reading = read_form(picture, "photo.jpg")
    assert reading.page == sheet.page
    assert {(cell.name, cell.row) for cell in reading.cells} == set(sheet.written)
    assert all(shows(cell, sheet.written[cell.name, cell.row]) for cell in reading.cells)
    assert (reading.empty, reading.hidden) == (30 - len(sheet.written), 0)


def test_a_bent_and_shaded_sheet_among_other_papers_is_read(photograph: Image.Image, sheet: Filled) -> None:
    require_right(photograph, sheet)


@pytest.mark.parametrize("turns", [1, 2])
def test_a_scan_is_read_whichever_way_it_lies(sheet: Filled, turns: int) -> None:
    require_right(sheet.picture.rotate(90 * turns, expand=True), sheet)


def test_cells_are_dark_ink_on_white_without_their_frame_in_grey_too(photograph: Image.Image, sheet: Filled) -> None:
    cells = read_form(photograph.convert("L").convert("RGB"), "").cells
    assert {(cell.name, cell.row) for cell in cells} == set(sheet.written)
    pixels = np.stack([cell.pixels for cell in cells])
    assert np.median(pixels) > 230
    assert np.mean(pixels.min(axis=(1, 2)) < 130) > 0.9
    edges = np.concatenate([pixels[:, :3].mean(axis=2), pixels[:, :, :3].mean(axis=1)])
    assert np.median(edges) > 230


def changed(sheet: Filled, *boxes: tuple[float, float, float, float]) -> Image.Image:
    """The printed sheet with white over some boxes of it, in millimetres."""
    picture = sheet.picture.copy()
    for box in boxes:
        ImageDraw.Draw(picture).rectangle([DOTS * edge for edge in box], "white")
    return picture


def test_a_missing_corner_is_refused(sheet: Filled) -> None:
    for x, y in sheet.page.marks():
        assert refusal(changed(sheet, (x - 3, y - 3, x + 8, y + 8))).startswith(
            "photo.jpg: no sheet of bpcli: 3 of its 4 corner marks can be seen; all must be in the picture"
        )


def test_a_damaged_or_mirrored_code_is_refused(sheet: Filled) -> None:
    left, top = sheet.page.code()
    complaint = (
        "photo.jpg: no sheet of bpcli: no code can be read between the marks; is it covered, blurred or mirrored?"
    )
    assert refusal(changed(sheet, (left + 40, top - 1, left + 60, top + 9))).startswith(complaint)
    assert refusal(ImageOps.mirror(sheet.picture)).startswith(complaint)


def test_a_grid_that_is_not_where_it_belongs_is_refused(sheet: Filled) -> None:
    grid = (0, 30 * DOTS, 210 * DOTS, 100 * DOTS)
    for down in (5, sheet.page.pitch):
        picture = changed(sheet, (0, 30, 210, 170))
        picture.paste(sheet.picture.crop(grid), (0, round((30 + down) * DOTS)))
        assert "of 30 frames can't be seen where they belong" in refusal(picture)


def test_a_few_covered_frames_are_left_out(sheet: Filled) -> None:
    left, top = sheet.page.cells()[0, 0]
    reading = read_form(changed(sheet, (left - 3, top - 3, left + 17, top + 17)), "")
    assert reading.hidden == 1
    assert ("0", 1) not in {(cell.name, cell.row) for cell in reading.cells}


def test_two_sheets_are_refused(sheet: Filled) -> None:
    width, height = sheet.picture.size
    both = Image.new("RGB", (2 * width + 40, height), (120, 90, 60))
    both.paste(sheet.picture, (0, 0))
    both.paste(sheet.picture, (width + 40, 0))
    assert refusal(both.reduce(2)) == "photo.jpg: shows more than one sheet; photograph each alone"


def test_pictures_of_other_things_are_refused(sheet: Filled) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    for picture in (Image.new("RGB", (40, 30)), Image.fromarray(noise), Image.new("RGB", (1, 1), "white")):
        assert "none of its corner marks can be seen" in refusal(picture)
    assert "corner marks can be seen" in refusal(sheet.shot(replace(SHOT, fill=1.4)))


def test_a_sheet_of_words_needs_them_again() -> None:
    from bpcli.data.form.draw import draw_page

    pages = form(("plus", "minus", *"abcdefghijkl"), 2, "letter")
    picture = draw_page(pages[1], DOTS)
    assert "give the --classes that it was made for" in refusal(picture)
    assert "made for other classes" in refusal(picture, ("minus", "plus"))
    assert read_form(picture, "", pages[1].classes).page == pages[1]


def test_a_single_cell_is_read() -> None:
    from bpcli.data.form.draw import draw_page

    page = Page(("x",), 1, "a4", 1)
    picture = draw_page(page, DOTS)
    left, top = page.cells()[0, 0]
    ImageDraw.Draw(picture).line([DOTS * edge for edge in (left + 4, top + 4, left + 12, top + 9)], "blue", 3)
    (cell,) = read_form(picture, "").cells
    assert (cell.name, cell.row) == ("x", 1)
