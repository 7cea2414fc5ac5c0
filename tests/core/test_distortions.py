"""Distortions against a slow loop over the pixels that shares nothing with them but what was drawn."""

from math import cos, floor, isqrt, pi, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli.core.distortions import (
    FIELDS,
    AugmentRanges,
    Distorter,
    Transforms,
    inverse,
    sample_transforms,
    smooth_fields,
)
from bpcli.core.pixels import NORMALIZATIONS, Normalization, normalize
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split

BYTES = Normalization(1.0, 0.0)  # what is distorted stays in 0..255
EVERYTHING = AugmentRanges(rotation=20, scale=0.2, shear=0.3, shift=2, elastic_alpha=36, elastic_sigma=5.5, stroke=0.7)


@pytest.fixture(scope="module")
def fields() -> NDArray[np.float32]:
    return smooth_fields(EVERYTHING, 0, 28)


@pytest.fixture(scope="module")
def images(small_split: Split) -> Bytes:
    return small_split.images[:300]


def distorted(images: Bytes, transforms: Transforms, fields: NDArray[np.float32] | None, stroke: bool = True) -> Array:
    out = np.full(images.shape, np.nan, np.float32)
    Distorter(fields, stroke, BYTES, len(images), isqrt(images.shape[1]))(images, transforms, out)
    return out


def thickened(image: Bytes, stroke: float) -> list[list[float]]:
    """The image with its strokes' edges moved: each pixel goes part of the way to a neighbour's ink or paper."""
    side = isqrt(image.size)
    ink = [[int(pixel) for pixel in row] for row in image.reshape(side, side)]

    def pixel(y: int, x: int) -> int:
        return ink[y][x] if 0 <= y < side and 0 <= x < side else 0

    def moved(y: int, x: int) -> float:
        near = [pixel(y, x), pixel(y - 1, x), pixel(y + 1, x), pixel(y, x - 1), pixel(y, x + 1)]
        goal = max(near) if stroke > 0 else min(near)
        return pixel(y, x) + abs(stroke) * (goal - pixel(y, x))

    return [[moved(y, x) for x in range(side)] for y in range(side)]


def slowly(image: Bytes, transforms: Transforms, index: int, fields: NDArray[np.float32] | None) -> Array:
    """What one image becomes, pixel by pixel."""
    ink, side = thickened(image, float(transforms.stroke[index])), isqrt(image.size)
    middle = (side - 1) / 2

    def pixel(y: int, x: int) -> float:
        return ink[y][x] if 0 <= y < side and 0 <= x < side else 0.0

    def source(axis: int, y: int, x: int) -> float:
        by_y, by_x, away = map(float, transforms.affine[axis, index])
        moved = 0.0 if fields is None else float(fields[transforms.fields[axis, index], side * y + x])
        return middle + by_y * (y - middle) + by_x * (x - middle) + away + moved

    out = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            at_y, at_x = source(0, y, x), source(1, y, x)
            top, left = floor(at_y), floor(at_x)
            for down in (0, 1):
                for right in (0, 1):
                    weight = (1 - abs(at_y - top - down)) * (1 - abs(at_x - left - right))
                    out[y, x] += weight * pixel(top + down, left + right)
    return out.ravel()


@pytest.mark.parametrize("elastic", [True, False])
def test_a_slow_loop_finds_the_same(images: Bytes, fields: NDArray[np.float32], elastic: bool) -> None:
    transforms, bank = sample_transforms(EVERYTHING, 3, 1, 4, len(images)), fields if elastic else None
    out = distorted(images, transforms, bank)
    chosen = [0, 1, 127, 128, 129, 255, 256, 299]  # both sides of the blocks' edges
    assert {transforms.stroke[index] > 0 for index in chosen} == {True, False}
    for index in chosen:
        np.testing.assert_allclose(out[index], slowly(images[index], transforms, index, bank), atol=0.01)


@pytest.mark.parametrize("elastic", [True, False])
@pytest.mark.parametrize("side", [8, 20, 27, 64])
def test_images_of_any_side_are_what_a_slow_loop_makes_of_them(side: int, elastic: bool) -> None:
    n = 50_176 // side**2 + 2  # more than one block
    images = np.random.default_rng(side).integers(256, size=(n, side * side), dtype=np.uint8)
    transforms, bank = (
        sample_transforms(EVERYTHING, 1, 0, 2, n),
        smooth_fields(EVERYTHING, 0, side) if elastic else None,
    )
    out = distorted(images, transforms, bank)
    for index in (0, 1, n - 3, n - 2, n - 1):
        np.testing.assert_allclose(out[index], slowly(images[index], transforms, index, bank), atol=0.03)


