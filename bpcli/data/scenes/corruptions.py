"""Damaged pictures of digits: the fifteen kinds of MNIST-C, made anew from their definitions.

N. Mu, J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019, arXiv:1906.02337. The strengths are the
paper's. The pictures are not those of its data set: each is a function of kind, digit and index.
All light is from 0 to 1, and all lengths are in pixels.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from bpcli.data.picture.pieces import Mask, find_pieces
from bpcli.data.scenes.look import Bytes, Floats

Reals = NDArray[np.float64]

PHOTONS = 3  # mean count of shot noise in white
IMPULSES = 0.17  # share of the pixels that become black or white
GLASS, SHUFFLES = 0.7, 2  # deviation of the blur, and rounds of swapped neighbours
MOTION, TRAIL = 3.0, 20  # deviation and length of the trail
LEAN = 0.4  # radians
SMALLER = 0.7
BRIGHTER = 0.5
MOVED = 3
STRIPES = (7, 21)  # columns before the first and from the second on are inverted
FOG, FOG_DECAY, FOG_SIDE = 3.0, 1.4, 256
WET, DROP_SHARE, DROP_EDGE, MUD = (0.65, 0.3), 0.65, 1.5, 63 / 255
SPREAD = 2.3  # distance at which a line ends
SWING = 2.0  # half a zigzag's length, and its height
WEAK, STRONG = 0.1, 0.2  # thresholds of edges


def damaged(kind: str, digit: Bytes, index: int) -> Bytes:
    """Return a digit (h, w), light on dark, damaged in a way; digit, kind and index determine it."""
    rng = np.random.default_rng((list(CORRUPTIONS).index(kind), index))
    light = CORRUPTIONS[kind](digit.astype(np.float32) / np.float32(255), rng)
    return np.rint(255 * np.clip(light, 0, 1)).astype(np.uint8)


def clean(light: Floats, _rng: Generator) -> Floats:
    """Return the digit as it is."""
    return light


def shot_noise(light: Floats, rng: Generator) -> Floats:
    """Return what a sensor counts that gets few photons."""
    return _floats(rng.poisson(light * PHOTONS) / PHOTONS)


def impulse_noise(light: Floats, rng: Generator) -> Floats:
    """Return the digit with black and white pixels all over it."""
    struck = rng.random(light.shape) < IMPULSES
    return _floats(np.where(struck, rng.random(light.shape) < 0.5, light))


def glass_blur(light: Floats, rng: Generator) -> Floats:
    """Return the digit behind frosted glass: blurred, neighbours swapped at random, and blurred again."""
    blurred = _blurred(light, GLASS)
    for _round in range(SHUFFLES):
        for y in range(light.shape[0] - 1, 1, -1):
            for x in range(light.shape[1] - 1, 1, -1):
                if rng.random() < 0.5:
                    v, u = (y, x) - rng.integers(0, 2, 2)
                    blurred[y, x], blurred[v, u] = blurred[v, u], blurred[y, x]
    return _blurred(blurred, GLASS)


def motion_blur(light: Floats, rng: Generator) -> Floats:
    """Return the digit seen by a camera that moves, within 45° of level: a trail to one side."""
    angle = np.deg2rad(rng.uniform(-45, 45))
    height, width = light.shape
    around = np.pad(light, TRAIL, mode="edge")
    weights = np.exp(-0.5 * np.square(np.arange(TRAIL + 1) / MOTION))
    total = np.zeros(light.shape)
    for step, weight in enumerate(weights / weights.sum()):
        x, y = TRAIL + round(step * np.cos(angle)), TRAIL + round(step * np.sin(angle))
        total += weight * around[y : y + height, x : x + width]
    return _floats(total)


def shear(light: Floats, rng: Generator) -> Floats:
    """Return the digit leaning to the left or to the right, and a little taller."""
    angle = LEAN * _sign(rng)
    return _warped(light, np.array([[1, -np.sin(angle)], [0, np.cos(angle)]]))


def scale(light: Floats, _rng: Generator) -> Floats:
    """Return the digit smaller."""
    return _warped(light, np.eye(2) / SMALLER)


def rotate(light: Floats, rng: Generator) -> Floats:
    """Return the digit turned by 23° to the left or to the right."""
    angle = LEAN * _sign(rng)
    return _warped(light, np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))


def brightness(light: Floats, _rng: Generator) -> Floats:
    """Return the digit on grey."""
    return light + np.float32(BRIGHTER)


def translate(light: Floats, rng: Generator) -> Floats:
    """Return the digit moved by some pixels in either direction."""
    return _warped(light, np.eye(2), np.array([MOVED * _sign(rng), MOVED * _sign(rng)]))


def stripe(light: Floats, _rng: Generator) -> Floats:
    """Return the digit with a quarter on the left and a quarter on the right inverted."""
    first, last = STRIPES
    return np.concatenate([1 - light[:, :first], light[:, first:last], 1 - light[:, last:]], axis=1)


def fog(light: Floats, rng: Generator) -> Floats:
    """Return the digit behind fog: a part of a plasma fractal."""
    height, width = light.shape
    cloud = _plasma(FOG_SIDE, FOG_DECAY, rng)[:height, :width]
    return _floats((light + FOG * cloud) * light.max() / (light.max() + FOG))


def spatter(light: Floats, rng: Generator) -> Floats:
    """Return the digit with drops of mud on it."""
    wet = _blurred(_floats(rng.normal(*WET, light.shape)), 1)
    drops = _blurred(_floats(wet > DROP_SHARE), DROP_EDGE)
    drops[drops < 0.8] = 0
    return light * (1 - drops) + np.float32(MUD) * drops


def dotted_line(light: Floats, rng: Generator) -> Floats:
    """Return the digit with a dotted line from one side to the other."""
    height, width = light.shape
    start, end = rng.integers(0, height - 1, 2)
    line = _line(light.shape, (0, start), (width - 1, end))
    line[:, np.arange(width) % 4 < 2] = 0
    return light + line


def zigzag(light: Floats, rng: Generator) -> Floats:
    """Return the digit with a zigzag line from one side to the other."""
    height, width = light.shape
    (left, right), top = (2, width - 3), int(rng.integers(0, height - 1))
    run, fall = right - left, int(rng.integers(-5, 5))
    length = np.hypot(run, fall)
    corners = np.arange(SWING, length, 2 * SWING)
    along = np.concatenate([[0], corners, [length]])
    aside = np.concatenate([[0], SWING * (-1.0) ** np.arange(len(corners)), [0]])
    columns = left + (along * run - aside * fall) / length
    rows = top + (along * fall + aside * run) / length
    for start in range(len(along) - 1):
        pieces = (columns[start], rows[start]), (columns[start + 1], rows[start + 1])
        light = np.clip(light + _line(light.shape, *pieces), 0, 1)
    return light


def canny_edges(light: Floats, _rng: Generator) -> Floats:
    """Return the outlines of the digit's strokes (Canny, 1986)."""
    blurred = np.pad(_blurred(light, 1.0), 1, mode="edge")
    rows, columns = _eased(blurred.T).T, _eased(blurred)
    down, across = rows[2:] - rows[:-2], columns[:, 2:] - columns[:, :-2]
    steep = np.hypot(down, across)
    crest = _is_crest(steep, down, across)
    pieces = find_pieces(crest & (steep >= WEAK))
    strong = np.unique(pieces.labels[crest & (steep >= STRONG)])
    return _floats(np.isin(pieces.labels, strong[strong > 0]))


