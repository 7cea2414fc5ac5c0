"""`bpcli augment` from the outside: the sheet, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.sheet import CAPTION, COLUMNS, GAP, TILE, zoom

DISTORTING = ("-s", "augment.rotation=15", "-s", "augment.elastic_alpha=36", "-s", "augment.stroke=0.5")


def tiles(path: Path) -> list[NDArray[np.uint8]]:
    """The pictures of a sheet, light ink on black as in MNIST, without the empty places after the last."""
    with Image.open(path) as sheet:
        pixels = 255 - np.asarray(sheet)
    lefts = range(GAP, pixels.shape[1] - TILE, TILE + GAP)
    tops = range(GAP, pixels.shape[0] - TILE, TILE + CAPTION + GAP)
    found = [pixels[top : top + TILE : zoom(28), left : left + TILE : zoom(28)] for top in tops for left in lefts]
    while not found[-1].any():
        found.pop()
    return found


def test_each_original_stands_before_its_distorted_copies(bpcli: Callable[..., Result]) -> None:
    from bpcli import resources
    from bpcli.data.datasets import read_split

    result = bpcli("augment", "-n", "30", *DISTORTING, "sheet.png")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the sheet is sheet.png\n", "")
    found = tiles(Path("sheet.png"))
    assert len(found) == 33
    originals = read_split(resources.mnist(), "train", 0).images[:3].reshape(-1, 28, 28)
    for row, original in enumerate(originals):
        assert np.array_equal(found[COLUMNS * row], original)
        copies = {tile.tobytes() for tile in found[COLUMNS * row + 1 : COLUMNS * (row + 1)]}
        assert len(copies) == len(found[COLUMNS * row + 1 : COLUMNS * (row + 1)])
        assert original.tobytes() not in copies


def test_what_distorts_nothing_is_drawn_and_said(bpcli: Callable[..., Result], small_settings: list[str]) -> None:
    settings = [part for setting in small_settings for part in ("-s", setting)]
    result = bpcli("augment", "-n", "1", *settings, "sheet.png")
    assert result.exit_code == 0
    assert result.stderr == "Warning: default distorts nothing; for example -s augment.rotation=15 does\n"
    original, copy = tiles(Path("sheet.png"))
    assert np.array_equal(original, copy)


def test_each_form_stands_before_drawings_of_it(bpcli: Callable[..., Result]) -> None:
    from bpcli.data.drawn import hands

    result = bpcli("augment", "--hands", "sheet.png")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the sheet is sheet.png\n", "")
    found = tiles(Path("sheet.png"))
    assert len(found) == COLUMNS * len(hands.all_forms())
    for form, first, second in zip(hands.all_forms(), found[::COLUMNS], found[1::COLUMNS], strict=True):
        assert not np.array_equal(first, second), form.name
    assert np.array_equal(found[-COLUMNS].ravel(), hands.plain(hands.all_forms()[-1]))


def test_there_are_no_more_rows_than_images(bpcli: Callable[..., Result], small_settings: list[str]) -> None:
    settings = [part for setting in [*small_settings, "data.validation=598"] for part in ("-s", setting)]
    assert bpcli("augment", "-n", "100", *settings, *DISTORTING, "sheet.png").exit_code == 0
    assert len(tiles(Path("sheet.png"))) == 2 * COLUMNS


def test_what_exists_is_replaced_only_by_force(bpcli: Callable[..., Result]) -> None:
    Path("mine.png").write_text("mine")
    result = bpcli("augment", "-n", "1", *DISTORTING, "mine.png")
    assert (result.exit_code, result.stderr) == (8, "Error: mine.png: exists; --force replaces it\n")
    assert Path("mine.png").read_text() == "mine"
    assert bpcli("augment", "-n", "1", *DISTORTING, "--force", "mine.png").exit_code == 0
    assert bpcli("augment", "-n", "3", *DISTORTING, "mine.png").exit_code == 0  # it replaces its own sheets
    assert len(tiles(Path("mine.png"))) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 2, "Missing argument 'OUT.png'"),
        (("-n", "0", "a.png"), 2, "0 is not in the range 1<=x<=10000"),
        (("folder",), 2, "'folder' is a directory"),
        (("a.jpg",), 2, "Invalid value for 'OUT.png': a.jpg: is written as PNG; its name should be a.png"),
        (("a",), 2, "a: is written as PNG; its name should be a.png"),
        (("",), 2, ".: is written as PNG; its name should be sheet.png"),
        (("-c", "nobody", "a.png"), 3, "'nobody' is neither a file nor a preset"),
        (("-s", "augment.rotate=1", "a.png"), 3, "unknown key augment.rotate; did you mean augment.rotation?"),
        (("-s", "data.folder=nowhere", "a.png"), 4, "nowhere: no such folder"),
        (("-n", "1", "nowhere/a.png"), 8, "nowhere/a.png: can't be written"),
    ],
)
def test_a_mistake_is_named(
    bpcli: Callable[..., Result], arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    Path("folder").mkdir()
    result = bpcli("augment", *DISTORTING, *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert {path.name for path in Path().iterdir()} == {"folder"}


def test_the_case_of_the_suffix_is_no_matter(bpcli: Callable[..., Result], small_settings: list[str]) -> None:
    settings = [part for setting in small_settings for part in ("-s", setting)]
    assert bpcli("augment", "-n", "1", *settings, *DISTORTING, "A.PNG").exit_code == 0
    assert len(tiles(Path("A.PNG"))) == 2
