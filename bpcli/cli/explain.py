"""`bpcli explain`: the computational graph of an expression, and both modes of differentiation on it."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import click

from bpcli.cli.options import FiniteRange, forcible, require_free, svg_file
from bpcli.cli.output import print_json, print_text, shown
from bpcli.errors import ArgumentError
from bpcli.gradcheck.explanation import Explained, as_dot, as_record, as_text, explained
from bpcli.gradcheck.expression import ExpressionError, names, normal, parse
from bpcli.gradcheck.graph import GraphError
from bpcli.gradcheck.minimize import MAX_STEPS, RATE, STEPS, function_of, minimized
from bpcli.gradcheck.minimize_text import as_record as as_minimization_record
from bpcli.gradcheck.minimize_text import as_text as as_minimization_text
from bpcli.report.extras import require_extra
from bpcli.storage.files import write_file


@click.command()
@click.argument("expression", metavar="EXPR")
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--wrt", metavar="NAME", help="The input of the forward mode.  [default: the first in EXPR]")
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz' language instead.")
@click.option("--minimize", metavar="NAME",
              help="Look for the minimum by NAME instead: gradient descent beside Newton's method.")  # fmt: skip
@click.option("--rate", type=FiniteRange(0, 1e6, min_open=True), help="Of gradient descent.  [default: 0.05]")
@click.option("--steps", type=click.IntRange(1, MAX_STEPS), help="At most so many of each method.  [default: 20]")
@click.option("-o", "--out", type=click.Path(path_type=Path), callback=svg_file, metavar="FILE.svg",
              help="Draw the two ways too.")  # fmt: skip
@forcible
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(
    expression: str, inputs: tuple[str, ...], wrt: str | None, dot: bool, minimize: str | None, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Show the computational graph of an expression and its derivatives, step by step.

    EXPR may have numbers, names, + - * / **, parentheses, relu, sigmoid, tanh, exp, log and erf. An EXPR that begins
    with a minus comes after --, as in: bpcli explain -- '-x*y' x=1 y=2

    With --minimize x, the value of x is where both methods start: gradient descent, x ← x − rate·f'(x), and Newton's
    method, x ← x − f'(x)/f''(x).
    """
    _require_compatible(minimize, wrt, dot, options)
    if minimize is not None:
        _minimize(expression, inputs, minimize, as_json=as_json, **options)
        return
    found = _explained(expression, inputs, wrt)
    if as_json:
        print_json(as_record(expression, found))
    else:
        lines = "\n".join(as_dot(found) if dot else as_text(expression, found))
        print_text(lines.encode() if dot else lines)  # Graphviz reads UTF-8


def _require_compatible(minimize: str | None, wrt: str | None, dot: bool, options: Mapping[str, object]) -> None:
    """Refuse options that have no meaning together.

    Raises:
        click.UsageError: there are such.
    """
    if minimize is None:
        alone = [f"--{name}" for name, value in options.items() if value]
        if alone:
            raise click.UsageError(f"{alone[0]} belongs to --minimize NAME")
    elif wrt is not None or dot:
        raise click.UsageError(f"{'--dot' if dot else '--wrt'} and --minimize can't go together")


def _minimize(
    expression: str, inputs: Sequence[str], name: str, *,
    rate: float | None, steps: int | None, out: Path | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print how gradient descent and Newton's method minimize the expression by one of its names.

    Raises:
        ArgumentError: the expression or an input is malformed, or f, f' or f'' is not defined at the start.
        OutputError: the drawing can't be written, or Matplotlib is missing.
    """
    if out is not None:
        require_extra("a drawing", ["matplotlib"])
        from bpcli.report.descent import MARK, as_svg

        require_free(out, force, MARK)
    try:
        parsed = parse(expression)
        values = _values(inputs, names(parsed))
        variable = _known("--minimize", name, values)
        function = function_of(parsed, values, variable)
        found = minimized(function, values[variable], rate or RATE, steps or STEPS)
    except (ExpressionError, GraphError) as error:
        raise ArgumentError(f"{_short(expression)}: {error}") from error
    if out is not None:
        write_file(out, as_svg(expression, variable, function, found))
    if as_json:
        print_json(as_minimization_record(expression, variable, found))
    else:
        print_text("\n".join(as_minimization_text(expression, variable, function, found)))
        if out is not None:
            print_text(f"the drawing is {shown(out)}")


def _explained(expression: str, inputs: Sequence[str], wrt: str | None) -> Explained:
    """Return the explanation of the expression for the values of its names.

    Raises:
        ArgumentError: the expression or an input is malformed, or something has no value.
    """
    try:
        steps = parse(expression)
        values = _values(inputs, names(steps))
        return explained(steps, values, None if wrt is None else _known("--wrt", wrt, values))
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


def _known(option: str, name: str, values: dict[str, float]) -> str:
    """Return the name in normal form; refuse one that the expression doesn't have."""
    if normal(name) not in values:
        raise ArgumentError(f"{option} {_short(name)}: the expression has {', '.join(values) or 'no inputs'}")
    return normal(name)


def _short(text: str) -> str:
    """Return what the user gave, shortened for a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."
