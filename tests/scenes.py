"""Scenes: MNIST digits put into pictures such as people take, for the tests and for `benchmarks/`.

A scene is drawn in light, from 0 to 1: paper and ink of some colour, the paper's texture and lines, the lamp
over both, and then what a camera and a file do to it. Every scene is a function of a digit and a random
generator.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Look:
    """How a scene looks; lengths in pixels unless said otherwise, light from 0 to 1."""

    size: int = 100  # longest side of a digit
    margins: tuple[int, int, int, int] = (30, 30, 30, 30)  # left, top, right, bottom
    paper: Colour = (1.0, 1.0, 1.0)
    ink: Colour = (0.0, 0.0, 0.0)
    pen: float | None = None  # width of the stroke, as a share of the digit's size; None: as MNIST's writer had it
    rotation: float = 0.0  # degrees
    texture: float = 0.0  # standard deviation of the paper's brightness
    lines: Literal["none", "ruled", "squared"] = "none"
    line_spacing: float = 40.0
    line_strength: float = 0.0  # share of the light that a line takes away
    lamp: float = 0.0  # share of the light that is missing at the darkest place
    shadow: float = 0.0  # share of the light that a soft-edged shadow takes away
    blur: float = 0.0  # standard deviation
    noise: float = 0.0  # standard deviation
    jpeg: int | None = None  # quality


# --- strokes


def coverage(digit: Bytes, look: Look) -> Floats:
    """How far a digit's ink covers each pixel (h, w), cropped to the ink, about `look.size` pixels long."""
    box = Image.fromarray(digit).getbbox()
    assert box is not None
    glyph = Image.fromarray(digit).crop(box)
    drawn = _as_written(glyph, look.size) if look.pen is None else _rewritten(glyph, look.size, look.pen)
    if look.rotation:
        drawn = drawn.rotate(look.rotation, Image.Resampling.BICUBIC, expand=True)
    drawn = drawn.crop(drawn.getbbox())
    return np.asarray(drawn, np.float32) / np.float32(255)


def _as_written(glyph: Image.Image, size: int) -> Image.Image:
    scale = size / max(glyph.size)
    wide, high = (max(1, round(side * scale)) for side in glyph.size)
    if scale <= 1:
        return glyph.resize((wide, high), Image.Resampling.BOX)
    large = np.asarray(glyph.resize((wide, high), Image.Resampling.BICUBIC), np.float32) / 255
    sharp = np.clip((large - 0.5) * max(1.0, scale / 2) + 0.5, 0, 1)
    return Image.fromarray((sharp * 255).round().astype(np.uint8))


def _rewritten(glyph: Image.Image, size: int, pen: float) -> Image.Image:
    """The glyph's skeleton, drawn again with a round pen."""
    fine = 6
    large = glyph.resize((glyph.width * fine, glyph.height * fine), Image.Resampling.BICUBIC)
    spine = skeleton(np.pad(np.asarray(large) > 127, 2))
    width = max(1.0, pen * size)
    room = int(width) + 2
    over = 3 if size < 300 else 1  # drawn larger, then reduced: Pillow draws without grey edges
    scale = (size - width) / (max(glyph.size) * fine) if size > 2 * width else 0.5 * size / (max(glyph.size) * fine)
    wide, high = (round((side * fine * scale) + 2 * room) for side in glyph.size)
    canvas = Image.new("L", (wide * over, high * over))
    _ink_spine(ImageDraw.Draw(canvas), spine, scale * over, room * over, width * over)
    return canvas.resize((wide, high), Image.Resampling.BOX)


