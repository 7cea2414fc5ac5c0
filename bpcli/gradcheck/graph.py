"""The computational graph of numbers: backpropagation without matrices that hide it.

Every node is an operation on earlier nodes, and keeps the derivative of its value by each of them. Both modes of
differentiation sum products of these along the edges: forward mode from an input upwards, reverse mode from an output
downwards (Christopher Olah, Calculus on Computational Graphs: Backpropagation, 2015).
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Partial = Callable[..., float]


class GraphError(ArithmeticError):
    """A value or a derivative that is not defined, or too large for a floating-point number."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of one or two numbers and, beside it, its derivatives.

    Attributes:
        text: how it is written, with {} for each argument.
        value: f(a) or f(a, b).
        partials: ∂f/∂a, ∂f/∂b, each computed from f's own value and the arguments: `partial(value, a, b)`.
    """

    text: str
    value: Callable[..., float]
    partials: tuple[Partial, ...]


def sigmoid(z: float) -> float:
    """Return σ(z) = 1/(1 + e^−z) = e^z/(1 + e^z), in the form whose exponential can't overflow."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def _by_base(value: float, a: float, b: float) -> float:
    """Return ∂(a^b)/∂a = b·a^(b−1). For b = 0 it is 0, even where a^−1 is not defined."""
    return b * math.pow(a, b - 1) if b else 0.0


def _by_exponent(value: float, a: float, b: float) -> float:
    """Return ∂(a^b)/∂b = a^b·ln a. For a = 0 it is 0, because a^b stays 0 for every b > 0."""
    return value * math.log(a) if a or b <= 0 else 0.0


OPERATIONS: dict[str, Operation] = {
    "+": Operation("{} + {}", operator.add, (lambda f, a, b: 1.0, lambda f, a, b: 1.0)),
    "-": Operation("{} − {}", operator.sub, (lambda f, a, b: 1.0, lambda f, a, b: -1.0)),
    "*": Operation("{} · {}", operator.mul, (lambda f, a, b: b, lambda f, a, b: a)),
    "/": Operation("{} / {}", operator.truediv, (lambda f, a, b: 1 / b, lambda f, a, b: -f / b)),
    "**": Operation("{} ** {}", math.pow, (_by_base, _by_exponent)),
    "negative": Operation("−{}", operator.neg, (lambda f, a: -1.0,)),
    "relu": Operation("relu({})", lambda a: max(a, 0.0), (lambda f, a: float(a > 0),)),
    "sigmoid": Operation("sigmoid({})", sigmoid, (lambda f, a: f * sigmoid(-a),)),
    "tanh": Operation("tanh({})", math.tanh, (lambda f, a: (1 - f) * (1 + f),)),
    "exp": Operation("exp({})", math.exp, (lambda f, a: f,)),
    "erf": Operation("erf({})", math.erf, (lambda f, a: 2 / math.sqrt(math.pi) * math.exp(-a * a),)),
    "log": Operation("log({})", math.log, (lambda f, a: 1 / a,)),
}
INPUT, CONSTANT = "input", "constant"  # the operations of nodes without arguments


class Node(NamedTuple):
    """A node of the graph.

    Attributes:
        operation: a name in `OPERATIONS`, `INPUT` or `CONSTANT`.
        parents: the nodes of its arguments.
        value: its value.
        partials: its derivative by each parent; 0 for a parent that depends on no input.
        varies: whether it depends on an input.
    """

    operation: str
    parents: tuple[int, ...]
    value: float
    partials: tuple[float, ...]
    varies: bool


class Graph:
    """A graph that grows node by node. The index of a node identifies it, and is larger than those of its parents.

    Attributes:
        nodes: in an order in which they can be calculated.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def input(self, value: float) -> int:
        """Add an input, a number by which derivatives are wanted, and return its index."""
        return self._add(Node(INPUT, (), value, (), True))

    def constant(self, value: float) -> int:
        """Add a constant, a number by which none are wanted, and return its index."""
        return self._add(Node(CONSTANT, (), value, (), False))

    def apply(self, name: str, *parents: int) -> int:
        """Add an operation on existing nodes, with its value and its derivatives by them, and return its index.

        Raises:
            GraphError: the value or a derivative that is needed is not defined or too large.
        """
        operation, arguments = OPERATIONS[name], [self.nodes[parent].value for parent in parents]
        text = operation.text.format(*map(_written, arguments))
        value = _finite(text, operation.value, *arguments)
        partials = tuple(
            _finite(f"the derivative of {text} by {_written(argument)}", partial, value, *arguments)
            if self.nodes[parent].varies
            else 0.0
            for parent, argument, partial in zip(parents, arguments, operation.partials, strict=True)
        )
        varies = any(self.nodes[parent].varies for parent in parents)
        return self._add(Node(name, parents, value, partials, varies))

    def forward(self, source: int) -> list[float]:
        """Return the derivative of every node by `source`, in one pass from it upwards (forward mode).

        Raises:
            GraphError: a derivative is too large.
        """
        derivatives = [0.0] * len(self.nodes)
        derivatives[source] = 1.0
        for index, node in enumerate(self.nodes):
            if node.parents:
                derivatives[index] = sum(
                    map(operator.mul, node.partials, (derivatives[parent] for parent in node.parents))
                )
        return _all_finite(derivatives)

    def reverse(self, target: int) -> list[float]:
        """Return the derivative of `target` by every node, in one pass from it downwards (reverse mode).

        Raises:
            GraphError: a derivative is too large.
        """
        derivatives = [0.0] * len(self.nodes)
        derivatives[target] = 1.0
        for index in reversed(range(target + 1)):
            node = self.nodes[index]
            for parent, partial in zip(node.parents, node.partials, strict=True):
                derivatives[parent] += derivatives[index] * partial  # complete: the nodes that use it came before
        return _all_finite(derivatives)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1


def _written(number: float) -> str:
    """Return a number for a formula."""
    return f"({number:.10g})" if number < 0 else f"{number:.10g}"


def _finite(what: str, function: Callable[..., float], *arguments: float) -> float:
    """Return the function's value; refuse one that is undefined or too large."""
    try:
        number = function(*arguments)
    except ZeroDivisionError:
        raise GraphError(f"{what} divides by zero") from None
    except OverflowError:
        number = math.inf
    except ValueError:  # how the functions of math refuse an argument
        raise GraphError(f"{what} is not defined") from None
    if not math.isfinite(number):
        raise GraphError(f"{what} is too large for a floating-point number")
    return number


def _all_finite(derivatives: list[float]) -> list[float]:
    if not all(map(math.isfinite, derivatives)):
        raise GraphError("a derivative is too large for a floating-point number")
    return derivatives
