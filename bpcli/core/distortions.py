"""Random distortions of training images: affine and elastic ones in one resampling, and thicker or thinner strokes.

The elastic part follows Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied
to visual document analysis": noise, smoothed by a Gaussian, displaces every pixel. The random numbers are a pure
function of the seed, the epoch and the step (`seeds.stream`). They don't depend on which thread distorts which rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.core import seeds
from bpcli.core.pixels import Normalization
from bpcli.core.types import Array, Bytes

FIELDS = 4096  # displacement fields; each axis of each image picks one

_BLOCK = 50_176  # pixels per block: few enough for the L2 cache, yet enough to keep NumPy calls few
_CHUNK = 256  # fields smoothed at a time

Fields: TypeAlias = NDArray[np.float32]  # (FIELDS, side²), pixels


class Frame(NamedTuple):
    """Constants of images of one side length, which are padded with a ring of background.

    Attributes:
        side: the side length in pixels.
        pixels: side².
        wide: columns of a padded image: two of the ring, and two more that round the row length up.
        padded: pixels of a padded image.
        corner: (3,), added to a row of `Transforms.affine`, it moves the origin to a padded image's corner.
        grid: (3, side²), each pixel's y and x, measured from the centre, and ones.
        inside: (padded,), 255 inside the ring.
    """

    side: int
    pixels: int
    wide: int
    padded: int
    corner: NDArray[np.float32]
    grid: NDArray[np.float32]
    inside: Bytes


@cache
def frame(side: int) -> Frame:
    """Return the constants of images of a side length."""
    pixels, wide = side * side, side + 4
    corner = np.array([0, 0, (side + 1) / 2], np.float32)
    places = np.indices((side, side), np.float32).reshape(2, pixels) - (side - 1) / 2
    grid = np.stack([*places, np.ones(pixels, np.float32)])
    inside = np.pad(np.full((side, side), 255, np.uint8), ((1, 1), (1, 3))).ravel()
    return Frame(side, pixels, wide, inside.size, corner, grid, inside)


@dataclass(frozen=True, slots=True)
class AugmentRanges:
    """The strength of each distortion: it is drawn uniformly from ± the value, and 0 turns it off.

    Attributes:
        rotation: degrees.
        scale: fraction of the size, drawn for each axis separately.
        shear: pixels to the side per pixel of height.
        shift: pixels along each axis.
        elastic_alpha: α, the factor of the smoothed noise, which is uniform from −1 to 1 before it is smoothed.
        elastic_sigma: σ of the smoothing Gaussian, pixels.
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


class Transforms(NamedTuple):
    """The random transforms of some images.

    Attributes:
        affine: (2, n, 3), one row for the source's y and one for its x: the factors of the target's y and x, measured
            from the centre, and the pixels to add.
        fields: (2, n), the index of the field that displaces the source's y, and of that for its x.
        stroke: (n,), pixels by which the strokes' edges move out, or in where negative.
    """

    affine: NDArray[np.float32]
    fields: NDArray[np.intp]
    stroke: NDArray[np.float32]

    def rows(self, part: slice) -> "Transforms":
        """Return the transforms of some of the images, as views."""
        return Transforms(self.affine[:, part], self.fields[:, part], self.stroke[part])


def sample_transforms(ranges: AugmentRanges, seed: int, epoch: int, step: int, n: int) -> Transforms:
    """Draw the transforms of a batch's n images. All are drawn, even at range 0: no range changes another's draws."""
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
    return Transforms(affine.astype(np.float32), fields, (ranges.stroke * stroke).astype(np.float32))


