"""Gradient descent and Newton's method against loops written out here and against what is known of the functions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.gradcheck.expression import parse
from bpcli.gradcheck.graph import GraphError
from bpcli.gradcheck.minimize import Function, function_of, interval, minimized, remarks, sampled
from bpcli.gradcheck.minimize_text import HEIGHT, WIDTH, drawing

ROOT = "(x*x-a)**2"


def of(text: str, **values: float) -> Function:
    return function_of(parse(text), values, "x")


def test_the_square_root_of_2_comes_out_of_both_methods() -> None:
    found = minimized(of(ROOT, a=2), 1.0, 0.05, 40)
    assert found.minimum is not None
    for x in (found.descent.end.x, found.newton.end.x, found.minimum.x):
        assert x == pytest.approx(math.sqrt(2), abs=1e-15)
    assert len(found.newton.points) < len(found.descent.points)
    assert list(remarks(found)) == []


@given(a=st.floats(0.5, 4), start=st.floats(0.9, 2.5))
def test_each_step_is_that_of_the_formulas(a: float, start: float) -> None:
    found = minimized(of(ROOT, a=a), start, 0.01, 5)
    x = start
    for point in found.descent.points:
        assert point.x == pytest.approx(x, rel=1e-12)
        assert point[1:] == pytest.approx(((x * x - a) ** 2, 4 * x * (x * x - a), 12 * x * x - 4 * a), abs=1e-9)
        x -= 0.01 * 4 * x * (x * x - a)
    one, two = found.newton.points[:2]
    assert two.x == pytest.approx(one.x - one.first / one.second, rel=1e-12)


def test_a_rate_above_two_over_the_curvature_is_too_large() -> None:
    just_right, too_large = (minimized(of("3*x*x"), 1.0, rate, 50) for rate in (0.33, 0.34))  # f'' = 6, 2/f'' = 1/3
    assert abs(just_right.descent.end.x) < 1 < abs(too_large.descent.end.x)
    assert not any("too large" in text for text in remarks(just_right))
    (text,) = remarks(too_large)
    assert text.startswith("a rate of 0.34 is too large: at the minimum f'' = 6") and "0.3333333333" in text


def test_a_way_that_flies_off_ends_where_numbers_end() -> None:
    found = minimized(of(ROOT, a=2), 10.0, 0.05, 100)
    assert found.descent.failed
    texts = list(remarks(found))
    assert texts[0] == "a rate of 0.05 is too large from this start: f grew from 9604"
    assert "could not go on after 4 steps" in texts[1]
    assert found.newton.end.x == pytest.approx(math.sqrt(2))
    low, high = interval(found)
    assert low < found.newton.end.x < 10 < high < 100  # the drawing leaves out what flew off


def test_newtons_method_goes_to_a_maximum_and_says_so() -> None:
    found = minimized(of(ROOT, a=2), 0.1, 0.05, 40)
    assert found.newton.end.x == pytest.approx(0, abs=1e-12)
    assert any("towards a maximum: at x = 0, f'' is -8" in text for text in remarks(found))


@pytest.mark.parametrize("text", ["x**3", "exp(x)", "-x*x"])
def test_no_minimum_is_claimed_where_there_is_none(text: str) -> None:
    found = minimized(of(text), 1.0, 0.05, 20)
    assert found.minimum is None
    assert "neither method came near a minimum" in list(remarks(found))


def test_newtons_step_needs_a_curvature() -> None:
    found = minimized(of("2*x"), 1.0, 0.05, 3)
    assert "f'' is 0 at x = 1" in found.newton.failed
    assert len(found.descent.points) == 4


def test_a_start_where_the_function_is_not_defined_is_refused() -> None:
    with pytest.raises(GraphError, match="log"):
        minimized(of("log(x)"), -1.0, 0.05, 3)


def test_the_curve_leaves_out_where_the_function_is_not_defined() -> None:
    assert [point.x for point in sampled(of("log(x)"), -1, 1, 5)] == [0.5, 1.0]


def test_the_drawing_has_the_start_and_the_end_where_they_belong() -> None:
    function = of("x*x")
    lines = drawing("x", function, minimized(function, 1.0, 0.25, 30))
    rows = [line.removeprefix("  ").ljust(WIDTH) for line in lines[:HEIGHT]]
    low, high = -0.125, 1.125  # an eighth beyond 0 and 1
    column = round((1 - low) / (high - low) * (WIDTH - 1))
    row = round((1 - 1 / high**2) * (HEIGHT - 1))
    assert rows[row][column] == "*"  # both begin at 1, and the top of the drawing is high²
    assert rows[-1][round(-low / (high - low) * (WIDTH - 1))] == "*"
    assert "x from -0.125 to 1.125, f from 0 to 1.266" in lines[HEIGHT]


@pytest.mark.parametrize("text", ["x", "(x-1e17)**2"])
def test_a_drawing_far_from_zero_has_a_width(text: str) -> None:
    found = minimized(of(text), 1e17, 1e-30, 3)
    low, high = interval(found)
    assert low < 1e17 < high
    assert len(drawing("x", of(text), found)) > HEIGHT