@given(side=st.integers(8, 64), n=st.integers(1, 300), cut=st.integers(0, 300), stroke=st.booleans())
@examples(max_examples=30)
def test_images_of_any_side_are_distorted_each_by_itself(side: int, n: int, cut: int, stroke: bool) -> None:
    images = np.random.default_rng(n).integers(256, size=(n, side * side), dtype=np.uint8)
    transforms, whole = sample_transforms(EVERYTHING, 0, 0, 0, n), np.empty((n, side * side), np.float32)
    Distorter(None, stroke, BYTES, n, side)(images, transforms, whole)
    part = slice(min(cut, n - 1), n)
    assert distorted(images[part], transforms.rows(part), None, stroke).tobytes() == whole[part].tobytes()


@pytest.mark.parametrize(("rotation", "scale", "shift"), [(180, 0.9, 14), (0, 0.9, 14), (180, 0, 0)])
def test_what_leaves_the_image_is_background(rotation: float, scale: float, shift: float) -> None:
    ranges = AugmentRanges(rotation=rotation, scale=scale, shift=shift)
    images = np.full((40, 784), 255, np.uint8)  # ink up to the edge
    transforms = sample_transforms(ranges, 0, 0, 0, len(images))
    out = distorted(images, transforms, None, stroke=False)
    for index in range(0, 40, 5):
        np.testing.assert_allclose(out[index], slowly(images[index], transforms, index, None), atol=0.01)


@pytest.mark.parametrize("name", NORMALIZATIONS)
@pytest.mark.parametrize("stroke", [True, False])
def test_without_a_distortion_the_bytes_are_those_of_normalize(images: Bytes, name: str, stroke: bool) -> None:
    expected, out = np.empty((2, *images.shape), np.float32)
    normalize(images, NORMALIZATIONS[name](0.1307, 0.3081), expected)
    nothing = sample_transforms(AugmentRanges(), 0, 0, 0, len(images))
    Distorter(np.zeros((FIELDS, 784), np.float32), stroke, NORMALIZATIONS[name](0.1307, 0.3081), 300, 28)(
        images, nothing, out
    )
    assert out.tobytes() == expected.tobytes()


def placed(**arguments: float) -> Transforms:
    """The transforms that do one known thing to one image."""
    usual = {"angle": 0.0, "high": 1.0, "wide": 1.0, "shear": 0.0, "down": 0.0, "right": 0.0}
    affine = inverse(**{name: np.array([value]) for name, value in (usual | arguments).items()})
    return Transforms(affine.astype(np.float32), np.zeros((2, 1), np.intp), np.zeros(1, np.float32))


@pytest.mark.parametrize("turns", [1, 2, 3, -1])
def test_a_quarter_turn_is_numpys(images: Bytes, turns: int) -> None:
    out = distorted(images[:1], placed(angle=turns * pi / 2), None)
    np.testing.assert_allclose(out.reshape(28, 28), np.rot90(images[0].reshape(28, 28), turns), atol=0.01)


def test_a_shift_moves_down_and_right(images: Bytes) -> None:
    out = distorted(images[:1], placed(down=2, right=-3), None).reshape(28, 28)
    assert np.array_equal(out[2:, :-3], images[0].reshape(28, 28)[:-2, 3:])
    assert not out[:2].any()
    assert not out[:, -3:].any()


def spot(y: int, x: int) -> Bytes:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, y, x] = 200
    return image.reshape(1, 784)


def centre_of(out: Array) -> tuple[float, float]:
    """The centre of mass, from the image's centre, y up and x to the right."""
    down, right = np.indices((28, 28)) - 13.5
    ink = out.reshape(28, 28).astype(float)
    return -float((ink * down).sum() / ink.sum()), float((ink * right).sum() / ink.sum())


@given(angle=st.floats(-30, 30), high=st.floats(0.8, 1.2), wide=st.floats(0.8, 1.2), shear=st.floats(-0.3, 0.3))
@examples(max_examples=50)
def test_a_spot_goes_where_the_matrices_send_it(angle: float, high: float, wide: float, shear: float) -> None:
    out = distorted(spot(8, 17), placed(angle=radians(angle), high=high, wide=wide, shear=shear), None)
    y, x = 5.5, 3.5  # of the spot, y up
    y, x = high * y, wide * (x + shear * y)
    y, x = cos(radians(angle)) * y + sin(radians(angle)) * x, cos(radians(angle)) * x - sin(radians(angle)) * y
    assert centre_of(out) == pytest.approx((y, x), abs=0.35)


def test_displacements_have_the_moments_of_smoothed_noise(fields: NDArray[np.float32]) -> None:
    expected = 36 / sqrt(3) / (2 * sqrt(pi) * 5.5)  # a uniform variable's deviation, a squared Gaussian's integral
    assert fields.shape == (FIELDS, 784)
    assert abs(fields.mean(axis=0)).max() < 1e-5  # each comes with its negative
    deviations = fields.std(axis=0).reshape(28, 28)
    assert deviations.mean() == pytest.approx(expected, rel=0.02)
    assert abs(deviations / expected - 1).max() < 0.1  # at the edges, too
    assert abs(fields).max() < 6 * expected


