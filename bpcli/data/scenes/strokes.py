"""A digit's strokes at any size and rotation, with MNIST's pen or another."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bpcli.data.scenes.look import Bytes, Floats, Look


def coverage(digit: Bytes, look: Look) -> Floats:
    """Return the share of each pixel (h, w) that ink covers, cropped to the digit, about `look.size` pixels long."""
    glyph = Image.fromarray(digit)
    glyph = glyph.crop(glyph.getbbox())
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
    """Return the glyph's skeleton, drawn again with a round pen."""
    fine = 6
    large = glyph.resize((glyph.width * fine, glyph.height * fine), Image.Resampling.BICUBIC)
    spine = skeleton(np.pad(np.asarray(large) > 127, 2))
    width = max(1.0, pen * size)
    room = int(width) + 2
    over = 3 if size < 300 else 1  # drawn larger, then shrunk: Pillow draws without antialiasing
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
    """Return the one-pixel-wide skeleton of a mask (Zhang and Suen, 1984)."""
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
