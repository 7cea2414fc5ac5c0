"""The explanation of an expression as text: its computational graph, and both modes of differentiation on it."""

from collections.abc import Iterator, Sequence
from itertools import count
from string import ascii_lowercase
from typing import Any, NamedTuple

from bpcli.gradcheck.expression import Step, calculate, names
from bpcli.gradcheck.graph import CONSTANT, INPUT, Graph, Node
from bpcli.gradcheck.operations import OPERATIONS


class Explained(NamedTuple):
    """An expression's graph, all the derivatives on it, and the labels of its nodes.

    Attributes:
        graph: its last node is the result.
        labels: of each node; a constant's is its value.
        wrt: the input of the forward mode; None if there are no inputs.
        forward: the derivative of each node by that input.
        reverse: the derivative of the result by each node.
    """

    graph: Graph
    labels: list[str]
    wrt: int | None
    forward: list[float]
    reverse: list[float]


def explained(steps: Sequence[Step], values: dict[str, float], wrt: str | None) -> Explained:
    """Return the graph of an expression for values of its names, differentiated in both modes.

    Args:
        steps: from `expression.parse`.
        values: of each name in it.
        wrt: the name by which the forward mode differentiates; None for the first.

    Raises:
        GraphError: a value or a derivative is not defined.
    """
    graph = Graph()
    sources = {name: graph.input(values[name]) for name in names(steps)}
    target = calculate(steps, sources.__getitem__, graph.constant, graph.apply)
    source = sources[wrt] if wrt is not None else next(iter(sources.values()), None)
    forward = [0.0] * len(graph.nodes) if source is None else graph.forward(source)
    return Explained(graph, _labels(graph, list(sources)), source, forward, graph.reverse(target))


def _labels(graph: Graph, inputs: Sequence[str]) -> list[str]:
    """Return a label for each node: an input's name, a constant's value, for all others the next free letter."""
    named, free = iter(inputs), _free_names(set(inputs))
    return [
        next(named) if node.operation == INPUT else _shown(node.value) if node.operation == CONSTANT else next(free)
        for node in graph.nodes
    ]


def _free_names(taken: set[str]) -> Iterator[str]:
    """Yield a, b, c to z, a1, b1 and so on, without those that are taken."""
    for round_ in count():
        for letter in ascii_lowercase:
            if (name := f"{letter}{round_ or ''}") not in taken:
                yield name


def as_text(expression: str, explained: Explained) -> list[str]:
    """Return the explanation for people, line by line."""
    graph, labels = explained.graph, explained.labels
    inputs = sum(node.operation == INPUT for node in graph.nodes)
    lines = [expression.strip(), "", "values"]
    lines += [f"  {line}" for line in _value_lines(explained)]
    if explained.wrt is None:
        return [*lines, "", "no inputs: nothing to differentiate by"]
    return [
        *lines,
        "",
        f"forward mode: how much each node changes with {labels[explained.wrt]}, from the inputs up",
        *(f"  {line}" for line in _forward_lines(explained)),
        "",
        f"reverse mode: how much {labels[-1]} changes with each node, from {labels[-1]} down",
        *(f"  {line}" for line in _reverse_lines(explained)),
        "",
        f"passes for all derivatives of {labels[-1]}: forward mode {inputs}, one for each input; reverse mode 1",
    ]


def _value_lines(explained: Explained) -> list[str]:
    """Return every node with its value; constants stand where they are used."""
    labels, nodes = explained.labels, explained.graph.nodes
    return [
        " = ".join([label, *_meaning(node, labels), _shown(node.value)])
        for label, node in zip(labels, nodes, strict=True)
        if node.operation != CONSTANT or len(nodes) == 1
    ]


def _forward_lines(explained: Explained) -> list[str]:
    """Return ∂node/∂input of every node, from those of its arguments: the sum over the incoming edges."""
    labels, forward = explained.labels, explained.forward
    by = labels[explained.wrt or 0]
    lines = []
    for label, node, derivative in zip(labels, explained.graph.nodes, forward, strict=True):
        edges = [
            (_ratio(label, labels[parent]), partial, _ratio(labels[parent], by), forward[parent])
            for parent, partial in zip(node.parents, node.partials, strict=True)
            if explained.graph.nodes[parent].varies
        ]
        if node.varies:
            lines.append(_sum_line(_ratio(label, by), edges, derivative))
    return lines


