"""Painting of scenes: ink on paper, a lamp, and a camera.

All light is from 0 to 1.
"""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from bpcli.data.scenes.look import Bytes, Floats, Look
from bpcli.data.scenes.strokes import coverage


def draw(digit: Bytes, look: Look, rng: Generator) -> Bytes:
    """Return the scene (h, w, 3) of a digit (28, 28)."""
    return paint(placed(coverage(digit, look), look.margins), look, rng)


def placed(ink: Floats, margins: tuple[int, int, int, int]) -> Floats:
    """Return the ink (h, w) with margins of empty paper: left, top, right, bottom."""
    left, top, right, bottom = margins
    return np.pad(ink, ((top, bottom), (left, right)))


def paint(ink: Floats, look: Look, rng: Generator) -> Bytes:
    """Return the scene (h, w, 3) of a page; ink covers the share `ink` (h, w) of each pixel."""
    paper, pen = (np.asarray(colour, np.float32) for colour in (look.paper, look.ink))
    light = ink[..., None] * pen + (_sheet(ink.shape, look, rng) * (1 - ink))[..., None] * paper
    if look.lamp or look.shadow:
        light *= (lamp(ink.shape, look.lamp, rng) * shadow(ink.shape, look.shadow, rng))[..., None]
    return _photographed(light, look, rng)


def _sheet(shape: tuple[int, ...], look: Look, rng: Generator) -> Floats:
    """Return the paper's brightness, about 1, with its texture and lines."""
    sheet = np.ones(shape, np.float32)
    if look.texture:
        sheet += look.texture * grain(shape, rng)
    if look.lines != "none":
        sheet *= 1 - look.line_strength * _lines(shape, look, rng)
    return sheet


def _photographed(light: Floats, look: Look, rng: Generator) -> Bytes:
    """Return a camera's picture of the light, with blur and noise."""
    pixels = _bytes(light)
    if look.blur:
        pixels = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(look.blur)))
    if look.noise:
        pixels = _bytes(pixels / np.float32(255) + look.noise * rng.standard_normal(light.shape, np.float32))
    return pixels


def _bytes(light: Floats) -> Bytes:
    return (np.clip(light, 0, 1) * 255).round().astype(np.uint8)


def grain(shape: tuple[int, ...], rng: Generator) -> Floats:
    """Return noise at several scales, like fibres and unevenness; its standard deviation is about 1."""
    total = np.zeros(shape, np.float32)
    for cell in (1, 3, 12):
        small = rng.standard_normal((shape[0] // cell + 2, shape[1] // cell + 2), np.float32)
        total += np.asarray(Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
    return total / np.float32(1.5)


def _lines(shape: tuple[int, ...], look: Look, rng: Generator) -> Floats:
    """Return ruled or squared lines, 0 to 1, within two degrees of the writing's angle."""
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


def lamp(shape: tuple[int, ...], strength: float, rng: Generator) -> Floats:
    """Return the lamp's light: 1 near a bright spot in or beside the picture, falling to 1 − strength."""
    y, x = np.meshgrid(np.linspace(0, 1, shape[0]), np.linspace(0, 1, shape[1]), indexing="ij")
    far = np.hypot(x - rng.uniform(-0.3, 1.3), y - rng.uniform(-0.3, 1.3)) ** rng.uniform(1, 2)
    return np.asarray(1 - strength * (far - far.min()) / max(np.ptp(far), 1e-6), np.float32)


def shadow(shape: tuple[int, ...], strength: float, rng: Generator) -> Floats:
    """Return the light with a half-plane in shadow; its soft edge is 5 to 30 hundredths of the picture wide."""
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    angle = rng.uniform(0, 2 * np.pi)
    depth = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.7, 0.7)) / rng.uniform(0.1, 0.6)
    return np.asarray(1 - strength * np.clip(depth + 0.5, 0, 1), np.float32)
