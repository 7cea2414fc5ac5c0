"""The graph's derivatives against differences, and what can't be calculated."""

import math
import re
from math import exp, log, tanh
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bpcli.gradcheck import expression as language
from bpcli.gradcheck.graph import Graph, GraphError
from bpcli.gradcheck.operations import OPERATIONS

VALUE = st.floats(-3, 3).filter(lambda value: abs(value) > 0.05)
FUNCTIONS = ("relu", "sigmoid", "tanh", "exp", "log")
EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "z", "0.5", "2"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{}({})".format, st.sampled_from(FUNCTIONS), inner),
        st.builds("(-{})".format, inner),
        st.builds("({})**{}".format, inner, st.sampled_from(["2", "3", "-1", "0.5", "x"])),
    ),
    max_leaves=8,
)


def value(expression: str, point: dict[str, float]) -> float:
    """The expression as Python itself calculates it."""
    names: dict[str, Any] = {
        "relu": lambda a: max(a, 0.0),
        "sigmoid": lambda a: 1 / (1 + exp(-a)),
        "tanh": tanh,
        "exp": exp,
        "log": log,
    }
    return float(eval(expression, {"__builtins__": {}}, names | point))


def graph_of(expression: str, point: dict[str, float]) -> tuple[Graph, dict[str, int], int]:
    graph, steps = Graph(), language.parse(expression)
    inputs = {name: graph.input(point[name]) for name in language.names(steps)}
    return graph, inputs, language.calculate(steps, inputs.__getitem__, graph.constant, graph.apply)


@given(expression=EXPRESSIONS, point=st.fixed_dictionaries({"x": VALUE, "y": VALUE, "z": VALUE}))
def test_both_modes_give_what_differences_give(expression: str, point: dict[str, float]) -> None:
    try:
        graph, inputs, target = graph_of(expression, point)
        derivatives = graph.reverse(target)
    except GraphError:
        assume(False)
    assert graph.nodes[target].value == pytest.approx(value(expression, point), rel=1e-12, abs=1e-12)
    assume(max(abs(node.value) for node in graph.nodes) < 1e4)
    for name, source in inputs.items():
        assert graph.forward(source)[target] == pytest.approx(derivatives[source], rel=1e-9, abs=1e-9)
        step = 1e-6
        try:
            near = [value(expression, point | {name: point[name] + k * step}) for k in (-2, -1, 0, 1, 2)]
        except (ArithmeticError, ValueError, TypeError):
            continue  # a difference would leave the domain
        left, right = (near[2] - near[0]) / (2 * step), (near[4] - near[2]) / (2 * step)
        if abs(left - right) < 1e-3 * (1 + abs(left)):  # otherwise a kink, or a curve too sharp for differences
            assert derivatives[source] == pytest.approx((near[3] - near[1]) / (2 * step), rel=1e-3, abs=1e-4)


def test_the_texts_example() -> None:
    graph, inputs, target = graph_of("(a+b)*(b+1)", {"a": 2, "b": 1})
    assert graph.nodes[target].value == 6
    derivatives = graph.reverse(target)
    assert (derivatives[inputs["a"]], derivatives[inputs["b"]]) == (2, 5)
    assert [graph.forward(inputs[name])[target] for name in "ab"] == [2, 5]


