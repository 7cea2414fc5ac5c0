"""A page has room for everything, and nothing lies on anything else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.data.form.layout import (
    BIT,
    CODE_COLUMNS,
    CODE_ROWS,
    FRAME,
    GAP,
    INSET,
    MARGIN,
    MARK,
    MAX_CLASSES,
    MAX_COLUMNS,
    MAX_ROWS,
    PAPERS,
    form,
    mark_modules,
)  # fmt: skip


@settings(max_examples=40)
@given(st.integers(1, MAX_CLASSES), st.integers(1, MAX_ROWS), st.sampled_from(list(PAPERS)))
def test_every_class_has_its_cells_between_the_marks(count: int, rows: int, paper: str) -> None:
    classes = tuple(f"class {n}" for n in range(count))
    pages = form(classes, rows, paper)
    assert [name for page in pages for name in page.names] == list(classes)
    for page in pages:
        assert 1 <= len(page.names) <= MAX_COLUMNS
        corners = page.cells()
        assert corners.shape == (rows, len(page.names), 2)
        width, height = page.size
        assert corners.min() >= MARGIN
        assert corners[..., 0].max() + page.side <= width - MARGIN + 1e-9
        assert corners[..., 1].min() >= MARGIN + MARK
        assert corners[..., 1].max() + page.side <= height - MARGIN - MARK
        apart = [np.diff(corners[..., 0], axis=1), np.diff(corners[..., 1], axis=0)]
        assert all(np.allclose(each, page.side + GAP) for each in apart)
        assert page.side - 2 * INSET > 5  # room to write in


@pytest.mark.parametrize("paper", PAPERS)
def test_the_code_lies_between_the_marks_at_the_bottom(paper: str) -> None:
    (page,) = form(("a", "b"), 3, paper)
    (left, top), marks = page.code(), page.marks()
    quiet = MARK / 2 + 2 * BIT
    assert marks[3, 0] + quiet <= left
    assert left + CODE_COLUMNS * BIT <= marks[2, 0] - quiet
    assert top + CODE_ROWS * BIT / 2 == pytest.approx(marks[2, 1])
    assert marks[0] == pytest.approx(MARGIN + MARK / 2)


def test_a_mark_is_a_square_in_a_ring() -> None:
    drawn = ["".join(" #"[int(black)] for black in row) for row in mark_modules()]
    assert drawn == ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"]


def test_what_is_cut_out_has_no_frame_in_it() -> None:
    assert INSET > FRAME / 2 + 0.4
