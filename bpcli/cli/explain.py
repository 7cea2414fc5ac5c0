"""`bpcli explain`: the computational graph of an expression, and both modes of differentiation on it."""

from collections.abc import Sequence
from math import isfinite

import click

from bpcli.cli.output import print_json, print_text
from bpcli.errors import ArgumentError
from bpcli.gradcheck.explanation import Explained, as_dot, as_record, as_text, explained
from bpcli.gradcheck.expression import ExpressionError, names, normal, parse
from bpcli.gradcheck.graph import GraphError


@click.command()
@click.argument("expression", metavar="EXPR")
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--wrt", metavar="NAME", help="The input of the forward mode.  [default: the first in EXPR]")
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz' language instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(expression: str, inputs: tuple[str, ...], wrt: str | None, dot: bool, as_json: bool) -> None:
    """Show the computational graph of an expression and its derivatives, step by step.

    EXPR may have numbers, names, + - * / **, parentheses, relu, sigmoid, tanh, exp, log and erf. An EXPR that begins
    with a minus comes after --, as in: bpcli explain -- '-x*y' x=1 y=2
    """
    found = _explained(expression, inputs, wrt)
    if as_json:
        print_json(as_record(expression, found))
    else:
        lines = "\n".join(as_dot(found) if dot else as_text(expression, found))
        print_text(lines.encode() if dot else lines)  # Graphviz reads UTF-8


def _explained(expression: str, inputs: Sequence[str], wrt: str | None) -> Explained:
    """Return the explanation of the expression for the values of its names.

    Raises:
        ArgumentError: the expression or an input is malformed, or something has no value.
    """
    try:
        steps = parse(expression)
        values = _values(inputs, names(steps))
        return explained(steps, values, _known(wrt, values))
    except (ExpressionError, GraphError) as error:
        raise ArgumentError(f"{_short(expression)}: {error}") from error


def _values(inputs: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """Return the value of each name in the expression, from NAME=VALUE arguments."""
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


def _known(name: str | None, values: dict[str, float]) -> str | None:
    """Return the name in normal form; refuse one that the expression doesn't have."""
    if name is not None and normal(name) not in values:
        raise ArgumentError(f"--wrt {_short(name)}: the expression has {', '.join(values) or 'no inputs'}")
    return None if name is None else normal(name)


def _short(text: str) -> str:
    """Return what the user gave, shortened for a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."
