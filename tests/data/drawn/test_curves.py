"""Curves through points: where they pass, where they are smooth, and how round they are."""

import numpy as np
import pytest

from bpcli.data.drawn.curves import SAMPLES, curves
from bpcli.data.drawn.forms import Form, parse_forms
from bpcli.data.drawn.hands import all_forms


def form(*strokes: str) -> Form:
    return parse_forms(f"a: {{digit: 0, style: s, note: n, strokes: {list(strokes)}}}".encode(), "test")[0]


@pytest.mark.parametrize("form", all_forms()[::7], ids=lambda form: form.name)
def test_a_curve_passes_through_its_points_and_moves_with_them(form: Form) -> None:
    made = curves(form)
    for matrix in (made.smooth, made.straight):
        at = np.concatenate([np.arange(part.start, part.stop, SAMPLES) for part in made.strokes])
        np.testing.assert_allclose((matrix @ made.points)[at], made.points, atol=1e-12)
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


def test_two_points_are_joined_by_a_line_and_corners_by_lines() -> None:
    made = curves(form("0,40 | 40,0 | 40,100"))
    np.testing.assert_allclose(made.smooth @ made.points, made.straight @ made.points, atol=1e-12)


def test_a_closed_curve_through_eight_points_of_a_circle_is_nearly_that_circle() -> None:
    angles = np.arange(9) * np.pi / 4
    points = np.rint(50 + 50 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(int)
    made = curves(form(" ".join(f"{x},{y}" for x, y in points)))
    radius = np.hypot(*(made.smooth @ made.points - 0.5).T)
    assert abs(radius - 0.5).max() < 0.01


def test_the_strokes_and_their_ends_are_found_among_all_points() -> None:
    made = curves(form("0,0 50,0 50,50", "0,100 90,100"))
    assert sorted(made.ends.tolist()) == [[0, 1], [2, 1], [3, 4], [4, 3]]
    assert [part.stop - part.start for part in made.strokes] == [2 * SAMPLES + 1, SAMPLES + 1]
