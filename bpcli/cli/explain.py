"""`bpcli explain`: the computational graph of an expression, and both ways to differentiate on it."""

from __future__ import annotations

from itertools import count
from math import isfinite
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bpcli.cli.options import print_json, print_text
from bpcli.core.expression import ExpressionError, calculate, names, normal, parse
from bpcli.core.graph import CONSTANT, INPUT, OPERATIONS, Graph, GraphError, Node
from bpcli.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Explained(NamedTuple):
    """An expression's graph, all the derivatives on it, and the names that its nodes are shown by.

    Attributes:
        graph: its last node is the result.
        labels: of each node; a constant's is its value.
        wrt: the input of the forward mode, None if there are no inputs.
        forward: the derivative of each node by that input.
        reverse: the derivative of the result by each node.
    """

    graph: Graph
    labels: list[str]
    wrt: int | None
    forward: list[float]
    reverse: list[float]


@click.command()
@click.argument("expression", metavar="EXPR")
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--wrt", metavar="NAME", help="The input of the forward mode.  [default: the first in EXPR]")
@click.option("--dot", "as_dot", is_flag=True, help="Print the graph in Graphviz' language instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(expression: str, inputs: tuple[str, ...], wrt: str | None, as_dot: bool, as_json: bool) -> None:
    """Show the computational graph of an expression and its derivatives, step by step.

    EXPR may have numbers, names, + - * / **, parentheses, relu, sigmoid, tanh, exp and log. An EXPR that begins with
    a minus comes after --, as in: bpcli explain -- '-x*y' x=1 y=2
    """
    explained = _explained(expression, inputs, wrt)
    if as_json:
        print_json(_record(expression, explained))
    else:
        print_text("\n".join(_dot(explained) if as_dot else _text(expression, explained)))


def _explained(expression: str, inputs: Sequence[str], wrt: str | None) -> Explained:
    """The graph of an expression for values of its names, differentiated both ways.

    Raises:
        ArgumentError: the expression or an input is malformed, or something has no value.
    """
    try:
        steps = parse(expression)
        given = _values(inputs, names(steps))
        graph = Graph()
        sources = {name: graph.input(given[name]) for name in names(steps)}
        target = calculate(steps, sources.__getitem__, graph.constant, graph.apply)
        source = _source(wrt, sources)
        forward = [0.0] * len(graph.nodes) if source is None else graph.forward(source)
        return Explained(graph, _labels(graph, list(sources)), source, forward, graph.reverse(target))
    except (ExpressionError, GraphError) as error:
        raise ArgumentError(f"{_short(expression)}: {error}") from error


def _values(inputs: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """The value of each name that the expression has, from NAME=VALUE arguments."""
    values: dict[str, float] = {}
    for given in inputs:
        name, equals, text = given.partition("=")
        name = normal(name.strip())
        if not equals or not name:
            raise ArgumentError(f"{_short(given)}: expected NAME=VALUE, such as x=0.5")
        if name in values:
            raise ArgumentError(f"{_short(given)}: {_short(name)} has a value already, {values[name]:.10g}")
        if name not in wanted:
            there = f"it has {', '.join(wanted)}" if wanted else "it has no names at all"
            raise ArgumentError(f"{_short(given)}: there is no {_short(name)} in the expression; {there}")
        values[name] = _number(given, text)
    for name in wanted:
        if name not in values:
            raise ArgumentError(f"{name} has no value; add one, such as {name}=2")
    return values


def _number(given: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ArgumentError(f"{_short(given)}: expected a number after the =") from None
    if not isfinite(value):
        raise ArgumentError(f"{_short(given)}: expected a finite number")
    return value


def _source(name: str | None, sources: dict[str, int]) -> int | None:
    """The node of the input that was asked for, by default the first; None if there are no inputs."""
    if name is None:
        return next(iter(sources.values()), None)
    if normal(name) not in sources:
        raise ArgumentError(f"--wrt {_short(name)}: the expression has {', '.join(sources) or 'no inputs'}")
    return sources[normal(name)]


def _labels(graph: Graph, inputs: Sequence[str]) -> list[str]:
    """A label for each node: the input's name, the constant's value, for all others the next free letter."""
    named, free = iter(inputs), _free_names(set(inputs))
    return [
        next(named) if node.operation == INPUT else _shown(node.value) if node.operation == CONSTANT else next(free)
        for node in graph.nodes
    ]


def _free_names(taken: set[str]) -> Iterator[str]:
    """a, b, c to z, a1, b1 and so on, without those that are taken."""
    for round_ in count():
        for letter in ascii_lowercase:
            if (name := f"{letter}{round_ or ''}") not in taken:
                yield name


def _text(expression: str, explained: Explained) -> list[str]:
    """Everything, for people."""
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
    """Every node with its value; constants stand where they are used."""
    labels, nodes = explained.labels, explained.graph.nodes
    return [
        " = ".join([label, *_meaning(node, labels), _shown(node.value)])
        for label, node in zip(labels, nodes, strict=True)
        if node.operation != CONSTANT or len(nodes) == 1
    ]


def _forward_lines(explained: Explained) -> list[str]:
    """∂node/∂input of every node, each from those of its arguments: the sum over the edges that come in."""
    labels, forward = explained.labels, explained.forward
    by = labels[explained.wrt or 0]
    lines = []
    for label, node, slope in zip(labels, explained.graph.nodes, forward, strict=True):
        edges = [
            (_ratio(label, labels[parent]), partial, _ratio(labels[parent], by), forward[parent])
            for parent, partial in zip(node.parents, node.partials, strict=True)
            if explained.graph.nodes[parent].varies
        ]
        if node.varies:
            lines.append(_sum_line(_ratio(label, by), edges, slope))
    return lines


def _reverse_lines(explained: Explained) -> list[str]:
    """∂result/∂node of every node, each from those of what it is used for: the sum over the edges that go out."""
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


def _sum_line(ratio: str, edges: Sequence[tuple[str, float, str, float]], slope: float) -> str:
    """One derivative as a sum of products: in symbols, in numbers, and what it comes to."""
    if not edges:
        return f"{ratio} = {_shown(slope)}"
    symbols = " + ".join(f"{one}·{other}" for one, _, other, _ in edges)
    numbers = " + ".join(f"{_factor(one)}·{_factor(other)}" for _, one, _, other in edges)
    return f"{ratio} = {symbols} = {numbers} = {_shown(slope)}"


def _dot(explained: Explained) -> list[str]:
    """The graph for Graphviz: values in the nodes, local derivatives at the edges."""
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


def _record(expression: str, explained: Explained) -> dict[str, Any]:
    """Everything, for programs; the names of nodes are unique, those of constants are None."""
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
    """How a node is calculated, if it is."""
    if not node.parents:
        return []
    return [OPERATIONS[node.operation].text.format(*(labels[parent] for parent in node.parents))]


def _ratio(of: str, by: str) -> str:
    return f"∂{of}/∂{by}"


def _shown(number: float) -> str:
    return f"{number + 0.0:.10g}"  # without the sign of a zero


def _factor(number: float) -> str:
    """A number as a factor of a product."""
    return f"({_shown(number)})" if number < 0 else _shown(number)


def _short(text: str) -> str:
    """What the user gave, as it may stand in a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."