def test_displacements_are_smooth(fields: NDArray[np.float32]) -> None:
    squares = fields.reshape(-1, 28, 28)
    correlation = (squares[:, :, :-4] * squares[:, :, 4:]).mean() / (squares**2).mean()
    assert correlation == pytest.approx(np.exp(-(4**2) / (4 * 5.5**2)), abs=0.02)  # the Gaussian's with itself


def test_a_lone_pixel_of_noise_gives_the_gaussian(monkeypatch: pytest.MonkeyPatch) -> None:
    from bpcli.core import seeds

    class OneBright:
        """Noise that is 1 in the middle and 0 elsewhere."""

        def random(self, shape: tuple[int, ...], dtype: type) -> Array:
            noise: Array = np.full(shape, 0.5, dtype)
            noise[:, shape[1] // 2, shape[2] // 2] = 1
            return noise

    monkeypatch.setattr(seeds, "stream", lambda *_: OneBright())
    field = smooth_fields(AugmentRanges(elastic_alpha=10, elastic_sigma=2), 0, 28)[0].reshape(28, 28)
    y, x = np.indices((28, 28)) - 14
    expected = 10 / (2 * pi * 4) * np.exp(-(y**2 + x**2) / 8.0)
    np.testing.assert_allclose(field, expected, atol=0.01 * expected.max())


def test_transforms_stay_in_their_ranges_and_fill_them() -> None:
    ranges = AugmentRanges(shift=3, stroke=0.5)
    transforms = sample_transforms(ranges, 0, 0, 0, 5000)
    for away in (*transforms.affine[:, :, 2], 6 * transforms.stroke):
        assert abs(away.mean()) < 0.1
        assert 2.9 < abs(away).max() <= 3
    angles = np.degrees(np.arctan2(*sample_transforms(AugmentRanges(rotation=15), 0, 0, 0, 5000).affine[0, :, 1::-1].T))
    assert abs(angles.mean()) < 0.5
    assert 14.9 < abs(angles).max() <= 15.001
    assert angles.std() == pytest.approx(15 / sqrt(3), rel=0.03)
    assert transforms.fields.min() >= 0
    assert transforms.fields.max() < FIELDS
    assert np.unique(transforms.fields).size == pytest.approx(FIELDS * (1 - np.exp(-10_000 / FIELDS)), rel=0.03)


def bits(transforms: Transforms) -> bytes:
    return b"".join(array.tobytes() for array in transforms)


def test_transforms_depend_on_seed_epoch_and_step_alone() -> None:
    first = bits(sample_transforms(EVERYTHING, 1, 2, 3, 50))
    np.random.default_rng(0).random()
    assert bits(sample_transforms(EVERYTHING, 1, 2, 3, 50)) == first
    assert (
        len({first, *(bits(sample_transforms(EVERYTHING, *key, 50)) for key in ((2, 2, 3), (1, 3, 3), (1, 2, 4)))}) == 4
    )


def test_every_image_of_every_epoch_differs(fields: NDArray[np.float32], images: Bytes) -> None:
    same = np.repeat(images[:1], 50, axis=0)
    seen = {
        row.tobytes()
        for epoch in (0, 1)
        for row in distorted(same, sample_transforms(EVERYTHING, 0, epoch, 0, 50), fields)
    }
    assert len(seen) == 100


@given(n=st.integers(1, 300), cut=st.integers(0, 300), stroke=st.booleans(), elastic=st.booleans())
@examples(max_examples=30)
def test_whoever_distorts_which_rows_the_bytes_are_the_same(
    fields: NDArray[np.float32], images: Bytes, n: int, cut: int, stroke: bool, elastic: bool
) -> None:
    cut, bank = min(cut, n), fields if elastic else None
    transforms = sample_transforms(EVERYTHING, 0, 0, 0, n)
    whole, parts = np.empty((2, n, 784), np.float32)
    Distorter(bank, stroke, BYTES, 300, 28)(images[:n], transforms, whole)
    for part in (slice(cut), slice(cut, n)):
        Distorter(bank, stroke, BYTES, len(images[part]), 28)(images[part], transforms.rows(part), parts[part])
    assert whole.tobytes() == parts.tobytes()


def test_an_image_left_in_the_buffers_does_not_show(fields: NDArray[np.float32], images: Bytes) -> None:
    distorter = Distorter(fields, True, BYTES, 200, 28)
    transforms = sample_transforms(EVERYTHING, 0, 0, 0, 150)
    first, again = np.empty((2, 150, 784), np.float32)
    distorter(images[:150], transforms, first)
    ink, others = np.full((200, 784), 255, np.uint8), sample_transforms(EVERYTHING, 0, 0, 1, 200)
    distorter(ink, others, np.empty(ink.shape, np.float32))
    distorter(images[:150], transforms, again)
    assert first.tobytes() == again.tobytes()
