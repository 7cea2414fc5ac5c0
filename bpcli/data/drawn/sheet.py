"""Sheets of forms, for people to look at."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from bpcli.data.datasets import Split
from bpcli.data.drawn.forms import Template
from bpcli.data.picture.digit import Bytes
from bpcli.data.sheet import COLUMNS, contact_sheet


class Kind(Protocol):
    """A module that draws forms: `hands` or `printed`."""

    def rows(self) -> Sequence[Sequence[Any]]: ...  # noqa: D102
    def plain(self, form: Any) -> Bytes: ...  # noqa: D102
    def draw(self, n: int, seed: int, *, forms: Sequence[Any]) -> Split: ...  # noqa: D102


def forms_sheet(kind: Kind, seed: int) -> bytes:
    """Return a PNG with the rows of a kind: a form as it is with eleven drawings of it, or many forms, each as it is.

    The captions are the form's name and its style, with a star if the form is held out.
    """
    rows = [row[start : start + COLUMNS] for row in kind.rows() for start in range(0, len(row), COLUMNS)]
    tiles = [tile for row in rows for tile in _tiles(kind, row, seed)]
    return contact_sheet(np.stack(tiles), [caption for row in rows for caption in _captions(row[0])])


def _tiles(kind: Kind, row: Sequence[Template], seed: int) -> list[Bytes]:
    first = [kind.plain(form) for form in row]
    if len(row) == 1:
        return [*first, *kind.draw(COLUMNS - 1, seed, forms=row).images]
    return [*first, *[np.zeros_like(first[0])] * (COLUMNS - len(row))]


def _captions(form: Template) -> list[str]:
    return [form.name, form.style + "*" * form.held_out, *[""] * (COLUMNS - 2)]
