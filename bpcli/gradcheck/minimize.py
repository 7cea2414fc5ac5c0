"""Minimizing an expression by hand: gradient descent beside Newton's method, step by step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import NamedTuple

from bpcli.gradcheck.expression import Step, calculate, names
from bpcli.gradcheck.graph import Graph, GraphError

RATE, STEPS, MAX_STEPS = 0.05, 20, 10_000  # the first two are defaults
_SETTLED = 1e-15  # a step below this fraction of x can't change more than the last bit
_REFINE = 100  # more steps of Newton's method, to know the minimum to the last digits
_NEAR = 1e-3  # of x, or of 1: so far to either side, f is looked at to tell a minimum from a saddle


class Point(NamedTuple):
    """A point on the way: x, f(x), f'(x) and f''(x)."""

    x: float
    value: float
    first: float
    second: float


class Descent(NamedTuple):
    """The points that a method went through, and why it could not go on, or ""."""

    points: list[Point]
    failed: str

    @property
    def end(self) -> Point:
        """The last point."""
        return self.points[-1]


class Minimization(NamedTuple):
    """Both methods from one start.

    Attributes:
        rate: of gradient descent.
        descent: gradient descent, x ← x − rate·f'(x).
        newton: Newton's method, x ← x − f'(x)/f''(x).
        minimum: the lowest point that either led to, made exact by Newton's method; None if there is no minimum.
    """

    rate: float
    descent: Descent
    newton: Descent
    minimum: Point | None


Function = Callable[[float], Point]


def function_of(steps: Sequence[Step], values: Mapping[str, float], name: str) -> Function:
    """Return an expression as a function of one of its names, with the first two derivatives by it.

    Args:
        steps: from `expression.parse`.
        values: of each other name in it.
        name: the name that varies.
    """
    return partial(_point, steps, values, name)


def _point(steps: Sequence[Step], values: Mapping[str, float], name: str, x: float) -> Point:
    """Return an expression's point at x.

    Raises:
        GraphError: the value or a derivative is not defined.
    """
    graph = Graph()
    source = graph.input(x)
    others = {each: graph.constant(values[each]) for each in names(steps) if each != name}
    target = calculate(steps, {name: source, **others}.__getitem__, graph.constant, graph.apply)
    return Point(x, graph.nodes[target].value, *graph.second(source, target))


def minimized(function: Function, start: float, rate: float, steps: int) -> Minimization:
    """Follow gradient descent and Newton's method from one start.

    Args:
        function: to minimize.
        start: where both begin.
        rate: of gradient descent.
        steps: at most so many of each; a method that no longer moves ends early.

    Raises:
        GraphError: the function or a derivative is not defined at the start.
    """
    descent = follow(function, lambda point: point.x - rate * point.first, start, steps)
    newton = follow(function, newtons_step, start, steps)
    return Minimization(rate, descent, newton, _minimum(function, (descent, newton)))


def newtons_step(point: Point) -> float:
    """Return x − f'(x)/f''(x), where the parabola that touches f at the point has its vertex.

    Raises:
        GraphError: f'' is 0 and f' is not: there is no vertex.
    """
    if not point.first:
        return point.x
    if not point.second:
        raise GraphError(f"f'' is 0 at x = {point.x:.10g}, and Newton's step divides by it")
    return point.x - point.first / point.second


def follow(function: Function, update: Callable[[Point], float], start: float, steps: int) -> Descent:
    """Return the way of one method; only a start where the function is not defined raises GraphError."""
    points = [function(start)]
    try:
        while len(points) <= steps and not _settled(points):
            points.append(_next(function, update(points[-1])))
    except GraphError as error:
        return Descent(points, str(error))
    return Descent(points, "")


def _next(function: Function, x: float) -> Point:
    if not isfinite(x):
        raise GraphError("x has become too large for a floating-point number")
    return function(x)


def _settled(points: Sequence[Point]) -> bool:
    """Return whether the last step changed nothing any more."""
    return len(points) > 1 and abs(points[-1].x - points[-2].x) <= _SETTLED * abs(points[-1].x)


def _minimum(function: Function, ways: Sequence[Descent]) -> Point | None:
    """Return the minimum that the lowest end lies next to, or None if it lies next to none."""
    lowest = min((way.end for way in ways), key=lambda point: point.value)
    best = min(lowest, follow(function, newtons_step, lowest.x, _REFINE).end, key=lambda point: point.value)
    return best if _is_lowest(function, best) else None


def _is_lowest(function: Function, point: Point) -> bool:
    """Return whether f is higher, or the same, a little to the left and to the right."""
    aside = _NEAR * max(1.0, abs(point.x))
    try:
        return min(function(point.x - aside).value, function(point.x + aside).value) >= point.value
    except GraphError:
        return False


def remarks(found: Minimization) -> Iterator[str]:
    """Yield what is worth knowing of how the two methods fared, a sentence each."""
    if found.minimum is None:
        yield "neither method came near a minimum"
    yield from _on_rate(found)
    for name, way in (("gradient descent", found.descent), ("Newton's method", found.newton)):
        if way.failed:
            yield f"{name} could not go on after {len(way.points) - 1} steps: {way.failed}"
    if found.newton.end.second < 0:
        yield (
            f"Newton's method looks for f' = 0 and has gone towards a maximum: "
            f"at x = {shown(found.newton.end.x)}, f'' is {shown(found.newton.end.second)}"
        )


def _on_rate(found: Minimization) -> Iterator[str]:
    """Yield what is to be said of the rate: too large, or too small for these steps."""
    start, end = found.descent.points[0], found.descent.end
    limit = 2 / found.minimum.second if found.minimum and found.minimum.second > 0 else None
    if limit is not None and found.minimum is not None and found.rate >= limit:
        yield (
            f"a rate of {shown(found.rate)} is too large: at the minimum f'' = {shown(found.minimum.second)}, and "
            f"near it no step with a rate of 2/f'' = {shown(limit)} or above leads closer"
        )
    elif found.descent.failed or end.value > start.value:
        yield f"a rate of {shown(found.rate)} is too large from this start: f grew from {shown(start.value)}"
    elif found.minimum and abs(end.x - found.minimum.x) > 1e-6 * max(1.0, abs(found.minimum.x)):
        yield f"gradient descent has not arrived after {len(found.descent.points) - 1} steps; --steps takes more"


def interval(found: Minimization) -> tuple[float, float]:
    """Return the part of the x-axis that shows both ways; of a way that flies off, only its beginning."""
    points = [point.x for way in (found.descent, found.newton) for point in way.points]
    centre = found.minimum.x if found.minimum else points[0]
    reach = 2 * abs(points[0] - centre) or max(abs(x - centre) for x in points) or 1.0
    near = [x for x in points if abs(x - centre) <= reach] + [centre]
    margin = (max(near) - min(near)) / 8 or max(1.0, abs(centre) / 1000)  # 1 is nothing beside 1e17
    return min(near) - margin, max(near) + margin


def sampled(function: Function, low: float, high: float, n: int) -> Iterator[Point]:
    """Yield the points of a function at n equal distances from low to high, where it is defined."""
    for i in range(n):
        with suppress(GraphError):
            yield function(low + (high - low) * i / (n - 1))


def shown(number: float) -> str:
    """Return a number with ten digits."""
    return f"{number + 0.0:.10g}"
