"""The operations of computational graphs, each a function beside its derivatives; on numbers and on dual numbers."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dual:
    """A dual number: a value, and `tangent`, its derivative by one input. Arithmetic on it is forward mode."""

    value: float
    tangent: float

    def __add__(self, other: "Number") -> "Number":
        return apply("+", self, other)

    def __sub__(self, other: "Number") -> "Number":
        return apply("-", self, other)

    def __rsub__(self, other: float) -> "Number":
        return apply("-", other, self)

    def __mul__(self, other: "Number") -> "Number":
        return apply("*", self, other)

    def __truediv__(self, other: "Number") -> "Number":
        return apply("/", self, other)

    def __rtruediv__(self, other: float) -> "Number":
        return apply("/", other, self)

    def __neg__(self) -> "Number":
        return apply("negative", self)

    __radd__, __rmul__ = __add__, __mul__


Number = float | Dual
Partial = Callable[..., Number]


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of one or two numbers and, beside it, its derivatives.

    Attributes:
        text: how it is written, with {} for each argument.
        value: f(a) or f(a, b).
        partials: ∂f/∂a, ∂f/∂b, each computed from f's own value and the arguments: `partial(value, a, b)`. They take
            dual numbers too, so that they can be differentiated once more.
    """

    text: str
    value: Callable[..., float]
    partials: tuple[Partial, ...]


def sigmoid(z: float) -> float:
    """Return σ(z) = 1/(1 + e^−z) = e^z/(1 + e^z), in the form whose exponential can't overflow."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def plain(number: Number) -> float:
    """Return a number without its tangent."""
    return number.value if isinstance(number, Dual) else number


def apply(name: str, *arguments: Number) -> Number:
    """Return an operation's value: a dual number if an argument is one, by the chain rule."""
    operation, values = OPERATIONS[name], [plain(argument) for argument in arguments]
    value = operation.value(*values)
    tangents = [
        plain(partial(value, *values)) * argument.tangent
        for partial, argument in zip(operation.partials, arguments, strict=True)
        if isinstance(argument, Dual)
    ]
    return Dual(value, sum(tangents)) if tangents else value


def _by_base(value: Number, a: Number, b: Number) -> Number:
    """Return ∂(a^b)/∂a = b·a^(b−1). For b = 0 it is 0, even where a^−1 is not defined."""
    return b * apply("**", a, b - 1) if b != 0 else 0.0


def _by_exponent(value: Number, a: Number, b: Number) -> Number:
    """Return ∂(a^b)/∂b = a^b·ln a. For a = 0 it is 0, because a^b stays 0 for every b > 0."""
    return value * apply("log", a) if plain(a) or plain(b) <= 0 else 0.0


OPERATIONS: dict[str, Operation] = {
    "+": Operation("{} + {}", operator.add, (lambda f, a, b: 1.0, lambda f, a, b: 1.0)),
    "-": Operation("{} − {}", operator.sub, (lambda f, a, b: 1.0, lambda f, a, b: -1.0)),
    "*": Operation("{} · {}", operator.mul, (lambda f, a, b: b, lambda f, a, b: a)),
    "/": Operation("{} / {}", operator.truediv, (lambda f, a, b: 1 / b, lambda f, a, b: -f / b)),
    "**": Operation("{} ** {}", math.pow, (_by_base, _by_exponent)),
    "negative": Operation("−{}", operator.neg, (lambda f, a: -1.0,)),
    "relu": Operation("relu({})", lambda a: max(a, 0.0), (lambda f, a: float(plain(a) > 0),)),
    "sigmoid": Operation("sigmoid({})", sigmoid, (lambda f, a: f * apply("sigmoid", -a),)),
    "tanh": Operation("tanh({})", math.tanh, (lambda f, a: (1 - f) * (1 + f),)),
    "exp": Operation("exp({})", math.exp, (lambda f, a: f,)),
    "erf": Operation("erf({})", math.erf, (lambda f, a: 2 / math.sqrt(math.pi) * apply("exp", -a * a),)),
    "log": Operation("log({})", math.log, (lambda f, a: 1 / a,)),
}
