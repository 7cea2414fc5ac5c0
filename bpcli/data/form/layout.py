"""Layout of a form's page: where its marks, its code and its cells lie.

All lengths are in millimetres, x from the paper's left edge and y from its top.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]

PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}  # width and height
MARGIN = 12.0  # from the paper's edges to the marks: more than any printer leaves white
MODULE = 1.8
MARK = 7 * MODULE  # side of a mark: a black square of 3 modules in a black ring of 1, with a white ring between
CODE_ROWS, CODE_COLUMNS, BIT = 3, 54, 2.7  # the code's squares
BAND = 3.0  # between the marks and the grid
HEADER = 8.0  # height of the classes' names above the grid
GAP = 3.2  # between the frames of two cells
FRAME = 0.6  # width of a frame's line
INSET = 0.9  # from the middle of a frame's line to what is cut out
AROUND = 7.0  # of paper, that a reader of the cells looks at
LARGEST = 20.0  # distance between the middles of neighbouring cells, at most
MAX_COLUMNS = 13  # classes of a page
ROWS, MAX_ROWS = 10, 20  # cells of a class on a page: usual, and at most
MAX_CLASSES = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a form: a column of cells for each of its classes.

    Attributes:
        classes: those of the whole form, in order.
        rows: the cells of a class on a page.
        paper: one of `PAPERS`.
        number: from 1 to `pages`.
    """

    classes: tuple[str, ...]
    rows: int
    paper: str
    number: int

    @property
    def size(self) -> tuple[float, float]:
        """The paper's width and height."""
        return PAPERS[self.paper]

    @property
    def pages(self) -> int:
        """The number of pages of the form."""
        return -(-len(self.classes) // MAX_COLUMNS)

    @property
    def columns(self) -> int:
        """The classes of a page; the last page may have fewer."""
        return -(-len(self.classes) // self.pages)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes of this page, from the left."""
        return self.classes[(self.number - 1) * self.columns : self.number * self.columns]

    @property
    def pitch(self) -> float:
        """The distance between the middles of neighbouring cells."""
        width, height = self.size
        high = height - 2 * (MARGIN + MARK + BAND) - HEADER
        return min(LARGEST, (width - 2 * MARGIN) / self.columns, high / self.rows)

    @property
    def side(self) -> float:
        """The side of a cell's frame, from the middle of one line to that of the other."""
        return self.pitch - GAP

    def cells(self) -> Points:
        """Return the left and top of each cell's frame (rows, columns, 2)."""
        left = (self.size[0] - self.columns * self.pitch + GAP) / 2
        top = MARGIN + MARK + BAND + HEADER
        rows, columns = np.mgrid[: self.rows, : len(self.names)]
        return np.stack([left + columns * self.pitch, top + rows * self.pitch], axis=-1)

    def grid(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the cells with some paper around them."""
        corners = self.cells()
        left, top = corners[0, 0] - AROUND
        right, bottom = corners[-1, -1] + self.side + AROUND
        return float(left), float(top), float(right), float(bottom)

    def marks(self) -> Points:
        """Return the middles of the four marks (4, 2), clockwise from the top left."""
        near = MARGIN + MARK / 2
        right, bottom = (side - near for side in self.size)
        return np.array([(near, near), (right, near), (right, bottom), (near, bottom)])

    def code(self) -> tuple[float, float]:
        """Return the left and top of the code, which lies between the two marks at the bottom."""
        width, height = self.size
        return (width - CODE_COLUMNS * BIT) / 2, height - MARGIN - MARK / 2 - CODE_ROWS * BIT / 2


def form(classes: tuple[str, ...], rows: int, paper: str) -> list[Page]:
    """Return the pages of a form."""
    first = Page(classes, rows, paper, 1)
    return [Page(classes, rows, paper, number) for number in range(1, first.pages + 1)]


def mark_modules() -> NDArray[np.bool_]:
    """Return a mark's modules (7, 7), true where they are black."""
    away = abs(np.arange(7) - 3)
    return np.asarray(np.maximum.outer(away, away) != 2, np.bool_)
