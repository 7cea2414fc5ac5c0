"""The computational graph of numbers: backpropagation without matrices that hide it.

Every node is an operation on earlier nodes, and keeps the derivative of its value by each of them. Both modes of
differentiation sum products of these along the edges: forward mode from an input upwards, reverse mode from an output
downwards (Christopher Olah, Calculus on Computational Graphs: Backpropagation, 2015).
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bpcli.gradcheck.operations import OPERATIONS, Dual, Number, plain


class GraphError(ArithmeticError):
    """A value or a derivative that is not defined, or too large for a floating-point number."""


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

    def second(self, source: int, target: int) -> tuple[float, float]:
        """Return the first and the second derivative of `target` by `source`.

        Forward mode over reverse mode: the pass of `reverse`, with dual numbers whose tangents are those of `forward`.

        Raises:
            GraphError: a derivative is not defined or too large.
        """
        duals: list[Number] = [
            Dual(node.value, tangent) if node.varies else node.value
            for node, tangent in zip(self.nodes, self.forward(source), strict=True)
        ]
        derivatives: list[Number] = [Dual(0.0, 0.0)] * len(self.nodes)
        derivatives[target] = Dual(1.0, 0.0)
        for index in reversed(range(target + 1)):
            for parent, partial in self._dual_partials(index, duals):
                derivatives[parent] += derivatives[index] * partial
        found = derivatives[source]
        first, second = (found.value, found.tangent) if isinstance(found, Dual) else (found, 0.0)
        return first, _all_finite([second])[0]

    def _dual_partials(self, index: int, duals: Sequence[Number]) -> Iterator[tuple[int, Number]]:
        """Yield the arguments of a node that vary, each with the node's derivative by it as a dual number."""
        node = self.nodes[index]
        if not node.parents:
            return
        arguments = [duals[parent] for parent in node.parents]
        for parent, partial in zip(node.parents, OPERATIONS[node.operation].partials, strict=True):
            if self.nodes[parent].varies:
                text = OPERATIONS[node.operation].text.format(*(_written(plain(each)) for each in arguments))
                yield parent, _defined(f"the second derivative of {text}", partial, duals[index], *arguments)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1


def _written(number: float) -> str:
    """Return a number for a formula."""
    return f"({number:.10g})" if number < 0 else f"{number:.10g}"


def _finite(what: str, function: Callable[..., Number], *arguments: Number) -> float:
    """Return the function's value without its tangent; refuse one that is undefined or too large."""
    return plain(_defined(what, function, *arguments))


def _defined(what: str, function: Callable[..., Number], *arguments: Number) -> Number:
    """Return the function's value; refuse one that is undefined or too large."""
    try:
        number = function(*arguments)
    except ZeroDivisionError:
        raise GraphError(f"{what} divides by zero") from None
    except OverflowError:
        number = math.inf
    except ValueError:  # how the functions of math refuse an argument
        raise GraphError(f"{what} is not defined") from None
    if not math.isfinite(plain(number)):
        raise GraphError(f"{what} is too large for a floating-point number")
    return number


def _all_finite(derivatives: list[float]) -> list[float]:
    if not all(map(math.isfinite, derivatives)):
        raise GraphError("a derivative is too large for a floating-point number")
    return derivatives
