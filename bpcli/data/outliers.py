"""Outliers: images that resemble digits but show none, normalised as digits are.

A network trained only on digits finds a digit in every image. Outlier exposure (Hendrycks, Mazeika, Dietterich 2019)
adds outliers with the target 0 for all scores. The network learns to answer "no digit".

Among the classic ones are a few legible digits: strokes meet by chance, and a mirrored 7 may be somebody's 1. The clean
ones come from generators that make no digit.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from bpcli.core import seeds
from bpcli.data.datasets import Split, joined
from bpcli.data.drawn.pen import image_of
from bpcli.data.drawn.scraps import SCRAPS
from bpcli.data.picture.digit import BOX, FINE, Bytes, centred, crop, fit, layout
from bpcli.data.picture.scale import Grey

Kinds = Literal["classic", "clean"]

OUTLIER = 10  # their label if the classes are the digits
CANVAS = BOX * FINE  # side in pixels on which they are drawn
LYING = (3, 7)  # these are no digits when rotated by 90°
MIRRORED = (3, 7)  # these are no digits when mirrored


def with_outliers(split: Split, count: int, seed: int, label: int = OUTLIER, kinds: Kinds = "classic") -> Split:
    """Return the split with `count` outliers after its digits; the same arguments give the same outliers.

    Args:
        split: digits, of any side.
        count: the number of outliers.
        seed: the seed of their random generator.
        label: their label, the number of classes.
        kinds: which generators draw them.
    """
    outliers = clean(count, seed, split.side) if kinds == "clean" else _classic(split, count, seed)
    return joined(split, Split(outliers, np.full(count, label, np.uint8)))


def clean(count: int, seed: int, side: int) -> Bytes:
    """Return images (count, side²) of what is no digit; the first of them are the same for any count."""
    streams = (seeds.stream(seed, seeds.SCRAPS, index) for index in range(count))
    return np.stack([image_of(SCRAPS[index % len(SCRAPS)](rng), side) for index, rng in enumerate(streams)])


def _classic(split: Split, count: int, seed: int) -> Bytes:
    rng = np.random.default_rng((seed, count))
    some = np.isin(split.labels, LYING).any() and np.isin(split.labels, MIRRORED).any()
    makers = [maker for maker in MAKERS if some or maker is not lying]
    return np.stack([makers[index % len(makers)](split, rng).ravel() for index in range(count)])


def scrawl(split: Split, rng: Generator) -> Bytes:
    """Draw three to five strokes between the nodes of a grid, straight or bent, like those of letters."""
    canvas = Image.new("L", (CANVAS, CANVAS))
    pen, width = ImageDraw.Draw(canvas), int(rng.integers(6, 15))
    nodes = np.array([(x, y) for x in np.linspace(8, CANVAS - 9, 3) for y in np.linspace(8, CANVAS - 9, 4)])
    for _stroke in range(int(rng.integers(3, 6))):
        start, end = nodes[rng.choice(len(nodes), 2, replace=False)]
        bend = rng.normal(0, 14, 2) if rng.random() < 0.3 else np.zeros(2)
        along = np.linspace(0, 1, 9)[:, None]
        points = start + along * (end - start) + 4 * along * (1 - along) * bend
        pen.line([(float(x), float(y)) for x, y in points], fill=255, width=width, joint="curve")
    return _normalised(np.asarray(canvas, np.float32) / np.float32(255), split)


def blot(split: Split, rng: Generator) -> Bytes:
    """Draw cloudy noise above a threshold, like the remains of paper, leaves or hair."""
    cloud = np.zeros((CANVAS, CANVAS), np.float32)
    for cell in (5, 10, 20, 40):
        small = rng.standard_normal((CANVAS // cell + 1,) * 2, np.float32)
        large = Image.fromarray(small).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
        cloud += np.float32(cell ** rng.uniform(0, 1)) * np.asarray(large)
    return _normalised((cloud > np.quantile(cloud, rng.uniform(0.6, 0.92))).astype(np.float32), split)


def lying(split: Split, rng: Generator) -> Bytes:
    """Return a digit rotated by 90° or mirrored, so that it is no digit."""
    mirror = rng.random() < 0.3
    among = np.flatnonzero(np.isin(split.labels, MIRRORED if mirror else LYING))
    digit = split.images[rng.choice(among)].reshape(split.side, split.side)
    return np.ascontiguousarray(digit[:, ::-1] if mirror else np.rot90(digit, rng.choice([1, 3])))


def _normalised(ink: Grey, like: Split) -> Bytes:
    own = layout(like.side)
    return centred(fit(crop(ink), own.box), own.side)


MAKERS: tuple[Callable[[Split, Generator], Bytes], ...] = (scrawl, blot, scrawl, lying)
