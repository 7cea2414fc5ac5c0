"""The reference for the gradient check: the loss, computed straight from its formulas.

It shares nothing with the network's kernels. With complex arrays, the imaginary part carries a derivative, so no
nearly equal numbers are subtracted (Squire, Trapp 1998, Using Complex Variables to Estimate Derivatives of Real
Functions). `derivatives` replaces the arrays by a graph with a node for every number.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.core.parameters import Layer
from bpcli.gradcheck.expression import calculate, parse
from bpcli.gradcheck.graph import Graph

Numbers: TypeAlias = NDArray[Any]  # float64 or complex128
Pair: TypeAlias = tuple[str, str]  # the names of an output function and a loss

SPREAD = 1.0
ERF_IS_ONE = 6.0  # from here on, erf differs from ±1 by less than rounding
ERF_TERMS = 130  # of its series, enough for all smaller arguments


class Formulas(NamedTuple):
    """The formulas of a network: one for each hidden layer, and the names of a row of `LOSSES`."""

    hidden: tuple[str, ...]
    output: Pair


class ForwardResult(NamedTuple):
    """The result of `losses`: the loss of each image, and on which side of its kink each ReLU was, (batch, …)."""

    losses: Numbers
    sides: list[Numbers]


def losses(
    formulas: Formulas, layers: Sequence[Layer], x: Numbers, y: Numbers, masks: Sequence[Numbers] = ()
) -> ForwardResult:
    """Return the loss of each image, (batch,), and the side of each ReLU.

    Args:
        formulas: the formulas of the network.
        layers: real or complex parameters.
        x: (batch, inputs).
        y: (batch, classes).
        masks: the factors by which dropout multiplies each hidden layer's activations; empty without dropout.
    """
    a: Numbers = x
    sides: list[Numbers] = []
    for index, formula in enumerate(formulas.hidden):
        a = activated(formula, a @ layers[index].weight + layers[index].bias, sides)
        if masks:
            a = a * masks[index]
    return ForwardResult(LOSSES[formulas.output](a @ layers[-1].weight + layers[-1].bias, y), sides)


def activated(formula: str, z: Numbers, sides: list[Numbers]) -> Numbers:
    """Return f(z) of a formula; note in `sides` where the argument of each relu in it is positive."""

    def apply(name: str, *arguments: Numbers) -> Numbers:
        if name == "relu":
            sides.append(arguments[0].real > 0)
        return ARRAYS[name](*arguments)

    return calculate(parse(formula), lambda _: z, np.asarray, apply)


def rescale(formulas: Formulas, layers: Sequence[Layer], x: Numbers) -> None:
    """Scale layers down, in place, until no layer's weighted inputs have a root mean square above `SPREAD`.

    If every unit is saturated or each layer inflates the next, all digits of a gradient are rounding errors. Then no
    two methods agree, even if both are right.
    """
    a = x
    for layer, formula in zip(layers, (*formulas.hidden, "z"), strict=True):
        z = a @ layer.weight + layer.bias
        factor = SPREAD / max(float(np.sqrt(np.square(z).mean())), SPREAD)
        layer.weight[:] *= factor
        layer.bias[:] *= factor
        a = activated(formula, z * factor, [])


def sigmoid(z: Numbers) -> Numbers:
    """Return σ(z), in the form whose exponential can't overflow."""
    small = np.exp(np.where(z.real > 0, -z, z))
    value: Numbers = np.where(z.real > 0, 1, small) / (1 + small)
    return value


def softplus(z: Numbers) -> Numbers:
    """Return ln(1 + e^z), also without overflow."""
    value: Numbers = np.where(z.real > 0, z, 0) + np.log1p(np.exp(np.where(z.real > 0, -z, z)))
    return value


def erf(z: Numbers) -> Numbers:
    """Return the error function, also of complex numbers: 2/√π·e^−z²·Σ 2ⁿz^(2n+1)/(1·3·5·…·(2n+1)).

    (Abramowitz, Stegun 1964, 7.1.6.) All terms have the sign of z, so nothing is lost by subtraction.
    """
    inner = np.where(abs(z.real) < ERF_IS_ONE, z, 0)
    term = total = inner * np.exp(-inner * inner)
    for n in range(1, ERF_TERMS):
        term = term * (2 / (2 * n + 1)) * inner * inner
        total = total + term
    value: Numbers = np.where(abs(z.real) < ERF_IS_ONE, 2 / np.sqrt(np.pi) * total, np.sign(z.real))
    return value


def log_sum(z: Numbers) -> Numbers:
    """Return the logarithm of Σ e^z over each row."""
    top = z.real.max(axis=1, keepdims=True)
    summed: Numbers = np.log(np.exp(z - top).sum(axis=1)) + top[:, 0]
    return summed


ARRAYS: dict[str, Callable[..., Numbers]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power, "negative": np.negative,
    "relu": lambda z: np.where(z.real > 0, z, 0), "sigmoid": sigmoid, "tanh": np.tanh, "exp": np.exp, "log": np.log,
    "erf": erf,
}  # fmt: skip

