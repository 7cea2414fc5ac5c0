"""The spec of a data set's images: side, classes and brightness. A network expects images of its spec."""

from collections.abc import Sequence
from dataclasses import dataclass

DIGITS = tuple("0123456789")
MIN_SIDE, MAX_SIDE = 8, 64  # pixels
MIN_CLASSES, MAX_CLASSES = 2, 100
MAX_NAME = 100  # characters of a class's name
MIN_DEVIATION = 0.001  # of pixels; they are divided by it


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The spec of the images that a network is trained on and expects.

    Attributes:
        side: the side of an image in pixels.
        classes: the name of each class, in the order of the labels.
        mean, deviation: of the training pixels, as fractions of 255.
        digits: whether the pictures show digits or other signs in ink. A sign is found, cropped and centred as in
            MNIST. Other pictures are only resized to fit the square.
    """

    side: int
    classes: tuple[str, ...]
    mean: float
    deviation: float
    digits: bool

    @property
    def pixels(self) -> int:
        """The number of pixels of an image."""
        return self.side**2

    @property
    def numerals(self) -> bool:
        """Whether the pictures show the digits 0 to 9, each labelled by itself."""
        return self.digits and self.classes == DIGITS


MNIST = DataSpec(side=28, classes=DIGITS, mean=0.1307, deviation=0.3081, digits=True)


def flaw_in_classes(names: Sequence[str]) -> str:
    """Return what is wrong with the class names, or "" if nothing is."""
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        return f"{len(names):,} class{'es' * (len(names) != 1)}; expected {MIN_CLASSES} to {MAX_CLASSES}"
    seen: set[str] = set()
    for name in names:
        if len(name) > MAX_NAME:
            return f"a class's name has {len(name):,} characters; expected at most {MAX_NAME}"
        if not name.strip() or name != name.strip() or not name.isprintable():
            return f"the class's name {name!r}: expected printable characters without blanks around them"
        if name in seen:
            return f"two classes are called {name}"
        seen.add(name)
    return ""


def flaw_in_spec(spec: DataSpec) -> str:
    """Return what is wrong with a spec that was read from a file, or "" if nothing is."""
    if not MIN_SIDE <= spec.side <= MAX_SIDE:
        return f"a side of {spec.side} pixels; expected {MIN_SIDE} to {MAX_SIDE}"
    if not (0 <= spec.mean <= 1 and MIN_DEVIATION <= spec.deviation <= 1):
        return f"pixels of the mean {spec.mean:g} and the deviation {spec.deviation:g}; expected fractions of 1"
    return flaw_in_classes(spec.classes)
