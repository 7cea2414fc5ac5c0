"""Many drawings of forms: the piece that hands and printed digits share."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from bpcli.core import seeds
from bpcli.data.datasets import Split
from bpcli.data.drawn.forms import T
from bpcli.data.drawn.pen import image_of
from bpcli.data.picture.scale import Grey

Item = TypeVar("Item")


def drawn(
    drawing: Callable[[T, Generator], Grey],
    stream: int,
    forms: Sequence[T],
    n: int,
    seed: int,
    side: int,
    pause: Callable[[], None],
) -> Split:
    """Return `n` images: a digit, one of its styles and one of that style's forms, each evenly at random.

    Each image has a random stream of its own: it depends on its number, not on how many there are.

    Args:
        drawing: returns the ink (h, w) of one drawing.
        stream: which of the streams in `core.seeds`.
        forms: at least one.
        n: how many images.
        seed: of the streams.
        side: the side of the images in pixels.
        pause: called between drawings; it may raise to stop.
    """
    digits = _groups(forms, attrgetter("digit"))
    styles = [_groups(group, attrgetter("style")) for group in digits]
    images, labels = np.empty((n, side * side), np.uint8), np.empty(n, np.uint8)
    for index in range(n):
        pause()
        rng = seeds.stream(seed, stream, index)
        form = _any(_any(_any(styles, rng), rng), rng)
        images[index], labels[index] = image_of(drawing(form, rng), side), form.digit
    return Split(images, labels)


def _groups(forms: Sequence[T], key: Callable[[T], object]) -> list[list[T]]:
    """Return the forms, those of one key together, in the order in which the keys appear."""
    groups: dict[object, list[T]] = {}
    for form in forms:
        groups.setdefault(key(form), []).append(form)
    return list(groups.values())


def _any(items: Sequence[Item], rng: Generator) -> Item:
    return items[int(rng.integers(len(items)))]
