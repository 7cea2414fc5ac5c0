"""Pens: the area of ink, broad nibs, and that an image is what `predict` would make of the drawing."""

import numpy as np
import pytest

from bpcli.data.drawn import hands
from bpcli.data.drawn.pen import CANVAS, ROUND, SQUARE, Line, image_of, inked, nib
from bpcli.data.picture.prepare import prepare


def line(*points: tuple[float, float]) -> Line:
    return Line(np.array(points, np.float64), np.ones(len(points)))


@pytest.mark.parametrize("angle", [0, 30, 90, 200])
def test_a_round_nib_inks_a_strip_with_round_ends(angle: float) -> None:
    turn = np.deg2rad(angle)
    ink = inked([line((0, 0), (np.cos(turn), np.sin(turn)))], nib(ROUND, 0.2))
    width = 0.2 * CANVAS
    length = max(CANVAS - width - 2, 1) / max(abs(np.cos(turn)), abs(np.sin(turn)))
    assert ink.sum() == pytest.approx(width * length + np.pi / 4 * width**2, rel=0.04)


def test_a_square_nib_has_square_ends() -> None:
    ink = inked([line((0, 0), (0, 1))], nib(SQUARE, 0.2))
    assert ink.sum() == pytest.approx(ink[ink.any(axis=1)][:, ink.any(axis=0)].size)


def test_a_broad_nib_is_thin_along_its_edge_and_thick_across() -> None:
    flat = nib(ROUND, 0.2, flatness=0.25, angle=45)
    up, down = (inked([line((0, end), (1, 1 - end))], flat).sum() for end in (1, 0))
    assert down > 2.5 * up


def test_a_dot_is_a_whole_nib() -> None:
    ink = inked([line((0.5, 0.5), (0.5, 0.5)), line((0, 0), (0, 0)), line((0, 1), (0, 1))], nib(ROUND, 0.2))
    assert ink.sum() == pytest.approx(3 * np.pi / 4 * (0.2 * CANVAS) ** 2, rel=0.06)


@pytest.mark.parametrize("side", [20, 28, 40])
def test_an_image_is_what_predict_makes_of_a_picture_of_the_drawing(side: int) -> None:
    for form in hands.all_forms()[::12]:
        lines = [
            Line(points, np.ones(len(points))) for points in hands.written(form, hands.PLAIN, np.random.default_rng())
        ]
        ink = inked(lines, nib(ROUND, 0.12))
        seen = prepare(1 - np.pad(ink, 40), side=side).pixels
        assert seen is not None
        own = image_of(ink, side).reshape(side, side)
        assert abs(own.astype(int) - seen).mean() < 1, form.name