def _ink_spine(draw: ImageDraw.ImageDraw, spine: NDArray[np.bool_], scale: float, room: float, width: float) -> None:
    points = {(int(x), int(y)) for y, x in np.argwhere(spine)}
    radius = width / 2
    for x, y in points:
        a, b = room + x * scale, room + y * scale
        draw.ellipse((a - radius, b - radius, a + radius, b + radius), fill=255)
        for dx, dy in ((1, 0), (0, 1), (1, 1), (-1, 1)):
            if (x + dx, y + dy) in points:
                draw.line((a, b, a + dx * scale, b + dy * scale), fill=255, width=max(1, round(width)))


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The one-pixel-wide spine of a mask (Zhang and Suen, 1984)."""
    mask = mask.copy()
    changed = True
    while changed:
        changed = False
        for half in (0, 1):
            drop = _peel(mask, half)
            changed |= bool(drop.any())
            mask &= ~drop
    return mask


def _peel(mask: NDArray[np.bool_], half: int) -> NDArray[np.bool_]:
    around = np.pad(mask, 1).astype(np.int8)
    n, ne, e, se = around[:-2, 1:-1], around[:-2, 2:], around[1:-1, 2:], around[2:, 2:]
    s, sw, w, nw = around[2:, 1:-1], around[2:, :-2], around[1:-1, :-2], around[:-2, :-2]
    ring = [n, ne, e, se, s, sw, w, nw]
    count = sum(ring)
    turns = sum((a == 0) & (b == 1) for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
    sides = (n * e * s == 0) & (e * s * w == 0) if half == 0 else (n * e * w == 0) & (n * s * w == 0)
    peeled: NDArray[np.bool_] = mask & (count >= 2) & (count <= 6) & (turns == 1) & sides
    return peeled


# --- paper, lamp, camera


def draw(digit: Bytes, look: Look, rng: Generator) -> Bytes:
    """A digit's scene: (h, w, 3) bytes."""
    return paint(_placed(coverage(digit, look), look.margins), look, rng)


def _placed(ink: Floats, margins: tuple[int, int, int, int]) -> Floats:
    left, top, right, bottom = margins
    return np.pad(ink, ((top, bottom), (left, right)))


def paint(ink: Floats, look: Look, rng: Generator) -> Bytes:
    """The scene of a page whose ink covers `ink` (h, w) of each pixel."""
    shape = ink.shape
    paper = 1 + look.texture * _grain(shape, rng)
    paper *= 1 - look.line_strength * _lines(shape, look, rng)
    cover = ink[..., None]
    light = (
        np.asarray(look.paper, np.float32) * paper[..., None] * (1 - cover) + np.asarray(look.ink, np.float32) * cover
    )
    light *= (_lamp(shape, look.lamp, rng) * _shadow(shape, look.shadow, rng))[..., None]
    return _photographed(light, look, rng)


def _photographed(light: Floats, look: Look, rng: Generator) -> Bytes:
    picture = Image.fromarray((np.clip(light, 0, 1) * 255).round().astype(np.uint8))
    if look.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(look.blur))
    if look.noise:
        noisy = np.asarray(picture, np.float32) + 255 * look.noise * rng.standard_normal(light.shape, np.float32)
        picture = Image.fromarray(np.clip(noisy, 0, 255).round().astype(np.uint8))
    if look.jpeg:
        picture = Image.open(BytesIO(saved(picture, "JPEG", quality=look.jpeg)))
    return np.asarray(picture)