CORRUPTIONS: dict[str, Callable[[Floats, Generator], Floats]] = {
    function.__name__: function
    for function in (
        clean, shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness, translate,
        stripe, fog, spatter, dotted_line, zigzag, canny_edges,
    )
}  # fmt: skip


def _floats(values: Reals | Mask) -> Floats:
    return np.asarray(values, np.float32)


def _sign(rng: Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _warped(light: Floats, matrix: Reals, shift: Reals | None = None) -> Floats:
    """Return the picture whose point p shows the point matrix·p + shift of this one; its middle is the origin."""
    middle = np.array(light.shape[::-1]) / 2
    offset = middle - matrix @ middle + (0 if shift is None else shift)
    coefficients = np.column_stack([matrix, offset]).ravel().tolist()
    picture = Image.fromarray(light)
    return np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR))


def _blurred(light: Floats, deviation: float) -> Floats:
    """Return the picture convolved with a Gaussian, with its border repeated."""
    rows, columns = (_gaussian(side, deviation) for side in light.shape)
    return _floats(rows @ light @ columns.T)


@cache
def _gaussian(side: int, deviation: float) -> Reals:
    """Return the (side, side) matrix of a Gaussian that takes what lies beyond the border from the border."""
    reach = int(4 * deviation + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * np.square(offsets / deviation))
    matrix = np.zeros((side, side))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        np.add.at(matrix, (np.arange(side), np.clip(np.arange(side) + offset, 0, side - 1)), weight)
    return matrix