def inverse(angle: Array, high: Array, wide: Array, shear: Array, down: Array, right: Array) -> Array:
    """Return the source of each target pixel, for images that are sheared, scaled, rotated and shifted in this order.

    With the centre as origin, y down and x to the right, this is the inverse of (y, x) → R·S·H·(y, x) + t.

    Args:
        angle: radians, counter-clockwise as seen; all arguments have the shape (n,).
        high: the factor by which the image grows along y.
        wide: the same along x.
        shear: x grows by −shear·y, so a positive shear leans to the right.
        down: pixels.
        right: pixels.

    Returns:
        (2, n, 3), as `Transforms.affine`.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    y = np.stack([cos / high, sin / high, -(cos * down + sin * right) / high], axis=-1)  # S⁻¹·R⁻¹·((y, x) − t)
    x = np.stack([-sin / wide, cos / wide, (sin * down - cos * right) / wide], axis=-1)
    return np.stack([y, x + shear[:, None] * y])  # H⁻¹


def smooth_fields(ranges: AugmentRanges, seed: int, side: int) -> Fields:
    """Return the displacement fields: noise from ±1, smoothed by a Gaussian and multiplied by α; each also negated.

    The noise extends beyond the image, so the displacements are as large at the edge as in the middle. Their standard
    deviation is α/√3 · 1/(2√π·σ) pixels if σ is more than about a pixel.
    """
    rng = seeds.stream(seed, seeds.AUGMENTATION)
    weights = _gaussian(ranges.elastic_sigma, side)
    fields = np.empty((FIELDS // 2, side, side), np.float32)
    for first in range(0, len(fields), _CHUNK):
        noise = 2 * rng.random((_CHUNK, weights.shape[1], weights.shape[1]), dtype=np.float32) - 1
        fields[first : first + _CHUNK] = np.float32(ranges.elastic_alpha) * (weights @ noise @ weights.T)
    return np.concatenate([fields, -fields]).reshape(FIELDS, side * side)


def _gaussian(sigma: float, side: int) -> NDArray[np.float32]:
    """Return the weights of the Gaussian, (side, side + 2·reach), that smooth a row of noise."""
    reach = int(np.ceil(3 * sigma))
    away = np.arange(side + 2 * reach) - reach - np.arange(side)[:, None]
    weights: Array = np.where(abs(away) <= reach, np.exp(-0.5 * (away / sigma) ** 2), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


class Distorter:
    """A function that distorts images, with its own buffers; each thread has one.

    Args:
        fields: the displacement fields, which several distorters may share; None without elastic distortions.
        stroke: whether strokes change.
        normalization: of the pixels.
        most: the largest number of images in a call.
        side: the side length of the images.
    """

    def __init__(self, fields: Fields | None, stroke: bool, normalization: Normalization, most: int, side: int) -> None:
        self._fields, self._stroke, self._normalization = fields, stroke, normalization
        self._frame = frame(side)
        self._most = min(max(most, 1), max(_BLOCK // self._frame.pixels, 1))
        pixels = self._most * self._frame.pixels
        self._source, self._left = np.empty(2 * pixels, np.float32), np.empty(2 * pixels, np.float32)
        self._right = np.empty(2 * pixels, np.float32)
        self._index = np.empty(pixels, np.intp)
        room = self._most * self._frame.padded + self._frame.wide + 1
        self._table = np.zeros(room, np.float32)  # the padded images, one after the other
        if stroke:
            self._ink, self._grown = np.zeros(len(self._table), np.uint8), np.zeros(len(self._table), np.uint8)

    def __call__(self, images: Bytes, transforms: Transforms, out: Array) -> None:
        """Write the distorted and normalised images (n, side²) to `out`, of the same shape."""
        for part in _blocks(len(images), self._most):
            self._tabulate(images[part], transforms.stroke[part])
            self._locate(transforms.rows(part))
            self._resample(out[part])
        np.multiply(out, out.dtype.type(self._normalization.scale), out=out)
        if self._normalization.shift:
            np.subtract(out, out.dtype.type(self._normalization.shift), out=out)

    def _tabulate(self, images: Bytes, stroke: Array) -> None:
        """Write the images, padded and with changed strokes, to the table."""
        n, side, padded = len(images), self._frame.side, self._frame.padded
        table = self._table[: n * padded].reshape(n, padded)
        if not self._stroke:
            np.copyto(self._inside(table), images.reshape(n, side, side))
            return
        ink, grown = (flat[: n * padded].reshape(n, padded) for flat in (self._ink, self._grown))
        paper = np.where(stroke < 0, 255, 0).astype(np.uint8)[:, None]  # thinning the ink means thickening the paper
        np.copyto(ink, paper)
        np.bitwise_xor(images.reshape(n, side, side), paper[:, :, None], out=self._inside(ink))
        _thicken(self._ink[: n * padded], self._grown[: n * padded], self._frame.wide)
        np.subtract(grown, ink, out=grown)
        np.bitwise_and(grown, self._frame.inside, out=grown)
        np.multiply(grown, stroke[:, None], out=table)
        np.bitwise_xor(ink, paper, out=ink)
        np.add(table, ink, out=table)

    def _inside(self, padded: NDArray[Any]) -> NDArray[Any]:
        """Return a view of the images, (n, side, side), inside the padded ones, one row each."""
        side, wide = self._frame.side, self._frame.wide
        return padded.reshape(-1, side + 2, wide)[:, 1 : 1 + side, 1 : 1 + side]

    def _locate(self, transforms: Transforms) -> None:
        """Compute the source of each target pixel: y and x, measured from the padded image's corner."""
        n, pixels, grid = len(transforms.stroke), self._frame.pixels, self._frame.grid
        source, moved = (flat[: 2 * n * pixels].reshape(2 * n, pixels) for flat in (self._source, self._left))
        affine = (transforms.affine + self._frame.corner).reshape(2 * n, 3)
        if self._fields is None:
            np.matmul(affine, grid, out=source)
        else:
            np.take(self._fields, transforms.fields.reshape(2 * n), axis=0, out=source, mode="clip")
            np.matmul(affine, grid, out=moved)
            np.add(source, moved, out=source)
        np.clip(
            source, np.float32(0), np.float32(self._frame.side + 1), out=source
        )  # beyond the ring there is only background

    def _resample(self, out: Array) -> None:
        """Write the table's pixels at the sources to `out`, (n, side²), with bilinear interpolation."""
        pixels = out.size
        source, left, right = (
            flat[: 2 * pixels].reshape(2, pixels) for flat in (self._source, self._left, self._right)
        )
        self._split(source)
        index, table = self._index[:pixels], self._table
        for row, below in enumerate((0, self._frame.wide)):
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
        """Split the sources into fractional parts and the table indices of the pixels above and to the left."""
        pixels = source.shape[1]
        whole = self._right[: 2 * pixels].reshape(2, pixels)
        np.floor(source, out=whole)
        np.subtract(source, whole, out=source)
        row, column = whole
        np.multiply(row, np.float32(self._frame.wide), out=row)
        np.add(row, column, out=row)
        images = (-1, self._frame.pixels)
        starts = self._frame.padded * np.arange(pixels // self._frame.pixels, dtype=np.float32)
        index = self._index[:pixels].reshape(images)
        np.add(row.reshape(images), starts[:, None], out=index, casting="unsafe")  # exact: all are below 2²⁴


def distorters(
    ranges: AugmentRanges, seed: int, normalization: Normalization, most: int, count: int, side: int
) -> list[Distorter]:
    """Return `count` distorters, each for at most `most` images of a side length; they share a seed's fields."""
    fields = smooth_fields(ranges, seed, side) if ranges.elastic_alpha else None
    return [Distorter(fields, ranges.stroke > 0, normalization, most, side) for _ in range(count)]


def _thicken(ink: Bytes, out: Bytes, wide: int) -> None:
    """Write the maximum of each pixel and its four neighbours to `out`; both hold padded images one after the other."""
    np.copyto(out, ink)
    for away in (1, wide):
        np.maximum(out[away:], ink[:-away], out=out[away:])
        np.maximum(out[:-away], ink[away:], out=out[:-away])


def _blocks(n: int, most: int) -> Iterator[slice]:
    """Yield slices that cover n items in the fewest blocks of at most `most`."""
    for first in range(0, n, most):
        yield slice(first, min(first + most, n))