def _grain(shape: tuple[int, ...], rng: Generator) -> Floats:
    """Noise of several sizes, like fibres and unevenness; standard deviation about 1."""
    total = np.zeros(shape, np.float32)
    for cell in (1, 3, 12):
        small = rng.standard_normal((shape[0] // cell + 2, shape[1] // cell + 2), np.float32)
        total += np.asarray(Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
    return total / np.float32(1.5)


def _lines(shape: tuple[int, ...], look: Look, rng: Generator) -> Floats:
    """Ruled or squared lines, 0 to 1, at the angle of the writing give or take two degrees."""
    if look.lines == "none":
        return np.zeros(shape, np.float32)
    angle = np.deg2rad(look.rotation + rng.uniform(-2, 2))
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    width = max(1.0, look.line_spacing / 15)
    across = x * np.sin(angle) + y * np.cos(angle)
    down = x * np.cos(angle) - y * np.sin(angle)
    used = (across,) if look.lines == "ruled" else (across, down)
    starts = rng.uniform(0, look.line_spacing, len(used))
    stripes = [_stripes(u, look.line_spacing, width, start) for u, start in zip(used, starts, strict=True)]
    return np.asarray(np.maximum.reduce(stripes), np.float32)


def _stripes(position: Floats, spacing: float, width: float, start: float) -> Floats:
    distance = np.abs((position + start) % spacing - spacing / 2)
    return np.asarray(np.clip(width / 2 + 0.5 - distance, 0, 1), np.float32)


def _lamp(shape: tuple[int, ...], strength: float, rng: Generator) -> Floats:
    """The lamp's light: 1 near a bright spot inside or outside of the picture, falling to 1 − strength."""
    y, x = np.meshgrid(np.linspace(0, 1, shape[0]), np.linspace(0, 1, shape[1]), indexing="ij")
    far = np.hypot(x - rng.uniform(-0.3, 1.3), y - rng.uniform(-0.3, 1.3)) ** rng.uniform(1, 2)
    return np.asarray(1 - strength * (far - far.min()) / max(np.ptp(far), 1e-6), np.float32)


def _shadow(shape: tuple[int, ...], strength: float, rng: Generator) -> Floats:
    """A half-plane in shadow, its edge soft over 5 to 30 hundredths of the picture."""
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    angle = rng.uniform(0, 2 * np.pi)
    depth = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.7, 0.7)) / rng.uniform(0.1, 0.6)
    return np.asarray(1 - strength * np.clip(depth + 0.5, 0, 1), np.float32)


# --- kinds of scenes


def _margins(size: int, rng: Generator, largest: float = 1.5) -> tuple[int, int, int, int]:
    reach = rng.uniform(0.1, largest)
    left, top, right, bottom = (max(1, round(size * rng.uniform(0.05, reach))) for _ in range(4))
    return left, top, right, bottom


def _size(rng: Generator, smallest: int = 14, largest: int = 1400) -> int:
    return round(float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))))


def two_colours(rng: Generator, contrast: float = 0.25) -> tuple[Colour, Colour]:
    """Two colours whose luma differs by at least `contrast`."""
    while True:
        one, other = rng.uniform(0, 1, (2, 3))
        if abs((one - other) @ LUMA) >= contrast:
            return _colour(one), _colour(other)


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def scan(rng: Generator) -> Look:
    """Scan-like: any size and place, black on white or the other way round."""
    size = _size(rng)
    look = Look(size=size, margins=_margins(size, rng))
    return look if rng.random() < 0.5 else replace(look, paper=look.ink, ink=look.paper)


def coloured(rng: Generator) -> Look:
    """Any two colours with a contrast of at least a quarter."""
    paper, ink = two_colours(rng)
    return replace(scan(rng), paper=paper, ink=ink)


def turned(rng: Generator) -> Look:
    """A scan turned by up to ten degrees."""
    return replace(scan(rng), rotation=float(rng.uniform(-10, 10)))


def penned(rng: Generator) -> Look:
    """A scan written with another pen: from a hair to a marker."""
    size = _size(rng, 28)
    width = float(np.exp(rng.uniform(np.log(0.01), np.log(0.16))))
    return replace(scan(rng), size=size, margins=_margins(size, rng), pen=width)


def compressed(rng: Generator) -> Look:
    """A scan saved as JPEG of quality 30."""
    size = _size(rng, 40)
    return replace(scan(rng), size=size, margins=_margins(size, rng), jpeg=30)


def noisy(rng: Generator) -> Look:
    """A scan, blurred and with noise."""
    size = _size(rng, 28)
    look = replace(coloured(rng), size=size, margins=_margins(size, rng))
    return replace(look, blur=size * float(rng.uniform(0, 0.03)), noise=float(rng.uniform(0.01, 0.05)))


def lit(rng: Generator) -> Look:
    """Paper under a lamp, with a shadow."""
    size = _size(rng, 28, 600)
    look = Look(size=size, margins=_margins(size, rng), paper=_paper(rng), ink=_dark(rng))
    return replace(look, lamp=float(rng.uniform(0.2, 0.65)), shadow=float(rng.uniform(0, 0.4)))


def lined(rng: Generator) -> Look:
    """Ruled or squared paper."""
    size = _size(rng, 40, 600)
    look = Look(size=size, margins=_margins(size, rng), paper=_paper(rng), ink=_dark(rng))
    return _with_lines(look, rng)