def _plasma(side: int, decay: float, rng: Generator) -> Reals:
    """Return heights (side, side) from 0 to 1 by the diamond-square algorithm; each octave is decay² times flatter."""
    heights, step, wobble = np.zeros((side, side)), side, 1.0

    def between(*neighbours: Reals) -> Reals:
        mean: Reals = sum(neighbours, np.zeros_like(neighbours[0])) / 4
        return mean + wobble * rng.uniform(-1, 1, mean.shape)

    while step >= 2:
        odd, even = slice(step // 2, None, step), slice(None, None, step)
        corners = heights[even, even]
        right, below = np.roll(corners, -1, 1), np.roll(corners, -1, 0)
        middles = heights[odd, odd] = between(corners, right, below, np.roll(right, -1, 0))
        heights[even, odd] = between(corners, right, middles, np.roll(middles, 1, 0))
        heights[odd, even] = between(corners, below, middles, np.roll(middles, 1, 1))
        step, wobble = step // 2, wobble / decay**2
    return np.asarray((heights - heights.min()) / np.ptp(heights), np.float64)


def _line(shape: tuple[int, ...], start: tuple[float, float], end: tuple[float, float]) -> Floats:
    """Return a line (h, w) between two points (x, y): 1 on it, falling to 0 above and below."""
    (left, top), (right, bottom) = start, end
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = abs(y - top - (bottom - top) / max(right - left, 1e-9) * (x - left))
    bright = np.log(1 - np.minimum(away, SPREAD - 1e-9) / SPREAD) + 1
    return _floats(np.clip(bright, 0, 1) * (x >= np.floor(left)) * (x < np.ceil(right)))


def _eased(values: Floats) -> Floats:
    """Return rows (h − 2, w) smoothed downwards by [1 2 1]: Sobel's sum across the derivative."""
    return values[:-2] + 2 * values[1:-1] + values[2:]


def _is_crest(steep: Floats, down: Floats, across: Floats) -> Mask:
    """Return where the picture is steeper than on either side along its gradient, off the border."""
    around = np.pad(steep, 1)
    y, x = np.mgrid[1 : steep.shape[0] + 1, 1 : steep.shape[1] + 1]
    v, u = np.sign(down).astype(int), np.sign(across).astype(int)
    upright = abs(down) > abs(across)
    straight_v, straight_u = np.where(upright, v, 0), np.where(upright, 0, u)
    share = np.minimum(abs(down), abs(across)) / np.maximum(np.maximum(abs(down), abs(across)), 1e-9)
    crest = steep > 0
    for way in (1, -1):
        beside = around[y + way * straight_v, x + way * straight_u]
        crest &= steep >= share * around[y + way * v, x + way * u] + (1 - share) * beside
    crest[[0, -1]] = crest[:, [0, -1]] = False
    return np.asarray(crest, np.bool_)
