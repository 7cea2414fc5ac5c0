"""Photographs of a page that lies on a desk: seen from the side, turned, bent, under a lamp, among other things.

They measure how forms are read, and know nothing of forms: a page is any picture. Light is from 0 to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bpcli.data.scenes.files import to_file
from bpcli.data.scenes.look import Bytes, Floats
from bpcli.data.scenes.paper import grain, lamp, shadow

Reals = NDArray[np.float64]

STRIPS = 24  # pieces along each side of a page that is bent
PAPERS = 3  # other papers on the desk


@dataclass(frozen=True, slots=True)
class Shot:
    """How a page is photographed.

    Attributes:
        width, height: of the photograph in pixels.
        tilt: between the page and the camera's plane in degrees, about an axis at `axis` degrees.
        turn: of the page in degrees.
        distance: of the camera, in longest sides of the page.
        fill: share of the photograph's width or height that the page takes.
        bend: largest shift of what is printed on a page that is not flat, as a share of its longest side.
        desk: what lies below it, one of `DESKS`.
        lamp, shadow, texture: as in `Look`.
        blur, noise: deviations, in pixels and in light.
        file: one of `files.FILES`.
        orientation: EXIF's, 1 to 8.
    """

    width: int = 1600
    height: int = 1200
    tilt: float = 0.0
    axis: float = 0.0
    turn: float = 0.0
    distance: float = 1.6
    fill: float = 0.9
    bend: float = 0.0
    desk: str = "plain"
    lamp: float = 0.0
    shadow: float = 0.0
    texture: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    file: str = "jpeg"
    orientation: int = 1


def any_shot(rng: Generator, width: int = 1600, height: int = 1200) -> Shot:
    """Return a shot with all effects but a bent page: tilted by up to 20°, turned by up to 30° from straight."""
    return Shot(
        width=width,
        height=height,
        tilt=float(rng.uniform(0, 20)),
        axis=float(rng.uniform(0, 360)),
        turn=float(rng.uniform(-30, 30) + 90 * rng.integers(4)),
        distance=float(rng.uniform(1.2, 2.5)),
        fill=float(rng.uniform(0.75, 0.97)),
        desk=str(rng.choice(list(DESKS))),
        lamp=float(rng.uniform(0, 0.6)),
        shadow=float(rng.uniform(0, 0.5)),
        texture=float(rng.uniform(0, 0.02)),
        blur=float(rng.uniform(0, 0.0007) * width),
        noise=float(rng.uniform(0, 0.03)),
        file=str(rng.choice(["jpeg 30", "jpeg"])),
        orientation=int(rng.integers(1, 9)),
    )


def photographed(page: Image.Image, shot: Shot, rng: Generator) -> bytes:
    """Return the file of a photograph of a page in RGB."""
    corners = seen_corners(page.size, shot)
    light = np.asarray(DESKS[shot.desk](shot, rng), np.float32) / np.float32(255)
    bent = page if not shot.bend else _bent(page, shot.bend * max(page.size))
    seen, there = _laid(bent, corners, shot)
    tint = rng.uniform([0.9, 0.85, 0.75], 1.0)
    light += there[..., None] * (seen * tint.astype(np.float32) - light)
    if shot.texture:
        light *= 1 + shot.texture * grain(light.shape[:2], rng)[..., None]
    light *= (lamp(light.shape[:2], shot.lamp, rng) * shadow(light.shape[:2], shot.shadow, rng))[..., None]
    return to_file(_taken(light, shot, rng), shot.file, shot.orientation)


def seen_corners(size: tuple[int, int], shot: Shot) -> Reals:
    """Return where a pinhole camera sees the corners (4, 2) of a page, clockwise from its top left, in pixels."""
    width, height = np.array(size) / max(size)
    flat = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * (width / 2, height / 2, 1)
    turned = flat @ _turned(shot.turn).T
    x, y, z = (turned @ _turned(shot.axis) @ _tilted(shot.tilt).T @ _turned(shot.axis).T).T
    seen = np.stack([x, y], axis=1) / (z + shot.distance)[:, None]
    middle, span = (seen.max(axis=0) + seen.min(axis=0)) / 2, np.ptp(seen, axis=0)
    scale = shot.fill * (np.array([shot.width, shot.height]) / span).min()
    return np.asarray((seen - middle) * scale + (shot.width / 2, shot.height / 2), np.float64)


def _turned(degrees: float) -> Reals:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])


def _tilted(degrees: float) -> Reals:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([(1, 0, 0), (0, c, -s), (0, s, c)])


def _laid(page: Image.Image, corners: Reals, shot: Shot) -> tuple[Floats, Floats]:
    """Return the page as seen on the photograph (h, w, 3), and its share of each pixel (h, w)."""
    width, height = page.size
    coefficients = _through(corners, np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64))
    size, bilinear = (shot.width, shot.height), Image.Resampling.BILINEAR
    factor = max(1, int(np.sqrt(width * height / _area(corners))))
    finer = page.filter(ImageFilter.BoxBlur((factor - 1) / 2))
    seen = finer.transform(size, Image.Transform.PERSPECTIVE, coefficients, bilinear)
    cover = Image.new("L", page.size, 255).transform(size, Image.Transform.PERSPECTIVE, coefficients, bilinear)
    return np.asarray(seen, np.float32) / np.float32(255), np.asarray(cover, np.float32) / np.float32(255)


def _area(corners: Reals) -> float:
    x, y = corners.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _through(source: Reals, target: Reals) -> list[float]:
    """Return the eight coefficients of the perspective that takes four points (4, 2) to four others."""
    x, y, u, v = *source.T, *target.T
    one, zero = np.ones(4), np.zeros(4)
    upper = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1)
    lower = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1)
    return list(np.linalg.solve(np.concatenate([upper, lower]), np.concatenate([u, v])))


def _bent(page: Image.Image, most: float) -> Image.Image:
    """Return a page that arches in its middle, as seen: what is printed there moves by up to some pixels."""
    edges_x, edges_y = (np.linspace(0, side, STRIPS + 1) for side in page.size)

    def shifted(x: float, y: float) -> tuple[float, float]:
        u, v = x / page.width, y / page.height
        return x + most * np.sin(np.pi * v) * u * (1 - u) * 2, y + most * np.sin(np.pi * u) * np.sin(np.pi * v)

    mesh = []
    for left, right in pairwise(edges_x):
        for top, bottom in pairwise(edges_y):
            box = (round(left), round(top), round(right), round(bottom))
            four = ((box[0], box[1]), (box[0], box[3]), (box[2], box[3]), (box[2], box[1]))
            mesh.append((box, tuple(value for x, y in four for value in shifted(x, y))))
    return page.transform(page.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _taken(light: Floats, shot: Shot, rng: Generator) -> Bytes:
    """Return the pixels of a camera that is a little out of focus."""
    picture = Image.fromarray(np.rint(255 * np.clip(light, 0, 1)).astype(np.uint8))
    pixels: Bytes = np.asarray(picture.filter(ImageFilter.GaussianBlur(shot.blur)) if shot.blur else picture)
    if not shot.noise:
        return pixels
    noisy = pixels + 255 * shot.noise * rng.standard_normal(pixels.shape, np.float32)
    return np.asarray(np.rint(np.clip(noisy, 0, 255)), np.uint8)


def plain(shot: Shot, rng: Generator) -> Image.Image:
    """Return a desk of one colour."""
    return Image.new("RGB", (shot.width, shot.height), _colour(rng, 20, 235))


def wood(shot: Shot, rng: Generator) -> Image.Image:
    """Return a desk with a grain of wood."""
    y, x = np.mgrid[: shot.height, : shot.width].astype(np.float32)
    waves = y / rng.uniform(4, 12) + 6 * np.sin(x / rng.uniform(150, 400)) + rng.normal(0, 0.3, y.shape)
    light = (0.75 + 0.2 * np.sin(waves))[..., None] * np.array(_colour(rng, 60, 220))
    return Image.fromarray(light.astype(np.uint8))


def cloth(shot: Shot, rng: Generator) -> Image.Image:
    """Return a desk with a chequered cloth."""
    y, x = np.mgrid[: shot.height, : shot.width]
    side = int(rng.integers(12, 120))
    squares = ((x // side) % 2 + (y // side) % 2)[..., None] / 2
    light = np.array(_colour(rng, 150, 255)) * (1 - squares) + np.array(_colour(rng, 0, 150)) * squares
    return Image.fromarray(light.astype(np.uint8))


def papers(shot: Shot, rng: Generator) -> Image.Image:
    """Return a desk with other papers on it, with lines of writing, frames and black squares."""
    desk = wood(shot, rng)
    draw = ImageDraw.Draw(desk)
    for _ in range(PAPERS):
        side = int(rng.uniform(0.3, 0.7) * shot.width)
        left, top = int(rng.integers(-side // 2, shot.width)), int(rng.integers(-side // 2, shot.height))
        draw.rectangle((left, top, left + side, top + side), _colour(rng, 200, 255))
        for line in range(top + side // 20, top + side, max(side // 20, 1)):
            draw.text((left + side // 20, line), "".join(map(chr, rng.integers(33, 127, 60))), (30, 30, 30))
        for _square in range(4):
            x, y = (int(value) for value in rng.integers(0, side, 2))
            edge = int(rng.integers(8, 40))
            draw.rectangle((left + x, top + y, left + x + edge, top + y + edge), None, (10, 10, 10), 3)
            draw.rectangle((left + x + edge // 3, top + y + edge // 3, left + x + edge * 2 // 3, top + y + edge), 0)
    return desk


def _colour(rng: Generator, least: int, most: int) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(least, most, 3))
    return red, green, blue


DESKS: dict[str, Callable[[Shot, Generator], Image.Image]] = {
    function.__name__: function for function in (plain, wood, cloth, papers)
}
