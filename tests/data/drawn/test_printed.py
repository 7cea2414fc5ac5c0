"""Printed digits: functions of the seed, in MNIST's format, from fonts that are there."""

from collections import Counter

import numpy as np
import pytest

from bpcli.data.drawn import fonts, printed
from bpcli.data.drawn.fonts import FAMILIES, Glyph
from bpcli.data.drawn.forms import Form, parse_forms
from bpcli.data.drawn.sheet import forms_sheet
from bpcli.data.picture.digit import is_normalised, layout
from bpcli.errors import ConfigError

pytest.importorskip("matplotlib")


def test_the_seed_alone_decides_and_more_drawings_begin_with_the_same() -> None:
    one, more, other = printed.draw(8, 3), printed.draw(12, 3), printed.draw(8, 4)
    np.testing.assert_array_equal(one.images, more.images[:8])
    np.testing.assert_array_equal(one.labels, more.labels[:8])
    assert (one.images != other.images).any()


def test_every_form_and_face_is_printed_as_a_digit_of_mnist_with_its_label() -> None:
    for row in printed.rows():
        for form in row[::3]:
            drawn = printed.draw(1, 6, forms=[form])
            assert drawn.labels.tolist() == [form.digit]
            for image in (drawn.images[0], printed.plain(form)):
                assert is_normalised(image.reshape(28, 28), layout(28)), form


def test_each_face_has_ten_digits_that_differ() -> None:
    """A face without a character prints the same box for each."""
    faces: dict[str, set[bytes]] = {}
    for glyph in fonts.glyphs():
        faces.setdefault(glyph.name, set()).add(glyph.ink.tobytes())
    assert Counter(map(len, faces.values())) == {10: sum(len(family.faces) for family in FAMILIES)}


def test_weight_and_width_of_a_face_vary() -> None:
    nine = next(glyph for glyph in fonts.glyphs() if (glyph.name, glyph.digit) == ("cmr10", 9))
    images = printed.draw(20, 1, forms=[nine]).images.reshape(-1, 28, 28)
    ink = images.mean(axis=(1, 2))
    assert ink.max() > 1.3 * ink.min()
    assert len({int(np.count_nonzero(image.any(axis=0))) for image in images}) > 4


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    printed.all_forms.cache_clear()
    fonts.glyphs.cache_clear()
    with pytest.raises(ConfigError, match="printed digits need the fonts of matplotlib; install with: pip install"):
        printed.draw(1, 0)
    (own,) = parse_forms(b'a: {digit: 1, style: s, note: n, strokes: ["0,0 0,100"]}', "mine")
    assert printed.draw(1, 0, forms=[own]).labels.tolist() == [1]


def test_a_sheet_has_a_row_for_each_face_and_for_each_family_of_outlines() -> None:
    rows = printed.rows()
    assert len(rows) == sum(len(family.faces) for family in FAMILIES) + len(
        {form.style for form in printed.all_forms() if isinstance(form, Form)}
    )
    assert all(len({form.digit for form in row}) == 10 for row in rows if isinstance(row[0], Glyph))
    assert all(isinstance(form, Form | Glyph) for row in rows for form in row)
    assert forms_sheet(printed, 0).startswith(b"\x89PNG")
