"""The digits of fonts that others install: those of Matplotlib, and the one inside of Pillow. None comes with bpcli."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bpcli.data.picture.scale import Grey
from bpcli.errors import ConfigError

SIZE = 160  # pixels of a glyph's body
_DOUBLE, _SANS, _SANS_BOLD, _MONO = map(chr, (0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6))  # Unicode's mathematical zeros


class Family(NamedTuple):
    """The faces of one design.

    Attributes:
        name: of the design.
        faces: the file of each face and its zero; the file "" is Pillow's own font.
        held_out: whether it is kept for evaluation, so that training never sees it.
    """

    name: str
    faces: tuple[tuple[str, str], ...]
    held_out: bool = False


class Glyph(NamedTuple):
    """One digit of a face; `name` is the face's, `style` its family's."""

    name: str
    digit: int
    style: str
    held_out: bool
    file: str
    character: str

    @property
    def ink(self) -> Grey:
        """The ink (h, w), 0 to 1, cropped."""
        return _ink(self.file, self.character)


def _family(name: str, *files: str, zero: str = "0", held_out: bool = False) -> Family:
    return Family(name, tuple((f"{file}.ttf", zero) for file in files), held_out)


FAMILIES = (
    _family("dejavu-sans", *(f"DejaVuSans{face}" for face in ("", "-Bold", "-Oblique", "-BoldOblique"))),
    _family("dejavu-mono", *(f"DejaVuSansMono{face}" for face in ("", "-Bold", "-Oblique", "-BoldOblique"))),
    _family("dejavu-serif", *(f"DejaVuSerif{face}" for face in ("", "-Bold", "-Italic", "-BoldItalic")), held_out=True),
    _family("stix", *(f"STIXGeneral{face}" for face in ("", "Bol", "Italic", "BolIta"))),
    _family("stix-double", "STIXGeneral", zero=_DOUBLE),
    Family("stix-sans", (("STIXGeneral.ttf", _SANS), ("STIXGeneral.ttf", _SANS_BOLD))),
    _family("stix-mono", "STIXGeneral", zero=_MONO, held_out=True),
    _family("computer-modern", "cmr10", "cmb10"),
    _family("computer-modern-italic", "cmti10"),
    _family("computer-modern-old-style", "cmmi10"),
    _family("computer-modern-typewriter", "cmtt10", held_out=True),
    _family("computer-modern-sans", "cmss10", held_out=True),
    Family("pillow", (("", "0"),), held_out=True),
)


@cache
def glyphs() -> tuple[Glyph, ...]:
    """Return the digits of all faces, those held out included.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    folder()
    return tuple(
        Glyph(_face(family, file, zero), digit, family.name, family.held_out, file, chr(ord(zero) + digit))
        for family in FAMILIES
        for file, zero in family.faces
        for digit in range(10)
    )


def _face(family: Family, file: str, zero: str) -> str:
    return file.removesuffix(".ttf") if zero == "0" and file else f"{family.name}-{ord(zero):X}"


def folder(for_what: str = "printed digits") -> Path:
    """Return the folder of Matplotlib's fonts; Matplotlib isn't imported.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ConfigError(f"{for_what} need the fonts of matplotlib; install with: pip install matplotlib")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


@cache
def _ink(file: str, character: str) -> Grey:
    font = ImageFont.truetype(folder() / file, SIZE, layout_engine=ImageFont.Layout.BASIC) if file else _own()
    canvas = Image.new("L", (2 * SIZE, 2 * SIZE))
    ImageDraw.Draw(canvas).text((SIZE // 2, SIZE // 4), character, fill=255, font=font)
    return np.asarray(canvas.crop(canvas.getbbox()), np.float32) / np.float32(255)


def _own() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(SIZE)
