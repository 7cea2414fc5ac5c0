"""Arithmetic expressions, parsed with Python's grammar but never evaluated as Python.

`parse` returns a list of steps, each on earlier ones; `calculate` goes through them with any kind of number.
"""

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from math import isfinite
from typing import NamedTuple, TypeVar

MAX_LENGTH = 2000  # characters
FUNCTIONS = ("relu", "sigmoid", "tanh", "exp", "log", "erf")
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
_FOREIGN = re.compile(r"[^\w +\-*/().]")
_ALLOWED = f"expected numbers, names, + - * / **, parentheses, {', '.join(FUNCTIONS)}"

T = TypeVar("T")


class ExpressionError(ValueError):
    """An expression that can't be parsed; the message names the column, counted from 1."""

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"column {column}: {what}")


class Step(NamedTuple):
    """One step of an expression: a number, a name, or an operation of `gradcheck.graph` on earlier steps."""

    operation: str = ""
    parents: tuple[int, ...] = ()
    number: float = 0.0
    name: str = ""


@cache
def parse(text: str) -> tuple[Step, ...]:
    """Return the steps of an expression, arguments before their operation; the last step is the result.

    Raises:
        ExpressionError: the text is too long, or anything but an arithmetic expression.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            MAX_LENGTH + 1, f"an expression has at most {MAX_LENGTH:,} characters, this one {len(text):,}"
        )
    if foreign := _FOREIGN.search(text):
        raise ExpressionError(foreign.start() + 1, f"{foreign[0]!r} is not understood; {_ALLOWED}")
    bare = text.lstrip(" ")  # Python would take leading blanks for an indentation
    offset = len(text) - len(bare)
    steps: list[Step] = []
    places: dict[ast.expr, int] = {}
    for node in _arguments_first(_tree(bare, offset)):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            places[node] = places[node.operand]
            continue
        try:
            steps.append(_step(node, places))
        except _NotArithmetic as error:
            raise ExpressionError(offset + _column(node, bare.encode()), f"{error}; {_ALLOWED}") from None
        places[node] = len(steps) - 1
    return tuple(steps)


def names(steps: Iterable[Step]) -> list[str]:
    """Return the names in an expression, in the order of their first appearance."""
    return list(dict.fromkeys(step.name for step in steps if step.name))


def normal(name: str) -> str:
    """Return a name in Python's normal form, so that two ways to type the same letters give one name."""
    return unicodedata.normalize("NFKC", name)


def calculate(
    steps: Iterable[Step], named: Callable[[str], T], constant: Callable[[float], T], apply: Callable[..., T]
) -> T:
    """Go through the steps of an expression.

    Args:
        steps: from `parse`.
        named: returns the value of a name.
        constant: converts a number to the kind that is wanted.
        apply: `apply(operation, *arguments)` does an operation of `gradcheck.graph`, given by its name.

    Returns:
        The result of the last step.
    """
    results: list[T] = []
    for step in steps:
        if step.operation:
            results.append(apply(step.operation, *(results[parent] for parent in step.parents)))
        else:
            results.append(named(step.name) if step.name else constant(step.number))
    return results[-1]


class _NotArithmetic(Exception):  # noqa: N818 (becomes an ExpressionError, with its column)
    """What is wrong with a node of the tree."""


def _tree(text: str, offset: int) -> ast.expr:
    """Return Python's syntax tree of the text, which begins `offset` columns further right."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # things that the tokenizer only warns of, such as 1if, are errors too
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        # Python reports column 0, or none, if the text ends too early
        column = error.offset if error.offset and error.lineno == 1 else len(text.rstrip(" ")) + 1
        raise ExpressionError(offset + column, "not an arithmetic expression from here on") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(offset + 1, "the expression is nested too deeply") from None


def _arguments_first(root: ast.expr) -> Iterator[ast.expr]:
    """Return the nodes of a tree, each after its arguments, left before right; not recursive, so any depth is safe."""
    waiting, found = [root], []
    while waiting:
        found.append(waiting.pop())
        waiting += _arguments(found[-1])
    return reversed(found)


def _arguments(node: ast.expr) -> list[ast.expr]:
    """Return the nodes of an operation's arguments; none for other nodes."""
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Call():
            return node.args
    return []


def _step(node: ast.expr, places: dict[ast.expr, int]) -> Step:
    """Return the step of a node; `places` has those of its arguments."""
    parents = tuple(places[argument] for argument in _arguments(node))
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return Step(number=_float(number))
        case ast.Name(id=name):
            return Step(name=_variable(name))
        case ast.BinOp(op=operator) if type(operator) in _BINARY:
            return Step(_BINARY[type(operator)], parents)
        case ast.UnaryOp(op=ast.USub()):
            return Step("negative", parents)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return Step(_function(name, len(parents)), parents)
    raise _NotArithmetic(f"{_KINDS.get(type(node), 'this value')} is not understood")


_KINDS: dict[type[ast.expr], str] = {
    ast.Attribute: "an attribute", ast.Call: "this call", ast.BinOp: "//",
    ast.Tuple: "an empty pair of parentheses", ast.Compare: "a comparison", ast.BoolOp: "and/or",
    ast.IfExp: "if/else", ast.Lambda: "lambda", ast.Starred: "a star",
}  # fmt: skip


def _column(node: ast.expr, text: bytes) -> int:
    """Return the column of a node, counted from 1; for `//`, that of the operator; `ast` counts bytes, from 0."""
    start = text.find(b"//", node.left.end_col_offset) if isinstance(node, ast.BinOp) else node.col_offset
    return len(text[:start].decode()) + 1


def _float(number: float) -> float:
    """Return the number as a float; refuse one that is too large."""
    try:
        number = float(number)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise _NotArithmetic("this number is too large for a floating-point number")
    return number


def _variable(name: str) -> str:
    if name in FUNCTIONS:
        raise _NotArithmetic(f"{name} is a function and wants an argument, {name}(...)")
    return name


def _function(name: str, arguments: int) -> str:
    if name not in FUNCTIONS:
        close = get_close_matches(name, FUNCTIONS, n=1)
        raise _NotArithmetic(f"there is no function {name}" + (f" (did you mean {close[0]}?)" if close else ""))
    if arguments != 1:
        raise _NotArithmetic(f"{name} wants one argument")
    return name
