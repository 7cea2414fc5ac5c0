"""What is printed: the same bytes for the same form, and every name within its column."""

from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.data.drawn import fonts
from bpcli.data.form.draw import draw_page, to_pdf
from bpcli.data.form.layout import HEADER, Page, form
from bpcli.errors import ConfigError

DOTS = 4  # a millimetre


def header(name: str, beside: str = "b") -> NDArray[np.bool_]:
    """What is printed above the frames of a page with two classes: dark or not, by columns of pixels."""
    page = Page((name, beside), 4, "a4", 1)
    left, top = page.cells()[0, 0]
    pixels = np.asarray(draw_page(page, DOTS).convert("L"))
    rows, columns = slice(round(DOTS * (top - HEADER)), round(DOTS * (top - 1))), slice(round(DOTS * (left - 3)), None)
    dark: NDArray[np.bool_] = (pixels[rows, columns] < 128).max(axis=0)
    return dark[: round(DOTS * (page.pitch + page.side + 6))]


def test_the_same_form_gives_the_same_file() -> None:
    pages = form(("a", "b"), 2, "a4")
    assert to_pdf(pages) == to_pdf(pages)


def test_a_long_name_stays_in_its_column() -> None:
    short, long = header("a"), header("a-name-that-is-much-longer-than-its-column")
    column = round((Page(("a", "b"), 4, "a4", 1).side + 3 + 1) * DOTS)
    assert np.array_equal(short[column:], long[column:])
    assert long[: 3 * DOTS].sum() == 0
    assert 0 < long[:column].sum() < short[:column].sum() + 15 * DOTS


def test_characters_beyond_ascii_are_printed_in_a_font_that_has_them() -> None:
    pytest.importorskip("matplotlib")
    assert not np.array_equal(header("ж"), header("ф"))


def test_without_that_font_they_are_refused() -> None:
    with patch.object(fonts, "find_spec", return_value=None), pytest.raises(ConfigError) as error:
        draw_page(Page(("ж",), 1, "a4", 1), DOTS)
    assert str(error.value).startswith("names beyond ASCII need the fonts of matplotlib; install with")
