"""Kinds of scenes: plain, photographs, and one kind for each single effect."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bpcli.data.scenes.files import FILES, to_file
from bpcli.data.scenes.look import LUMA, Bytes, Colour, Look
from bpcli.data.scenes.paper import draw

SMALLEST, LARGEST = 14, 1400  # pixels of a digit's longest side
CONTRAST = 0.25  # minimum difference in luma of ink and paper
MAX_MARGIN = 600  # pixels; the largest scene has 20 MB as BMP, and the reader accepts 25 MB


def scene(kind: str, digit: Bytes, index: int) -> bytes:
    """Return the file of a scene with a digit (28, 28); digit, kind and index determine it."""
    rng = np.random.default_rng((list(KINDS).index(kind), index))
    look = KINDS[kind](rng)
    return to_file(draw(digit, look, rng), look.file, look.orientation)


def plain(rng: Generator) -> Look:
    """Return the look of a scan or a drawing program: any size, place, polarity, format and orientation."""
    return replace(_sized(polarity(rng), rng, SMALLEST, LARGEST), file=_file(rng), orientation=_orientation(rng))


def photograph(rng: Generator) -> Look:
    """Return a look with all effects: lamp, shadow, texture, lines, pen, blur, noise, JPEG of quality 30, rotation."""
    look = replace(_sized(lamp(rng), rng, 48, 500), file="jpeg 30", orientation=_orientation(rng))
    return replace(
        _with_lines(look, rng) if rng.random() < 0.6 else look,
        pen=float(rng.uniform(0.03, 0.14)) if rng.random() < 0.6 else None,
        texture=float(rng.uniform(0.005, 0.03)),
        rotation=float(rng.uniform(-10, 10)),
        blur=look.size * float(rng.uniform(0, 0.015)),
        noise=float(rng.uniform(0.005, 0.03)),
    )


def size(rng: Generator) -> Look:
    """Return a look in black on white, 14 to 1,400 pixels large."""
    return _sized(Look(), rng, SMALLEST, LARGEST)


def polarity(rng: Generator) -> Look:
    """Return a look in dark on light or light on dark: black and white, or any two colours."""
    paper, ink = two_colours(rng) if rng.random() < 0.5 else ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    look = Look(paper=paper, ink=ink) if rng.random() < 0.5 else Look(paper=ink, ink=paper)
    return _sized(look, rng)


def pen(rng: Generator) -> Look:
    """Return a look with another pen, from a hair to a marker: a hundredth to a sixth of the digit."""
    return _sized(Look(pen=_log_uniform(rng, 0.01, 0.16)), rng)


def paper(rng: Generator) -> Look:
    """Return a look with tinted paper, fibres and dark ink."""
    return replace(_written(rng), texture=float(rng.uniform(0.01, 0.06)))


def lamp(rng: Generator) -> Look:
    """Return a look with paper under a lamp, and a shadow."""
    return replace(_written(rng), lamp=float(rng.uniform(0.1, 0.65)), shadow=float(rng.uniform(0, 0.4)))


def lines(rng: Generator) -> Look:
    """Return a look with ruled or squared paper."""
    return _with_lines(_sized(_written(rng), rng, 40, 500), rng)


def blur(rng: Generator) -> Look:
    """Return a look that is out of focus."""
    look = _written(rng)
    return replace(look, blur=look.size * float(rng.uniform(0.005, 0.03)))


def noise(rng: Generator) -> Look:
    """Return the look of a dim room: noise of 1 to 6 hundredths."""
    return replace(_written(rng), noise=float(rng.uniform(0.01, 0.06)))


def jpeg(rng: Generator) -> Look:
    """Return a look in JPEG of quality 30."""
    return replace(polarity(rng), file="jpeg 30")


def rotation(rng: Generator) -> Look:
    """Return a look rotated by up to ten degrees."""
    return _sized(Look(rotation=float(rng.uniform(-10, 10))), rng)


def exif(rng: Generator) -> Look:
    """Return the look of a camera's file with any EXIF orientation."""
    return replace(_written(rng), file="jpeg", orientation=_orientation(rng))


def formats(rng: Generator) -> Look:
    """Return a look in any format and depth."""
    return replace(polarity(rng), file=_file(rng))


def tight(rng: Generator) -> Look:
    """Return a look of a small digit without margins, as in data sets of digits."""
    dark, light = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    paper, ink = (light, dark) if rng.random() < 0.5 else (dark, light)
    file = "1-bit png" if rng.random() < 0.5 else "grey png"
    return Look(size=round(_log_uniform(rng, 10, 40)), margins=(0, 0, 0, 0), paper=paper, ink=ink, file=file)


KINDS: dict[str, Callable[[Generator], Look]] = {
    function.__name__: function
    for function in (
        plain, photograph, size, polarity, pen, paper, lamp, lines, blur, noise, jpeg, rotation, exif, formats,
        tight,
    )
}  # fmt: skip


def two_colours(rng: Generator) -> tuple[Colour, Colour]:
    """Return a lighter and a darker colour whose luma differs by at least `CONTRAST`."""
    while True:
        one, other = rng.uniform(0, 1, (2, 3))
        if (one - other) @ LUMA >= CONTRAST:
            return _colour(one), _colour(other)


def _sized(look: Look, rng: Generator, smallest: int = 28, largest: int = 500) -> Look:
    """Return the look with a log-uniform size between the two, and margins of up to 1.5 times that size."""
    side = round(_log_uniform(rng, smallest, largest))
    reach = rng.uniform(0.1, 1.5)
    left, top, right, bottom = (min(MAX_MARGIN, max(1, round(side * rng.uniform(0.05, reach)))) for _ in range(4))
    return replace(look, size=side, margins=(left, top, right, bottom))


def _written(rng: Generator) -> Look:
    """Return a look with dark ink on light paper, both of random colour."""
    return _sized(Look(paper=_paper(rng), ink=_dark(rng)), rng)


def _with_lines(look: Look, rng: Generator) -> Look:
    kind: Literal["ruled", "squared"] = "ruled" if rng.random() < 0.5 else "squared"
    spacing = look.size * float(rng.uniform(0.35, 1.5))
    return replace(look, lines=kind, line_spacing=spacing, line_strength=float(rng.uniform(0.04, 0.25)))


def _paper(rng: Generator) -> Colour:
    return _colour(rng.uniform(0.75, 1.0) * rng.uniform(0.88, 1.0, 3))


def _dark(rng: Generator) -> Colour:
    """Return a colour of a pen or pencil with a luma of at most 0.4."""
    while True:
        colour = rng.uniform(0, 1, 3) * rng.uniform(0.1, 1)
        if colour @ LUMA <= 0.4:
            return _colour(colour)


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _log_uniform(rng: Generator, least: float, most: float) -> float:
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _file(rng: Generator) -> str:
    return str(rng.choice(sorted(FILES)))


def _orientation(rng: Generator) -> int:
    return int(rng.integers(1, 9))
