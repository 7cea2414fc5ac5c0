import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.data.picture.ink import coverage, crispness, find_ink, find_marks, grain, solid_darkness, through
from bpcli.data.picture.pieces import find_pieces

Grey = NDArray[np.float32]


def paper_with_bar(ink: float = 0.2, noise: float = 0.0) -> tuple[Grey, NDArray[np.bool_]]:
    bar = np.zeros((120, 120), np.bool_)
    bar[30:90, 50:62] = True
    rng = np.random.default_rng(0)
    grey = np.where(bar, ink, 0.9) + noise * rng.standard_normal(bar.shape)
    return np.clip(grey, 0, 1).astype(np.float32), bar


@pytest.mark.parametrize("noise", [0.0, 0.04])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_ink_is_where_it_was_put(noise: float, inverted: bool) -> None:
    grey, bar = paper_with_bar(0.2, noise)
    found = find_ink(1 - grey if inverted else grey)
    assert found.light is inverted
    largest = int(np.argmax(found.pieces.areas)) + 1
    assert np.mean((found.pieces.labels == largest) != bar) < 0.01
    assert found.contrast > 10


def test_the_polarity_can_be_forced() -> None:
    grey, _ = paper_with_bar()
    assert find_ink(grey, "dark").pieces.only(np.array([True]))[60, 55]
    assert not find_ink(grey, "light").pieces.labels[60, 55]


def test_coverage_is_the_share_of_a_pixel_that_is_inked() -> None:
    grey = np.ones((20, 20), np.float32)
    grey[4:16, 8:10] = 0
    grey[4:16, 10] = 0.6
    found = find_ink(grey)
    cover = coverage(found, found.pieces.labels > 0)
    np.testing.assert_allclose(cover[5:15, 6:13], np.tile([0, 0, 1, 1, 0.4, 0, 0], (10, 1)), atol=0.05)


def test_noise_stands_out_less_than_ink() -> None:
    noise = 0.8 + 0.03 * np.random.default_rng(1).standard_normal((200, 200), np.float32)
    assert find_ink(noise).contrast < 6


def test_solid_ink_ignores_specks_and_edges() -> None:
    dark = np.zeros((50, 50), np.float32)
    dark[10:30, 10:20] = 0.6
    dark[10:30, 20:22] = 0.4
    dark[40, 40:45] = 1.0
    assert solid_darkness(dark) == pytest.approx(0.6)
    assert solid_darkness(-dark) == 0


def test_grain_is_the_deviation_of_the_light_side() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 100_000).astype(np.float32)
    assert grain(noise) == pytest.approx(0.05 / np.sqrt(2), rel=0.02)
    assert grain(noise[:0]) == 0


def test_lines_across_the_picture_are_fainter_than_marks() -> None:
    dark = np.zeros((60, 60), np.float32)
    dark[10::20] = 0.5
    dark[5:55, 30:34] = 0.9
    marks = find_marks(dark, 0.9, dark[dark < 0.6])
    np.testing.assert_array_equal(marks.labels > 0, dark == np.float32(0.9))


def test_faint_strokes_count_on_clean_paper_only() -> None:
    dark = np.zeros((60, 60), np.float32)
    dark[20:40, 10:20], dark[29:31, 20:40] = 1.0, 0.3
    assert find_marks(dark, 1.0, np.zeros(10, np.float32)).areas.sum() == 240
    assert find_marks(dark, 1.0, np.full(10, 0.2, np.float32)).areas.sum() == 200


def test_blurred_marks_are_less_crisp() -> None:
    grey, _ = paper_with_bar()
    blurred = np.mean([np.roll(grey, shift, axis=1) for shift in range(-6, 7)], axis=0)
    assert crispness(find_ink(grey)) > 2 * crispness(find_ink(blurred))


def test_on_flat_paper_a_digit_may_fill_the_picture() -> None:
    rows = ["..####..", ".##..##.", "##....##", "##....##", "##....##", "##....##", ".##..##.", "..####.."]
    zero = np.array([[mark == "#" for mark in row] for row in rows])
    for scale in (1, 3, 7):
        large = np.kron(zero, np.ones((scale, scale), np.bool_))
        for light in (False, True):
            found = find_ink(np.where(large != light, 0, 1).astype(np.float32))
            assert found.light is light
            np.testing.assert_array_equal(found.pieces.labels > 0, large)


def test_glare_is_no_flat_paper() -> None:
    paper = np.clip(np.tile(np.linspace(1.5, 0.4, 150), (150, 1)), 0, 1)
    bar = np.zeros((150, 150), np.bool_)
    bar[40:110, 70:80] = True
    found = find_ink(np.where(bar, 0.15 * paper, paper).astype(np.float32))
    largest = int(np.argmax(found.pieces.areas)) + 1
    assert np.mean((found.pieces.labels == largest) != bar) < 0.01


def test_a_mark_that_runs_through_is_as_dark_as_its_fainter_end() -> None:
    dark = np.zeros((10, 12), np.float32)
    dark[:, 3], dark[0, 3] = 0.9, 0.5
    dark[5:, 9] = 0.9
    np.testing.assert_array_equal(through(find_pieces(dark > 0), dark), np.array([0.5, np.inf], np.float32))
