"""Draws the pictures of this folder that Pillow makes: strokes given by hand, with the brushes of paint programs."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent
Point = tuple[float, float]


def dab(draw: ImageDraw.ImageDraw, points: Sequence[Point], width: float, colour: str | tuple[int, int, int]) -> None:
    """A round brush dragged along the points."""
    for (x, y), (u, v) in pairwise(points):
        steps = int(max(abs(u - x), abs(v - y))) + 1
        for step in range(steps + 1):
            a, b = x + (u - x) * step / steps, y + (v - y) * step / steps
            draw.ellipse((a - width / 2, b - width / 2, a + width / 2, b + width / 2), fill=colour)


def three_with_a_mouse() -> None:
    """A paint program's hard round brush, the line as shaky as a mouse makes it."""
    picture = Image.new("RGB", (640, 480), "white")
    points = [
        (258, 132), (275, 112), (301, 103), (330, 106), (349, 124), (352, 150), (340, 174), (318, 191), (292, 199),
        (322, 203), (350, 217), (366, 243), (366, 274), (350, 303), (323, 319), (292, 321), (264, 311), (246, 291),
    ]  # fmt: skip
    dab(ImageDraw.Draw(picture), points, 8, "black")
    picture.save(FOLDER / "3-mouse.png")


def six_with_a_finger() -> None:
    """A drawing app: a broad white brush with a soft edge on a dark screen."""
    picture = Image.new("RGB", (540, 960), (18, 18, 20))
    points = [
        (330, 250), (275, 320), (232, 410), (208, 500), (210, 580), (240, 640), (300, 655), (350, 625), (362, 570),
        (335, 525), (285, 520), (235, 555), (215, 590),
    ]  # fmt: skip
    dab(ImageDraw.Draw(picture), points, 52, (240, 240, 235))
    picture.filter(ImageFilter.GaussianBlur(3)).save(FOLDER / "6-finger.webp", quality=80)


def four_in_a_28_pixel_bitmap() -> None:
    """A canvas of 28×28 with a two-pixel pencil, white on black, not centred."""
    picture = Image.new("L", (28, 28))
    draw = ImageDraw.Draw(picture)
    for stroke in ([(9, 3), (6, 13), (17, 13)], [(15, 4), (15, 22)]):
        draw.line(stroke, fill=255, width=2)
    picture.save(FOLDER / "4-28x28.bmp")


def seven_in_a_28_pixel_bitmap() -> None:
    """The same canvas, black on white."""
    picture = Image.new("RGB", (28, 28), "white")
    ImageDraw.Draw(picture).line([(7, 6), (20, 6), (12, 24)], fill="black", width=2)
    picture.save(FOLDER / "7-28x28.bmp")


def nought_as_a_fax() -> None:
    """One bit a pixel, a thin pen, a few specks."""
    picture = Image.new("1", (200, 280), 1)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((58, 60, 142, 214), outline=0, width=3)
    draw.line([(100, 60), (116, 52)], fill=0, width=3)
    draw.point([(20, 30), (21, 30), (170, 250), (30, 200), (180, 90), (181, 90)], fill=0)
    picture.save(FOLDER / "0-fax.tiff", compression="group4")


if __name__ == "__main__":
    for make in (
        three_with_a_mouse, six_with_a_finger, four_in_a_28_pixel_bitmap, seven_in_a_28_pixel_bitmap, nought_as_a_fax,
    ):  # fmt: skip
        make()