def test_reverse_mode_reaches_nothing_that_comes_later() -> None:
    graph, inputs, _ = graph_of("x*x + exp(x)", {"x": 3})
    square = next(index for index, node in enumerate(graph.nodes) if node.operation == "*")
    assert graph.reverse(square)[inputs["x"]] == 6


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_derivative_by_each_argument(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation.text.count("{}") == len(operation.partials)


def test_large_arguments_of_sigmoid_lose_nothing() -> None:
    graph, inputs, target = graph_of("sigmoid(x)", {"x": -700.0})
    assert graph.nodes[target].value == pytest.approx(exp(-700), rel=1e-12)
    graph, inputs, target = graph_of("sigmoid(x)", {"x": 700.0})
    assert graph.reverse(target)[inputs["x"]] == pytest.approx(exp(-700), rel=1e-12)


@pytest.mark.parametrize(
    ("expression", "x", "complaint"),
    [
        ("log(x)", 0.0, "log(0) is not defined"),
        ("log(x)", -1.0, "log((-1)) is not defined"),
        ("1/x", 0.0, "1 / 0 divides by zero"),
        ("x**-1", 0.0, "0 ** (-1) is not defined"),
        ("x**0.5", -2.0, "(-2) ** 0.5 is not defined"),
        ("x**0.5", 0.0, "the derivative of 0 ** 0.5 by 0 is not defined"),
        ("2**x*(0-2)**x", 2.0, "the derivative of (-2) ** 2 by 2 is not defined"),
        ("exp(x)", 1000.0, "exp(1000) is too large"),
        ("x*x", 1e200, "1e+200 · 1e+200 is too large"),
        ("x**x", 500.0, "500 ** 500 is too large"),
        ("1/(x*x)", 1e-150, "the derivative of 1 / 1e-300 by 1e-300 is too large"),
    ],
)
def test_what_is_not_defined_or_too_large_is_refused(expression: str, x: float, complaint: str) -> None:
    with pytest.raises(GraphError, match=re.escape(complaint)):
        graph_of(expression, {"x": x})


def test_derivatives_too_large_are_refused_in_both_modes() -> None:
    graph = Graph()
    x = graph.input(1e-200)
    up = graph.apply("*", graph.apply("*", x, graph.constant(1e200)), graph.constant(1e200))
    with pytest.raises(GraphError, match="a derivative is too large"):
        graph.forward(x)
    with pytest.raises(GraphError, match="a derivative is too large"):
        graph.reverse(up)


@pytest.mark.parametrize(("base", "derivative"), [(0.0, 0.0), (2.0, 8 * log(2)), (0.5, 0.125 * log(0.5))])
def test_powers_by_their_exponent(base: float, derivative: float) -> None:
    graph = Graph()
    exponent = graph.input(3.0)
    target = graph.apply("**", graph.constant(base), exponent)
    assert graph.reverse(target)[exponent] == pytest.approx(derivative)


def test_to_the_power_of_zero() -> None:
    graph, inputs, target = graph_of("x**0", {"x": 0.0})
    assert (graph.nodes[target].value, graph.reverse(target)[inputs["x"]]) == (1, 0)


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # many expressions are not defined, or too steep
@given(expression=EXPRESSIONS.map("x*({})".format), point=st.fixed_dictionaries({"x": VALUE, "y": VALUE, "z": VALUE}))
def test_the_second_derivative_is_the_difference_of_the_first(expression: str, point: dict[str, float]) -> None:
    step = 1e-6
    try:
        graph, inputs, target = graph_of(expression, point)
        assume(max(abs(node.value) for node in graph.nodes) < 1e3)
        first, second = graph.second(inputs["x"], target)
        near = []
        for k in (-2, -1, 1, 2):
            moved, sources, end = graph_of(expression, point | {"x": point["x"] + k * step})
            near.append(moved.reverse(end)[sources["x"]])
    except GraphError:
        assume(False)
    assert first == pytest.approx(graph.reverse(target)[inputs["x"]], rel=1e-12, abs=1e-12)
    wide, narrow = (near[3] - near[0]) / (4 * step), (near[2] - near[1]) / (2 * step)
    assume(abs(wide - narrow) < 1e-5 * (1 + abs(narrow)))  # a kink or a steep place is between
    assert second == pytest.approx(narrow, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("expression", "x", "second"),
    [("x**3", 2, 12), ("x**1", 0, 0), ("x**2", 0, 2), ("1/x", 2, 0.25), ("log(x)", 2, -0.25), ("exp(3*x)", 0, 9),
     ("erf(x)", 0.5, -4 / math.sqrt(math.pi) * 0.5 * exp(-0.25)), ("x**x", 1, 2), ("relu(x)*x", 3, 2), ("7+0*x", 1, 0)],
)  # fmt: skip
def test_second_derivatives_known_from_the_textbook(expression: str, x: float, second: float) -> None:
    graph, inputs, target = graph_of(expression, {"x": x})
    assert graph.second(inputs["x"], target)[1] == pytest.approx(second, rel=1e-12)


def test_a_second_derivative_that_is_not_defined_is_refused() -> None:
    graph, inputs, target = graph_of("x**1.5", {"x": 0.0})
    assert graph.reverse(target)[inputs["x"]] == 0
    with pytest.raises(GraphError, match=r"second derivative of 0 \*\* 1.5"):
        graph.second(inputs["x"], target)
