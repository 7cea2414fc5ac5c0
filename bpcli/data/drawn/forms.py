"""Forms of digits as data: the strokes of a pen, each a list of points, read strictly from YAML.

A file maps the name of a form to its digit, its style, a note and its strokes. A stroke is a text such as
`4,26 34,0 60,28 2,100 | 64,100`: the pen runs smoothly through points x,y in hundredths of the digit's height, y
downwards. It turns a sharp corner at a point that a `|` follows. Two points are joined by a straight line. A stroke
without corners that ends where it begins is smooth there too. Instead of strokes a form may have `dots`, rows of `#`
and `.`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bpcli.errors import ConfigError
from bpcli.strict_yaml import parse_yaml

Floats = NDArray[np.float64]
Entry = Mapping[str, object]

FARTHEST = 300  # hundredths of the height
MOST_STROKES, MOST_POINTS, MOST_ROWS = 40, 60, 16
_TEXTS, _KEYS = ("style", "note"), ("digit", "style", "note", "strokes", "dots", "held_out")
_POINT = re.compile(r"(-?\d{1,3}),(-?\d{1,3})")


class Stroke(NamedTuple):
    """One stroke of the pen.

    Attributes:
        points: (n, 2), x and y in heights of the digit, from its top left.
        corners: (n,), where the stroke turns sharply.
    """

    points: Floats
    corners: NDArray[np.bool_]

    @property
    def closed(self) -> bool:
        """Whether the stroke ends where it begins and is smooth there."""
        return len(self.points) > 2 and not self.corners.any() and bool((self.points[0] == self.points[-1]).all())


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One way to write or print a digit.

    Attributes:
        name: unique in its file.
        digit: 0 to 9.
        style: the hand or family that it belongs to; styles can be held out as a whole.
        note: where it is taught or seen, and what is particular about it.
        strokes: in the order of writing.
        held_out: whether it is kept for evaluation, so that training never sees it.
    """

    name: str
    digit: int
    style: str
    note: str
    strokes: tuple[Stroke, ...]
    held_out: bool


class Template(Protocol):
    """What `training_forms` and drawings ask of a form, of any kind."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def digit(self) -> int: ...  # noqa: D102
    @property
    def style(self) -> str: ...  # noqa: D102
    @property
    def held_out(self) -> bool: ...  # noqa: D102


T = TypeVar("T", bound=Template)


def training_forms(forms: Iterable[T]) -> tuple[T, ...]:
    """Return the forms that training may draw."""
    return tuple(form for form in forms if not form.held_out)


def held_out_forms(forms: Iterable[T]) -> tuple[T, ...]:
    """Return the forms that are kept for evaluation."""
    return tuple(form for form in forms if form.held_out)


def held_out_styles(forms: Sequence[Template]) -> set[str]:
    """Return the styles of which training may draw nothing."""
    return {form.style for form in forms} - {form.style for form in training_forms(forms)}


def parse_forms(content: bytes, source: str) -> tuple[Form, ...]:
    """Return the forms in a YAML text, in its order.

    Args:
        content: the text, in UTF-8.
        source: the name of the text in messages.

    Raises:
        ConfigError: the text is not such YAML; the message names the source, the form, the key and the value.
    """
    tree = parse_yaml(content, source)
    if not isinstance(tree, dict) or not tree:
        raise ConfigError(f"{source}: expected names of forms, each with {', '.join(_KEYS[:4])}")
    return tuple(_form(name, entry, source) for name, entry in tree.items())


def _form(name: object, entry: object, source: str) -> Form:
    where = f"{source}: {name}"
    if not isinstance(name, str) or not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected a name with digit, style, note and strokes")
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}; expected some of {', '.join(_KEYS)}")
    digit, held_out = entry.get("digit"), entry.get("held_out", False)
    if type(digit) is not int or not 0 <= digit <= 9:
        _refuse(where, "digit", digit, "expected 0 to 9")
    if type(held_out) is not bool:
        _refuse(where, "held_out", held_out, "expected true or false")
    style, note = (_text(entry, key, where) for key in _TEXTS)
    return Form(name, digit, style, note, _strokes(entry, where), held_out)


def _text(entry: Entry, key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        _refuse(where, key, value, "expected a text")
    return value


def _strokes(entry: Entry, where: str) -> tuple[Stroke, ...]:
    """Return the strokes of an entry; those of `dots` are a dot each."""
    if ("strokes" in entry) == ("dots" in entry):
        raise ConfigError(f"{where}: expected either strokes or dots")
    key, most = ("strokes", MOST_STROKES) if "strokes" in entry else ("dots", MOST_ROWS)
    rows = entry[key]
    if not isinstance(rows, list) or not 1 <= len(rows) <= most:
        _refuse(where, key, rows, f"expected a list of 1 to {most}")
    return tuple(parse_stroke(row, where) for row in rows) if key == "strokes" else _dots(rows, where)


def parse_stroke(text: object, where: str) -> Stroke:
    """Return the stroke in a text such as `4,26 34,0 | 60,28`.

    Raises:
        ConfigError: it is no such text; the message begins with `where`.
    """
    points: list[list[float]] = []
    corners: list[bool] = []
    for word in str(text).split():
        found = _POINT.fullmatch(word)
        if word == "|" and points:
            corners[-1] = True
        elif found and max(abs(int(part)) for part in found.groups()) <= FARTHEST:
            points.append([int(part) / 100 for part in found.groups()])
            corners.append(False)
        else:
            _refuse(where, "strokes", text, f"{word!r} is no point x,y of whole numbers up to {FARTHEST}")
    if not 2 <= len(points) <= MOST_POINTS:
        _refuse(where, "strokes", text, f"expected 2 to {MOST_POINTS} points x,y")
    return Stroke(np.array(points), np.array(corners))


def _dots(rows: list[object], where: str) -> tuple[Stroke, ...]:
    """Return a dot for each `#`; the rows fill the height."""
    for row in rows:
        if not isinstance(row, str) or not row or set(row) - set("#.") or len(row) > MOST_POINTS:
            _refuse(where, "dots", row, "expected a row of # and .")
    step = 1 / max(len(rows) - 1, 1)
    places = [(x * step, y * step) for y, row in enumerate(rows) for x, sign in enumerate(str(row)) if sign == "#"]
    if not places:
        _refuse(where, "dots", rows, "expected at least one #")
    return tuple(Stroke(np.array([place, place]), np.zeros(2, np.bool_)) for place in places)


def _refuse(where: str, key: str, value: object, expected: str) -> NoReturn:
    shown = repr(value) if len(repr(value)) <= 60 else f"{value!r:.57}..."
    raise ConfigError(f"{where}: {key} = {shown}: {expected}")