LOSSES: dict[Pair, Callable[[Numbers, Numbers], Numbers]] = {
    ("sigmoid", "binary_cross_entropy"): lambda z, y: (softplus(z) - y * z).sum(axis=1),
    ("softmax", "cross_entropy"): lambda z, y: log_sum(z) - (y * z).sum(axis=1),
    ("sigmoid", "quadratic"): lambda z, y: ((sigmoid(z) - y) ** 2).sum(axis=1) / 2,
    ("identity", "quadratic"): lambda z, y: ((z - y) ** 2).sum(axis=1) / 2,
}


class Derivatives(NamedTuple):
    """The mean loss, its derivatives by the parameters, and δ, its derivatives by the weighted inputs."""

    loss: float
    gradients: list[Layer]
    deltas: list[Numbers]


def derivatives(
    formulas: Formulas, layers: Sequence[Layer], x: Numbers, y: Numbers, masks: Sequence[Numbers] = ()
) -> Derivatives:
    """Return the derivatives of the mean loss, with a graph node for every number: for small networks only.

    Raises:
        GraphError: a number is too large or a derivative is not defined.
    """
    graph = Graph()
    inputs = [Layer(*(_each(graph.input, array) for array in layer)) for layer in layers]
    weighted: list[list[list[int]]] = [[] for _ in layers]
    total = graph.constant(0.0)
    for number, (image, target) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        a = [graph.constant(pixel) for pixel in image]
        for index, layer in enumerate(inputs):
            weighted[index].append(z := _weighted(graph, a, layer))
            if index < len(formulas.hidden):
                a = [_activated(graph, formulas.hidden[index], each) for each in z]
                if masks:
                    a = [_scaled(graph, *pair) for pair in zip(masks[index][number].tolist(), a, strict=True)]
        total = graph.apply("+", total, GRAPHS[formulas.output](graph, z, target))
    mean = graph.apply("/", total, graph.constant(float(len(x))))
    reverse = np.array(graph.reverse(mean))
    gradients = [Layer(reverse[layer.weight], reverse[layer.bias]) for layer in inputs]
    return Derivatives(graph.nodes[mean].value, gradients, [reverse[np.array(each)] for each in weighted])


def _each(function: Callable[[float], int], array: Numbers) -> Numbers:
    """Return a node for each number of an array, in its shape."""
    return np.array([function(number) for number in array.ravel().tolist()]).reshape(array.shape)


def _weighted(graph: Graph, a: Sequence[int], layer: Layer) -> list[int]:
    """Return the weighted input z of each unit, added up term by term."""
    units = []
    for weights, z in zip(layer.weight.T.tolist(), layer.bias.tolist(), strict=True):
        for unit, weight in zip(a, weights, strict=True):
            z = graph.apply("+", z, graph.apply("*", unit, weight))
        units.append(z)
    return units


def _activated(graph: Graph, formula: str, z: int) -> int:
    return calculate(parse(formula), lambda _: z, graph.constant, graph.apply)


def _sum(graph: Graph, nodes: Sequence[int]) -> int:
    total = nodes[0]
    for node in nodes[1:]:
        total = graph.apply("+", total, node)
    return total


def _scaled(graph: Graph, factor: float, node: int) -> int:
    return graph.apply("*", graph.constant(factor), node)


def _cross_entropy(graph: Graph, z: Sequence[int], y: Sequence[float]) -> int:
    """Return the loss ln Σ e^z − Σ y·z; the largest z is subtracted as a constant, which changes nothing."""
    top = graph.constant(max(graph.nodes[node].value for node in z))
    exponentials = [graph.apply("exp", graph.apply("-", node, top)) for node in z]
    log_sum = graph.apply("+", graph.apply("log", _sum(graph, exponentials)), top)
    return graph.apply("-", log_sum, _sum(graph, [_scaled(graph, *pair) for pair in zip(y, z, strict=True)]))


def _binary_cross_entropy(graph: Graph, z: Sequence[int], y: Sequence[float]) -> int:
    """Return Σ ln(1 + e^z) − y·z; z is taken out of the logarithm where e^z could overflow."""
    terms = []
    for node, target in zip(z, y, strict=True):
        positive = graph.nodes[node].value > 0
        small = graph.apply("exp", graph.apply("negative", node) if positive else node)
        logarithm = graph.apply("log", graph.apply("+", graph.constant(1.0), small))
        terms.append(graph.apply("+", logarithm, _scaled(graph, positive - target, node)))
    return _sum(graph, terms)


def _quadratic(graph: Graph, p: Sequence[int], y: Sequence[float]) -> int:
    """Return ½ Σ (p − y)²."""
    two = graph.constant(2.0)
    squares = [
        graph.apply("**", graph.apply("-", node, graph.constant(target)), two)
        for node, target in zip(p, y, strict=True)
    ]
    return _scaled(graph, 0.5, _sum(graph, squares))


GRAPHS: dict[Pair, Callable[[Graph, Sequence[int], Sequence[float]], int]] = {
    ("sigmoid", "binary_cross_entropy"): _binary_cross_entropy,
    ("softmax", "cross_entropy"): _cross_entropy,
    ("sigmoid", "quadratic"): lambda graph, z, y: _quadratic(graph, [graph.apply("sigmoid", node) for node in z], y),
    ("identity", "quadratic"): _quadratic,
}
