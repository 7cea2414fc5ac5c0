"""Photographs of pages: the camera is a pinhole, and what it sees is the page."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from bpcli.data.scenes.desk import DESKS, Shot, any_shot, photographed, seen_corners

A4 = (210, 297)
SMALL = Shot(width=160, height=120)


def test_a_straight_page_fills_its_share_of_the_photograph() -> None:
    corners = seen_corners(A4, Shot(width=1600, height=1200, fill=0.9))
    width, height = 0.9 * 1200 * 210 / 297, 0.9 * 1200
    left, top = (1600 - width) / 2, (1200 - height) / 2
    expected = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    assert corners == pytest.approx(np.array(expected))


def test_a_turn_is_clockwise_and_a_tilt_makes_one_side_longer() -> None:
    turned = seen_corners(A4, Shot(turn=90))
    assert turned[0, 0] > turned[3, 0]  # the top left corner lies at the top right
    assert turned[0, 1] < turned[1, 1]
    tilted = seen_corners(A4, Shot(tilt=20))
    top, bottom = np.linalg.norm(tilted[1] - tilted[0]), np.linalg.norm(tilted[2] - tilted[3])
    assert abs(np.log(top / bottom)) > 0.1


def test_lines_stay_straight_so_the_diagonals_meet_in_the_pages_middle() -> None:
    """A red page with a blue middle: the camera sees blue where the diagonals of its corners meet."""
    page = Image.new("RGB", A4, "red")
    page.paste("blue", (85, 128, 125, 168))
    shot = replace(SMALL, tilt=20, axis=40, turn=25, file="rgb png")
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = seen_corners(A4, shot)
    share = np.linalg.solve([[cx - ax, bx - dx], [cy - ay, by - dy]], [bx - ax, by - ay])[0]
    middle = round(ax + share * (cx - ax)), round(ay + share * (cy - ay))
    pixels = np.asarray(Image.open(BytesIO(photographed(page, shot, np.random.default_rng(0)))), np.int16)
    red, _, blue = pixels[middle[1], middle[0]]
    assert blue > 150 > 50 > red
    red, _, blue = pixels[round((ay + middle[1]) / 2), round((ax + middle[0]) / 2)]
    assert red > 150 > 50 > blue


@pytest.mark.parametrize("desk", DESKS)
def test_a_shot_is_a_file_of_its_size_and_the_same_for_the_same_seed(desk: str) -> None:
    page = Image.new("RGB", A4, "white")
    shot = replace(any_shot(np.random.default_rng(3), 160, 120), desk=desk, bend=0.01)
    one, other = (photographed(page, shot, np.random.default_rng(1)) for _ in range(2))
    assert one == other
    assert ImageOps.exif_transpose(Image.open(BytesIO(one))).size == (160, 120)
