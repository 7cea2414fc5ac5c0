"""A sheet that was filled in, and its photograph: made once."""

from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from benchmarks.sheets import Written, filled, opened
from bpcli.data.datasets import Split
from bpcli.data.form.layout import Page, form
from bpcli.data.scenes.desk import Shot, photographed

SHOT = Shot(
    width=1000, height=750, tilt=20, axis=50, turn=118, fill=0.95, bend=0.007, desk="papers", lamp=0.5, shadow=0.4,
    texture=0.01, blur=0.5, noise=0.02, file="jpeg 30",
)  # fmt: skip


class Filled(NamedTuple):
    """A page, its picture as printed and filled in, and what stands in its cells."""

    page: Page
    picture: Image.Image
    written: Written

    def shot(self, shot: Shot = SHOT) -> Image.Image:
        """A photograph of it."""
        return opened(photographed(self.picture, shot, np.random.default_rng(0)))


@pytest.fixture(scope="session")
def sheet(small_split: Split) -> Filled:
    (page,) = form(tuple("0123456789"), 3, "a4")
    return Filled(page, *filled(page, small_split, np.random.default_rng(0), dots=4))


@pytest.fixture(scope="session")
def photograph(sheet: Filled) -> Image.Image:
    return sheet.shot()
