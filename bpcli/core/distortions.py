"""Random distortions of the training images: affine and elastic ones in one resampling, and heavier or lighter strokes.

Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied to visual document
analysis", have the elastic part: every pixel is moved by noise that a Gaussian has smoothed. What is drawn is a pure
function of the seed, the epoch and the step (`seeds.stream`); which worker distorts which rows changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.core import seeds
from bpcli.core.pixels import Normalization
from bpcli.core.types import Array, Bytes

SIDE = 28
PIXELS = SIDE * SIDE
FIELDS = 4096  # smooth fields to pick from, for each axis of each image

_HIGH, _WIDE = SIDE + 2, SIDE + 4  # of a padded image: a ring of background, and columns that round its rows off
_PADDED = _HIGH * _WIDE
_BLOCK = 64  # images at a time: what a block needs stays in the L2 cache, and yet NumPy calls are few
_CHUNK = 256  # fields that are smoothed at a time
_CORNER = np.array([0, 0, (SIDE + 1) / 2], np.float32)  # the centre, counted from a padded image's corner
_GRID = np.stack(
    [*(np.indices((SIDE, SIDE), np.float32).reshape(2, PIXELS) - (SIDE - 1) / 2), np.ones(PIXELS, np.float32)]
)
_INSIDE = np.pad(np.full((SIDE, SIDE), 255, np.uint8), ((1, 1), (1, 3))).reshape(_PADDED)  # 255 within the ring

Fields: TypeAlias = NDArray[np.float32]  # (FIELDS, 784), pixels


@dataclass(frozen=True, slots=True)
class Ranges:
    """How far the distortions go; each is drawn uniformly from ± its range, and 0 leaves it out.

    Attributes:
        rotation: degrees.
        scale: fraction of the size, for each axis by itself.
        shear: pixels to the side for each pixel up.
        shift: pixels along each axis.
        elastic_alpha: α, by which uniform noise from ±1 is multiplied once it is smoothed.
        elastic_sigma: σ of the Gaussian that smooths it, pixels.
        stroke: pixels by which the strokes' edges move out or in, 0 to 1.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic_alpha: float = 0.0
    elastic_sigma: float = 5.5
    stroke: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything is distorted at all."""
        return any((self.rotation, self.scale, self.shear, self.shift, self.elastic_alpha, self.stroke))


class Draws(NamedTuple):
    """What was drawn for some images, a row each.

    Attributes:
        affine: (2, n, 3), for the source's y and x: the factors of the target's y and x, counted from the centre, and
            the pixels to add.
        fields: (2, n), which smooth field displaces the source's y, and which its x.
        stroke: (n,), pixels by which the strokes' edges move out, or in where negative.
    """

    affine: NDArray[np.float32]
    fields: NDArray[np.intp]
    stroke: NDArray[np.float32]

    def rows(self, part: slice) -> "Draws":
        """The draws of some of the images: views."""
        return Draws(self.affine[:, part], self.fields[:, part], self.stroke[part])


def draw(ranges: Ranges, seed: int, epoch: int, step: int, n: int) -> Draws:
    """The draws for the n images of a batch; all are drawn whatever the ranges, so that none depends on another's."""
    rng = seeds.stream(seed, seeds.AUGMENTATION, epoch, step)
    angle, high, wide, shear, down, right, stroke = rng.uniform(-1.0, 1.0, (7, n))
    fields = rng.integers(FIELDS, size=(2, n), dtype=np.intp)
    affine = inverse(
        np.radians(ranges.rotation * angle),
        1.0 + ranges.scale * high,
        1.0 + ranges.scale * wide,
        ranges.shear * shear,
        ranges.shift * down,
        ranges.shift * right,
    )
    return Draws(affine.astype(np.float32), fields, (ranges.stroke * stroke).astype(np.float32))


