"""A minimization as text: a table for each method, what is worth knowing, and a drawing for a terminal."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bpcli.gradcheck.minimize import Descent, Function, Minimization, Point, interval, remarks, sampled, shown

WIDTH, HEIGHT = 72, 16  # characters of the drawing
_CURVE, _DESCENT, _NEWTON, _BOTH = ".", "o", "x", "*"


def as_text(expression: str, name: str, function: Function, found: Minimization) -> list[str]:
    """Return both ways for people, line by line."""
    return [
        f"{expression.strip()}, minimized by {name}",
        "",
        f"gradient descent: {name} ← {name} − {shown(found.rate)}·f'({name})",
        *_table(name, found.descent, found.minimum),
        "",
        f"Newton's method: {name} ← {name} − f'({name})/f''({name})",
        *_table(name, found.newton, found.minimum),
        "",
        *([f"minimum: f({shown(found.minimum.x)}) = {shown(found.minimum.value)}"] if found.minimum else []),
        *remarks(found),
        "",
        *drawing(name, function, found),
    ]


def _table(name: str, way: Descent, minimum: Point | None) -> Iterator[str]:
    """Yield the points of a way as rows; the error is the distance from the minimum."""
    yield "  step {:>16.16} {:>14} {:>14} {:>14}".format(name, "f", "f'", "f''") + ("     error" if minimum else "")
    for step, point in enumerate(way.points):
        error = f"{abs(point.x - minimum.x):10.1e}" if minimum else ""
        yield f"  {step:4} {point.x:16.12g} {point.value:14.8g} {point.first:14.8g} {point.second:14.8g}{error}"


def drawing(name: str, function: Function, found: Minimization) -> list[str]:
    """Return the curve with the points of both ways on it, line by line."""
    low, high = interval(found)
    layers = {
        _CURVE: list(sampled(function, low, high, WIDTH)),
        _DESCENT: [point for point in found.descent.points if low <= point.x <= high],
        _NEWTON: [point for point in found.newton.points if low <= point.x <= high],
    }
    values = [point.value for points in layers.values() for point in points]
    bottom, top = min(values), max(values)
    cells: dict[tuple[int, int], set[str]] = defaultdict(set)
    for mark, points in layers.items():
        for point in points:
            across, up = (point.x - low) / (high - low), (point.value - bottom) / ((top - bottom) or 1.0)
            cells[round((1 - up) * (HEIGHT - 1)), round(across * (WIDTH - 1))].add(mark)
    rows = ["".join(_seen(cells[row, column]) for column in range(WIDTH)).rstrip() for row in range(HEIGHT)]
    return [
        *(f"  {row}".rstrip() for row in rows),
        f"  {name} from {low:.6g} to {high:.6g}, f from {bottom:.4g} to {top:.4g}",
        f"  {_DESCENT} gradient descent, {_NEWTON} Newton's method, {_BOTH} both",
    ]


def _seen(marks: set[str]) -> str:
    """Return what a cell with these marks shows."""
    ways = marks - {_CURVE}
    return _BOTH if len(ways) == 2 else "".join(ways or marks) or " "


def as_record(expression: str, name: str, found: Minimization) -> dict[str, Any]:
    """Return both ways for programs."""
    return {
        "expression": expression,
        "name": name,
        "rate": found.rate,
        "minimum": found.minimum and found.minimum._asdict(),
        "gradient_descent": [point._asdict() for point in found.descent.points],
        "newton": [point._asdict() for point in found.newton.points],
        "remarks": list(remarks(found)),
    }