def photograph(rng: Generator) -> Look:
    """All together: lamp, shadow, texture, lines, another pen, blur, noise, JPEG of quality 30, a turn."""
    size = _size(rng, 48, 500)
    look = Look(size=size, margins=_margins(size, rng), paper=_paper(rng), ink=_dark(rng), jpeg=30)
    look = replace(look, pen=float(rng.uniform(0.03, 0.14)) if rng.random() < 0.6 else None)
    look = replace(look, texture=float(rng.uniform(0.005, 0.03)), rotation=float(rng.uniform(-10, 10)))
    look = replace(look, lamp=float(rng.uniform(0.1, 0.6)), shadow=float(rng.uniform(0, 0.3)))
    look = replace(look, blur=size * float(rng.uniform(0, 0.015)), noise=float(rng.uniform(0.005, 0.03)))
    return _with_lines(look, rng) if rng.random() < 0.6 else look


def _with_lines(look: Look, rng: Generator) -> Look:
    kind: Literal["ruled", "squared"] = "ruled" if rng.random() < 0.5 else "squared"
    spacing = look.size * float(rng.uniform(0.35, 1.5))
    strength = float(rng.uniform(0.04, 0.25))
    return replace(look, lines=kind, line_spacing=spacing, line_strength=strength)


def _paper(rng: Generator) -> Colour:
    return _colour(rng.uniform(0.75, 1.0) * rng.uniform(0.88, 1.0, 3))


def _dark(rng: Generator) -> Colour:
    """Ink of a pen or pencil, whose luma is at most 0.45."""
    while True:
        colour = rng.uniform(0, 1, 3) * rng.uniform(0.1, 1)
        if colour @ LUMA <= 0.45:
            return _colour(colour)


PLAIN: dict[str, Callable[[Generator], Look]] = {
    "scan": scan,
    "coloured": coloured,
    "turned": turned,
    "compressed": compressed,
}
HARD: dict[str, Callable[[Generator], Look]] = {
    "penned": penned,
    "noisy": noisy,
    "lit": lit,
    "lined": lined,
    "photograph": photograph,
}
KINDS = PLAIN | HARD


# --- files


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """The bytes of a picture's file."""
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


# --- numbers


def number(digits: list[Bytes], look: Look, rng: Generator, *, touching: float = 0.0) -> tuple[Bytes, list[bool]]:
    """A row of digits with uneven spacing, heights and base line, and which neighbours touch.

    Each gap is drawn from −0.08 to 0.06 of the digits' size with probability `touching`, else from 0.08 to 0.6.

    Returns:
        The scene (h, w, 3), and for each pair of neighbours whether their ink overlaps or meets.
    """
    inks = [coverage(digit, replace(look, size=round(look.size * rng.uniform(0.9, 1.1)))) for digit in digits]
    page = np.zeros((2 * look.size, 0), np.float32)
    meet = []
    for place, ink in enumerate(inks):
        close = place > 0 and rng.random() < touching
        gap = rng.uniform(-0.08, 0.06) if close else rng.uniform(0.08, 0.6)
        top = max(0, look.size - ink.shape[0] // 2 + round(look.size * rng.uniform(-0.08, 0.08)))
        new = np.pad(ink, ((top, 2 * look.size - top - ink.shape[0]), (0, 0)))
        page, met = _appended(page, new, round(gap * look.size) if place else 0)
        meet.append(met)
    used = np.flatnonzero(page.any(axis=1))
    page = page[used[0] : used[-1] + 1]
    return paint(_placed(page, look.margins), look, rng), meet[1:]


def _appended(page: Floats, ink: Floats, gap: int) -> tuple[Floats, bool]:
    """The page with ink put `gap` pixels to its right (overlapping if negative), and whether the two meet."""
    overlap = min(max(0, -gap), page.shape[1], ink.shape[1])
    left = np.pad(page, ((0, 0), (0, ink.shape[1] - overlap + max(0, gap))))
    right = np.pad(ink, ((0, 0), (left.shape[1] - ink.shape[1], 0)))
    around = np.pad(right, 1)
    near = np.maximum.reduce([around[y : y + len(right), x : x + right.shape[1]] for y in range(3) for x in range(3)])
    return np.maximum(left, right), bool(np.any((left > 0.3) & (near > 0.3)))