def inverse(angle: Array, high: Array, wide: Array, shear: Array, down: Array, right: Array) -> Array:
    """Where each target pixel comes from, if images are sheared, then scaled, then rotated, then shifted.

    About the centre, y down and x to the right, that is (y, x) → R·S·H·(y, x) + t; this is its inverse.

    Args:
        angle: radians, counter-clockwise as one looks at the image; all arguments are of shape (n,).
        high: the factor by which the image grows along y.
        wide: along x.
        shear: x grows by −shear·y, so that a positive one leans to the right.
        down: pixels.
        right: pixels.

    Returns:
        (2, n, 3), as `Draws.affine`.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    y = np.stack([cos / high, sin / high, -(cos * down + sin * right) / high], axis=-1)  # S⁻¹·R⁻¹·((y, x) − t)
    x = np.stack([-sin / wide, cos / wide, (sin * down - cos * right) / wide], axis=-1)
    return np.stack([y, x + shear[:, None] * y])  # H⁻¹


def smooth_fields(ranges: Ranges, seed: int) -> Fields:
    """The bank of displacements: noise from ±1, smoothed by a Gaussian and multiplied by α; each with its negative.

    The noise goes on beyond the image, so that the displacements are as large at its edge as in its middle: their
    standard deviation is α/√3 · 1/(2√π·σ) pixels, wherever σ is more than about a pixel.
    """
    rng = seeds.stream(seed, seeds.AUGMENTATION)
    weights = _gaussian(ranges.elastic_sigma)
    fields = np.empty((FIELDS // 2, SIDE, SIDE), np.float32)
    for first in range(0, len(fields), _CHUNK):
        noise = 2 * rng.random((_CHUNK, weights.shape[1], weights.shape[1]), dtype=np.float32) - 1
        fields[first : first + _CHUNK] = np.float32(ranges.elastic_alpha) * (weights @ noise @ weights.T)
    return np.concatenate([fields, -fields]).reshape(FIELDS, PIXELS)


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """The weights, (28, 28 + 2·reach), with which a row of noise makes a smooth one."""
    reach = int(np.ceil(3 * sigma))
    away = np.arange(SIDE + 2 * reach) - reach - np.arange(SIDE)[:, None]
    weights: Array = np.where(abs(away) <= reach, np.exp(-0.5 * (away / sigma) ** 2), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


class Distorter:
    """Distorts images in buffers of its own; each worker has one.

    Args:
        fields: the bank, which several may share; None where nothing is elastic.
        stroke: whether strokes change.
        normalization: of the pixels.
        most: how many images there are at most.
    """

    def __init__(self, fields: Fields | None, stroke: bool, normalization: Normalization, most: int) -> None:
        self._fields, self._stroke, self._normalization = fields, stroke, normalization
        self._most = min(max(most, 1), _BLOCK)
        pixels = self._most * PIXELS
        self._source, self._left = np.empty(2 * pixels, np.float32), np.empty(2 * pixels, np.float32)
        self._right = np.empty(2 * pixels, np.float32)
        self._index = np.empty(pixels, np.intp)
        self._table = np.zeros(self._most * _PADDED + _WIDE + 1, np.float32)  # the padded images, one after the other
        if stroke:
            self._ink, self._grown = np.zeros(len(self._table), np.uint8), np.zeros(len(self._table), np.uint8)

    def __call__(self, images: Bytes, draws: Draws, out: Array) -> None:
        """Writes the distorted and normalised images (n, 784) to `out`, of the same shape."""
        for part in _blocks(len(images), self._most):
            self._tabulate(images[part], draws.stroke[part])
            self._locate(draws.rows(part))
            self._resample(out[part])
        np.multiply(out, out.dtype.type(self._normalization.scale), out=out)
        if self._normalization.shift:
            np.subtract(out, out.dtype.type(self._normalization.shift), out=out)

    def _tabulate(self, images: Bytes, stroke: Array) -> None:
        """Writes the images, padded and with their strokes changed, to the table."""
        n = len(images)
        table = self._table[: n * _PADDED].reshape(n, _PADDED)
        if not self._stroke:
            np.copyto(_inside(table), images.reshape(n, SIDE, SIDE))
            return
        ink, grown = (flat[: n * _PADDED].reshape(n, _PADDED) for flat in (self._ink, self._grown))
        paper = np.where(stroke < 0, 255, 0).astype(np.uint8)[:, None]  # to thin the ink is to thicken the paper
        np.copyto(ink, paper)
        np.bitwise_xor(images.reshape(n, SIDE, SIDE), paper[:, :, None], out=_inside(ink))
        _thicken(self._ink[: n * _PADDED], self._grown[: n * _PADDED])
        np.subtract(grown, ink, out=grown)
        np.bitwise_and(grown, _INSIDE, out=grown)
        np.multiply(grown, stroke[:, None], out=table)
        np.bitwise_xor(ink, paper, out=ink)
        np.add(table, ink, out=table)

    def _locate(self, draws: Draws) -> None:
        """Finds where each target pixel comes from: y and x, counted from the padded image's corner."""
        n = len(draws.stroke)
        source, moved = (flat[: 2 * n * PIXELS].reshape(2 * n, PIXELS) for flat in (self._source, self._left))
        affine = (draws.affine + _CORNER).reshape(2 * n, 3)
        if self._fields is None:
            np.matmul(affine, _GRID, out=source)
        else:
            np.take(self._fields, draws.fields.reshape(2 * n), axis=0, out=source, mode="clip")
            np.matmul(affine, _GRID, out=moved)
            np.add(source, moved, out=source)
        np.clip(source, np.float32(0), np.float32(SIDE + 1), out=source)  # what is further away is like the ring

    def _resample(self, out: Array) -> None:
        """Writes the table's pixels at the sources to `out`, (n, 784), bilinearly interpolated."""
        pixels = out.size
        source, left, right = (
            flat[: 2 * pixels].reshape(2, pixels) for flat in (self._source, self._left, self._right)
        )
        self._split(source)
        index, table = self._index[:pixels], self._table
        for row, below in enumerate((0, _WIDE)):
            np.take(table[below:], index, out=left[row], mode="clip")
            np.take(table[below + 1 :], index, out=right[row], mode="clip")
        np.subtract(right, left, out=right)
        np.multiply(right, source[1], out=right)
        np.add(left, right, out=left)
        top, bottom = left.reshape(2, *out.shape)
        np.subtract(bottom, top, out=bottom)
        np.multiply(bottom, source[0].reshape(out.shape), out=bottom)
        np.add(top, bottom, out=out)

    def _split(self, source: Array) -> None:
        """Makes fractions of the sources, and the places in the table of the pixels above and to the left of them."""
        pixels = source.shape[1]
        whole = self._right[: 2 * pixels].reshape(2, pixels)
        np.floor(source, out=whole)
        np.subtract(source, whole, out=source)
        row, column = whole
        np.multiply(row, np.float32(_WIDE), out=row)
        np.add(row, column, out=row)
        images = (-1, PIXELS)
        starts = _PADDED * np.arange(pixels // PIXELS, dtype=np.float32)  # whole numbers below 2²⁴ are exact
        np.add(row.reshape(images), starts[:, None], out=self._index[:pixels].reshape(images), casting="unsafe")


def distorters(ranges: Ranges, seed: int, normalization: Normalization, most: int, count: int) -> list[Distorter]:
    """So many distorters, for at most so many images each, that share the bank of a seed's fields."""
    fields = smooth_fields(ranges, seed) if ranges.elastic_alpha else None
    return [Distorter(fields, ranges.stroke > 0, normalization, most) for _ in range(count)]


def _inside(padded: NDArray[Any]) -> NDArray[Any]:
    """The images, (n, 28, 28), within the padded ones, (n, _PADDED): a view."""
    return padded.reshape(-1, _HIGH, _WIDE)[:, 1 : 1 + SIDE, 1 : 1 + SIDE]


def _thicken(ink: Bytes, out: Bytes) -> None:
    """Writes the largest of each pixel and its four neighbours to `out`, both padded images one after the other."""
    np.copyto(out, ink)
    for away in (1, _WIDE):
        np.maximum(out[away:], ink[:-away], out=out[away:])
        np.maximum(out[:-away], ink[away:], out=out[:-away])


def _blocks(n: int, most: int) -> Iterator[slice]:
    """The slices of n things, in as few blocks of at most so many as there can be."""
    for first in range(0, n, most):
        yield slice(first, min(first + most, n))
