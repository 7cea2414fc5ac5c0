"""Many drawings of forms: the piece that hands and printed digits share."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.random import Generator

from bpcli.core import seeds
from bpcli.data.datasets import Split
from bpcli.data.drawn.pen import as_mnist
from bpcli.data.picture.scale import Grey


class _Digit(Protocol):
    @property
    def digit(self) -> int: ...


D = TypeVar("D", bound=_Digit)


def drawn(
    drawing: Callable[[D, Generator], Grey],
    stream: int,
    forms: Sequence[D],
    n: int,
    seed: int,
    side: int,
    pause: Callable[[], None],
) -> Split:
    """Return `n` images of forms, all digits as frequent as each other, and so are the forms of a digit.

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
    digits = sorted({form.digit for form in forms})
    groups = [[form for form in forms if form.digit == digit] for digit in digits]
    images, labels = np.empty((n, side * side), np.uint8), np.empty(n, np.uint8)
    for index in range(n):
        pause()
        rng = seeds.stream(seed, stream, index)
        group = groups[rng.integers(len(groups))]
        form = group[rng.integers(len(group))]
        images[index], labels[index] = as_mnist(drawing(form, rng), side), form.digit
    return Split(images, labels)