def _reverse_lines(explained: Explained) -> list[str]:
    """Return ∂result/∂node of every node, from those of the nodes that use it: the sum over the outgoing edges."""
    labels, nodes, reverse = explained.labels, explained.graph.nodes, explained.reverse
    edges: list[list[tuple[str, float, str, float]]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for parent, partial in zip(node.parents, node.partials, strict=True):
            factor = _ratio(labels[-1], labels[index]), reverse[index]
            edges[parent].append((*factor, _ratio(labels[index], labels[parent]), partial))
    return [
        _sum_line(_ratio(labels[-1], labels[index]), edges[index], reverse[index])
        for index in reversed(range(len(nodes)))
        if nodes[index].varies
    ]


def _sum_line(ratio: str, edges: Sequence[tuple[str, float, str, float]], derivative: float) -> str:
    """Return one derivative as a sum of products: in symbols, in numbers, and the result."""
    if not edges:
        return f"{ratio} = {_shown(derivative)}"
    symbols = " + ".join(f"{one}·{other}" for one, _, other, _ in edges)
    numbers = " + ".join(f"{_factor(one)}·{_factor(other)}" for _, one, _, other in edges)
    return f"{ratio} = {symbols} = {numbers} = {_shown(derivative)}"


def as_dot(explained: Explained) -> list[str]:
    """Return the graph for Graphviz: values in the nodes, local derivatives at the edges."""
    labels, nodes = explained.labels, explained.graph.nodes
    lines = ["digraph {", "  rankdir=BT", "  node [shape=box]"]
    for index, (label, node) in enumerate(zip(labels, nodes, strict=True)):
        text = label if node.operation == CONSTANT else " = ".join([label, *_meaning(node, labels), _shown(node.value)])
        derivative = f"\\n{_ratio(labels[-1], label)} = {_shown(explained.reverse[index])}" if node.varies else ""
        lines.append(f'  n{index} [label="{text}{derivative}"]')
    for index, node in enumerate(nodes):
        for parent, partial in zip(node.parents, node.partials, strict=True):
            ratio = f' [label="{_ratio(labels[index], labels[parent])} = {_shown(partial)}"]'
            lines.append(f"  n{parent} -> n{index}{ratio if nodes[parent].varies else ''}")
    return [*lines, "}"]


def as_record(expression: str, explained: Explained) -> dict[str, Any]:
    """Return the explanation for programs; the names of nodes are unique, those of constants are None."""
    labels, nodes = explained.labels, explained.graph.nodes
    return {
        "expression": expression,
        "value": nodes[-1].value,
        "nodes": [
            {
                "name": None if node.operation == CONSTANT else label,
                "operation": node.operation,
                "arguments": node.parents,
                "value": node.value,
                "partials": node.partials,
                "forward": forward,
                "reverse": reverse,
            }
            for label, node, forward, reverse in zip(labels, nodes, explained.forward, explained.reverse, strict=True)
        ],
        "wrt": None if explained.wrt is None else labels[explained.wrt],
        "passes": {"forward": sum(node.operation == INPUT for node in nodes), "reverse": 1},
    }


def _meaning(node: Node, labels: Sequence[str]) -> list[str]:
    """Return the formula of a node; empty for inputs and constants."""
    if not node.parents:
        return []
    return [OPERATIONS[node.operation].text.format(*(labels[parent] for parent in node.parents))]


def _ratio(of: str, by: str) -> str:
    return f"∂{of}/∂{by}"


def _shown(number: float) -> str:
    return f"{number + 0.0:.10g}"  # adding 0.0 turns −0 into 0


def _factor(number: float) -> str:
    """Return a number as a factor of a product."""
    return f"({_shown(number)})" if number < 0 else _shown(number)
