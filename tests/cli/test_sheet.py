"""`bpcli sheet`: from the PDF over a photograph to a folder of pictures by class."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image, ImageDraw

from bpcli.data.form.draw import draw_page
from bpcli.data.form.layout import Page, form

DOTS = 4  # a millimetre


@pytest.fixture(scope="module")
def scan() -> bytes:
    """A scan of a sheet of a and b, one line in the first cell of each, in a file that EXIF turns upright."""
    (page,) = form(("a", "b"), 2, "letter")
    picture = draw_page(page, DOTS)
    for left, top in page.cells()[0]:
        ImageDraw.Draw(picture).line([DOTS * edge for edge in (left + 6, top + 3, left + 9, top + 14)], "black", 4)
    exif, content = Image.Exif(), BytesIO()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(content, "JPEG", quality=90, exif=exif)
    return content.getvalue()


def jpegs(pdf: bytes) -> list[Image.Image]:
    """The pictures on the pages of a PDF."""
    return [Image.open(BytesIO(b"\xff\xd8\xff" + rest)) for rest in pdf.split(b"stream\n\xff\xd8\xff")[1:]]


def test_a_pdf_has_the_pages_in_their_size(bpcli: Callable[..., Result]) -> None:
    result = bpcli("sheet", "--classes", "A-N", "--rows", "3", "--paper", "letter", "letters.pdf")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "letters.pdf has 2 pages of 215.9 × 279.4 mm to print\n"
    content = Path("letters.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    first, second = jpegs(content)
    assert content.count(b"/MediaBox [ 0 0 612") == 2  # points
    assert first.size == second.size == (2550, 3300)
    expected = draw_page(Page(tuple("ABCDEFGHIJKLMN"), 3, "letter", 2))
    small, expected_small = (np.asarray(each.reduce(8), np.int16) for each in (second, expected))
    assert abs(small - expected_small).max() < 20


def test_names_that_have_no_room_in_the_code_are_asked_for_again(bpcli: Callable[..., Result]) -> None:
    result = bpcli("sheet", "--classes", "yes,no", "sheet.pdf")
    assert result.exit_code == 0
    assert result.stderr == "its code has no room for the names of the classes: --read will need the same --classes\n"


def test_cells_become_a_folder_of_pictures_by_class(bpcli: Callable[..., Result], scan: bytes) -> None:
    Path("my scan.jpg").write_bytes(scan)
    result = bpcli("sheet", "--read", "my scan.jpg", "-o", "mine")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == ("my scan.jpg: page 1 of 1, 2 of 4 cells are filled; look at mine/sheet-my scan.png\n")
    found = sorted(path.relative_to("mine").as_posix() for path in Path("mine").rglob("*.png"))
    assert found == ["a/my scan-01.png", "b/my scan-01.png", "sheet-my scan.png"]
    pixels = np.asarray(Image.open("mine/a/my scan-01.png"))
    assert pixels.ndim == 2
    assert pixels[: len(pixels) // 2, : len(pixels) // 4].min() > 200  # upright: the line runs down the middle
    assert pixels.min() < 60


def test_what_was_written_is_replaced_by_force_alone(bpcli: Callable[..., Result], scan: bytes) -> None:
    Path("scan.jpg").write_bytes(scan)
    read = ("sheet", "--read", "scan.jpg", "-o", "mine")
    assert bpcli(*read).exit_code == 0
    Path("mine/b/scan-01.png").write_text("mine")
    Path("mine/a/scan-01.png").unlink()
    result = bpcli(*read)
    assert (result.exit_code, result.stderr) == (8, "Error: mine/b/scan-01.png: exists; --force replaces it\n")
    assert not Path("mine/a/scan-01.png").exists()
    assert bpcli(*read, "--force").exit_code == 0
    assert Path("mine/b/scan-01.png").read_bytes().startswith(b"\x89PNG")


def test_a_photograph_that_is_refused_does_not_stop_the_others(bpcli: Callable[..., Result], scan: bytes) -> None:
    Path("scan.jpg").write_bytes(scan)
    Image.new("L", (30, 30)).save("other.png")
    Path("text.jpg").write_text("text")
    result = bpcli("sheet", "--read", "other.png", "text.jpg", "nowhere.jpg", "scan.jpg", "-o", "mine")
    assert result.exit_code == 5
    assert result.stdout.startswith("scan.jpg: page 1 of 1")
    other, text, nowhere = result.stderr.splitlines()
    assert other.startswith("Error: other.png: no sheet of bpcli: none of its corner marks can be seen")
    assert text.startswith("Error: text.jpg: not a picture of a known format")
    assert nowhere.startswith("Error: nowhere.jpg: can't be read")


def test_an_empty_sheet_makes_no_folder(bpcli: Callable[..., Result]) -> None:
    draw_page(Page(("a",), 1, "a4", 1), DOTS).save("empty.png")
    result = bpcli("sheet", "--read", "empty.png", "-o", "mine")
    assert (result.exit_code, result.stderr) == (5, "Error: empty.png: nothing is written in its cells\n")
    assert not Path("mine").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 2, "Missing argument 'SHEET.pdf|PHOTO...'"),
        (("a.png",), 2, "a.png: expected one PDF to write, such as digits.pdf; --read takes photographs"),
        (("a.pdf", "b.pdf"), 2, "expected one PDF"),
        (("--read", "a.jpg"), 2, "--read needs -o and the folder for the cells, as in: -o mine"),
        (("--read", "a.jpg", "-o", "mine", "--rows", "3"), 2, "--rows makes no sense here: the sheet itself says that"),
        (("a.pdf", "-o", "mine"), 2, "-o makes no sense here: it belongs to --read"),
        (
            ("--read", "x/a.jpg", "y/A.png", "-o", "mine"),
            2,
            "x/a.jpg and y/A.png: the cells are named after",
        ),
        (("a.pdf", "--rows", "21"), 2, "21 is not in the range 1<=x<=20"),
        (("a.pdf", "--classes", "a,A"), 2, "a and A differ by case only"),
        (("nowhere/a.pdf",), 8, "nowhere/a.pdf: can't be written"),
    ],
)
def test_a_mistake_is_named(
    bpcli: Callable[..., Result], arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    result = bpcli("sheet", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert not list(Path().iterdir())


def test_an_existing_pdf_is_kept(bpcli: Callable[..., Result]) -> None:
    Path("a.pdf").write_text("mine")
    result = bpcli("sheet", "a.pdf")
    assert (result.exit_code, result.stderr) == (8, "Error: a.pdf: exists; --force replaces it\n")
    assert Path("a.pdf").read_text() == "mine"
