"""Letters and signs that nobody takes for a digit, drawn by the hands and pens that draw digits."""

from functools import cache
from pathlib import Path
from typing import cast

from numpy.random import Generator

from bpcli.data.drawn.forms import Form, parse_stroke
from bpcli.data.drawn.hands import drawing
from bpcli.data.picture.scale import Grey
from bpcli.strict_yaml import parse_yaml

_NO_DIGIT = 10


@cache
def all_signs() -> tuple[Form, ...]:
    """Return the letters and signs of `signs.yaml`."""
    path = Path(__file__).with_name("signs.yaml")
    tree = cast("dict[str, list[str]]", parse_yaml(path.read_bytes(), path.name))
    return tuple(
        Form(name, _NO_DIGIT, "sign", "", tuple(parse_stroke(row, f"{path.name}: {name}") for row in rows), False)
        for name, rows in tree.items()
    )


def sign(rng: Generator) -> Grey:
    """Return the ink (h, w), 0 to 1, of a letter or sign, each of them with the same probability."""
    signs = all_signs()
    return drawing(signs[int(rng.integers(len(signs)))], rng)
