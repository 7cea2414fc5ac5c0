"""Printed digits: from the fonts that Matplotlib brings along, and from outlines of our own; a function of a seed."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from bpcli.core import seeds
from bpcli.data.datasets import Split
from bpcli.data.drawn.drawing import drawn
from bpcli.data.drawn.fonts import Glyph, glyphs
from bpcli.data.drawn.forms import Floats, Form, parse_forms, training_forms
from bpcli.data.drawn.hands import PLAIN, Hand, leaning, written
from bpcli.data.drawn.pen import CANVAS, ROUND, SQUARE, Line, image_of, inked, nib
from bpcli.data.picture.digit import SIDE, Bytes, thicken, thin
from bpcli.data.picture.scale import Grey

Type = Form | Glyph

_AFFINE = Image.Transform.AFFINE
_DOTS = "dots"  # the style whose strokes are dots, a sixth of the height apart


@cache
def all_forms() -> tuple[Type, ...]:
    """Return all forms of `printed.yaml` and all digits of the fonts, those held out included.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    path = Path(__file__).with_name("printed.yaml")
    return (*parse_forms(path.read_bytes(), path.name), *glyphs())


def rows() -> list[list[Type]]:
    """Return the rows of a sheet: one for each face of a font, and one for each family of outlines.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    found: dict[tuple[str, str], list[Type]] = {}
    for form in all_forms():
        found.setdefault((form.style, form.name if isinstance(form, Glyph) else ""), []).append(form)
    return list(found.values())


def draw(
    n: int, seed: int, side: int = SIDE, forms: Sequence[Type] | None = None, pause: Callable[[], None] = lambda: None
) -> Split:
    """Return `n` printed digits, as `hands.draw` returns drawn ones.

    Raises:
        ConfigError: `forms` is None, and Matplotlib is not installed.
    """
    chosen = training_forms(all_forms()) if forms is None else forms
    return drawn(_printed, seeds.PRINTED, chosen, n, seed, side, pause)


def plain(form: Type, side: int = SIDE) -> Bytes:
    """Return the image (side²,) of a form as it is."""
    return image_of(
        form.ink if isinstance(form, Glyph) else _outlined(form, PLAIN, nib(ROUND, 0.12), seeds.stream(0)), side
    )


def _printed(form: Type, rng: Generator) -> Grey:
    """Return the ink (h, w) of one drawing of a form."""
    setting = _setting(rng)
    if isinstance(form, Glyph):
        return _set(form.ink, setting, rng)
    return _outlined(form, setting, _dot(rng) if form.style == _DOTS else _weight(rng), rng)


def _setting(rng: Generator) -> Hand:
    """Return condensed or extended, upright or sloping type, hardly rotated."""
    return Hand(
        slant=rng.uniform(0.1, 0.35) if rng.random() < 0.25 else 0.0,
        width=float(np.exp(rng.uniform(-0.35, 0.35))) if rng.random() < 0.6 else 1.0,
        rotation=rng.normal(0, 2),
        balance=rng.normal(0, 0.02),
        warp=rng.uniform(0, 0.015),
        shake=0,
        angular=0,
        tremor=0,
        overshoot=0,
        hooks=0,
        retrace=0,
    )


def _weight(rng: Generator) -> Floats:
    """Return a nib: light to bold, with round or square ends; some with thick stems and thin bars."""
    outline = ROUND if rng.random() < 0.5 else SQUARE
    if rng.random() < 0.3:
        return nib(outline, rng.uniform(0.1, 0.25), flatness=rng.uniform(0.3, 0.6))
    return nib(outline, rng.uniform(0.05, 0.19))


def _dot(rng: Generator) -> Floats:
    return nib(ROUND if rng.random() < 0.6 else SQUARE, rng.uniform(0.1, 0.17))


def _outlined(form: Form, setting: Hand, nib: Floats, rng: Generator) -> Grey:
    lines = [Line(points, np.ones(len(points))) for points in written(form, setting, rng)]
    return inked(lines, nib)


def _set(ink: Grey, setting: Hand, rng: Generator) -> Grey:
    """Return a glyph (h, w) condensed or extended, sloping, rotated, and lighter or bolder."""
    height, width = ink.shape
    onwards = leaning(setting)
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ onwards
    low, size = corners.min(axis=0), np.ptp(corners, axis=0)
    scale = CANVAS / size.max()
    back = np.linalg.inv(onwards).T / scale  # Pillow asks which place of the glyph each place of the canvas shows
    coefficients = np.column_stack([back, back @ low * scale]).ravel()
    canvas = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    glyph = Image.fromarray(ink).transform(canvas, _AFFINE, coefficients.tolist(), Image.Resampling.BILINEAR)
    steps = int(rng.integers(-2, 4))
    return thicken(np.asarray(glyph), steps) if steps >= 0 else thin(np.asarray(glyph), -steps)
