"""Expressions: what is understood is calculated as Python would, everything else is refused with its column."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bpcli.gradcheck.expression import MAX_LENGTH, ExpressionError, calculate, names, parse
from bpcli.gradcheck.operations import OPERATIONS


def value(text: str, **named: float) -> float:
    return calculate(parse(text), named.__getitem__, float, lambda name, *a: OPERATIONS[name].value(*a))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3", 7),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("2**3**2", 512),
        ("  (1 - 2) - 3", -4),
        ("8/4/2", 1),
        ("+-+3", -3),
        ("relu(-1) + relu(2)", 2),
        ("1e-3*.5", 0.0005),
        ("1_000 + 0x10", 1016),
        ("x*x + größe", 11),
    ],
)
def test_values(text: str, expected: float) -> None:
    assert value(text, x=3, größe=2) == expected


def test_names_come_in_their_order_and_once() -> None:
    assert names(parse("b + a*b - exp(c)")) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("text", "column", "complaint"),
    [
        ("", 1, "not an arithmetic expression"),
        ("   ", 4, "not an arithmetic expression"),
        ("a +", 4, "not an arithmetic expression"),
        ("  a b", 5, "not an arithmetic expression"),
        ("1if 2else 3", 1, "not an arithmetic expression"),
        ("(a", 1, "not an arithmetic expression"),
        ("a.b", 1, "an attribute"),
        ("1 + a.b", 5, "an attribute"),
        ("a // b", 3, "// is not understood"),
        ("(a)//b", 4, "// is not understood"),
        ("a % b", 3, "'%'"),
        ("a = 1", 3, "'='"),
        ("a[0]", 2, "'['"),
        ("'a'", 1, '"\'"'),
        ("a,b", 2, "','"),
        ("a\n+b", 2, r"'\n'"),
        ("a#b", 2, "'#'"),
        ("a\x00", 2, r"'\x00'"),
        ("é + ü.x", 5, "an attribute"),
        ("x + sig(y)", 5, "no function sig"),
        ("sigmoyd(y)", 1, "did you mean sigmoid?"),
        ("x*exp", 3, "exp is a function"),
        ("exp()", 1, "exp wants one argument"),
        ("exp(*x)", 5, "a star"),
        ("exp(**x)", 1, "this call"),
        ("(x)(y)", 1, "no function x"),
        ("x(y)(z)", 1, "this call"),
        ("lambda", 7, "not an arithmetic expression"),
        ("1 + True", 5, "this value"),
        ("None", 1, "this value"),
        ("2j", 1, "this value"),
        ("...", 1, "this value"),
        ("()", 1, "an empty pair of parentheses"),
        ("a and b", 1, "and/or"),
        ("1 if a else b", 1, "if/else"),
        ("a is b", 1, "a comparison"),
        ("not a", 1, "this value"),
        ("1 + 1e999", 5, "too large"),
        ("9" * 400, 1, "too large"),
        ("__import__(os)", 1, "no function __import__"),
        ("1" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "at most 2,000 characters"),
    ],
)
def test_everything_else_is_refused_with_its_column(text: str, column: int, complaint: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert str(raised.value).startswith(f"column {column}: ")
    assert complaint in str(raised.value)


@pytest.mark.parametrize("text", ["1" + "+1" * 999, "-" * 900 + "1", "1" + "**1" * 600, "(" * 150 + "1" + ")" * 150])
def test_depth_is_calculated_or_refused(text: str) -> None:
    try:
        steps = parse(text)
    except ExpressionError as error:
        assert re.search("nested too deeply|from here on", str(error))
    else:
        assert calculate(steps, float, float, lambda name, *a: OPERATIONS[name].value(*a)) == eval(text)


def test_far_too_deep_is_refused() -> None:
    with pytest.raises(ExpressionError, match="column"):
        parse("(" * 999 + "1" + ")" * 999)


@given(st.text(max_size=60) | st.text("ab12.+-*/() exprlugo_", max_size=40))
@example("\ud800")
@example("0_7")
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        steps = parse(text)
    except ExpressionError as error:
        column = re.match(r"column (\d+): .", str(error))
        assert column
        assert 1 <= int(column[1]) <= len(text) + 1
    else:
        assert all(parent < index for index, step in enumerate(steps) for parent in step.parents)
