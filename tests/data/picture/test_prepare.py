from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data.mnist import read_split
from bpcli.data.picture.background import Ink
from bpcli.data.picture.prepare import prepare, prepare_all, to_bytes, unchanged
from bpcli.data.picture.read import read_picture
from bpcli.data.picture.scale import shrink
from bpcli.data.scenes.kinds import scene as scene_file
from bpcli.data.scenes.look import LUMA, Look
from bpcli.data.scenes.numbers import number
from bpcli.data.scenes.paper import draw

Grey = NDArray[np.float32]
DIGITS = read_split(resources.mnist(), "test", 0).images.reshape(-1, 28, 28)


def grey_of(digit: NDArray[np.uint8]) -> Grey:
    return np.asarray(digit / np.float32(255), np.float32)


def scene(index: int, look: Look) -> Grey:
    drawn = draw(DIGITS[index], look, np.random.default_rng(index))
    return np.asarray(drawn @ LUMA / 255, np.float32)


def likeness(one: NDArray[np.uint8] | None, other: NDArray[np.uint8]) -> float:
    """The correlation of two pictures."""
    assert one is not None
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("inverted", [False, True])
def test_the_digits_of_mnist_pass_unchanged(inverted: bool) -> None:
    for digit in DIGITS:
        same = unchanged(grey_of(255 - digit if inverted else digit))
        assert same is not None
        assert np.array_equal(same, digit)


@pytest.mark.parametrize("size", [14, 28, 90, 350, 800])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_scan_of_any_size_comes_back_as_it_was(size: int, inverted: bool) -> None:
    look = Look(size=size, margins=(size // 3, size // 9 + 1, size, size // 2))
    pictures = [scene(index, look) for index in range(5)]
    found = [prepare(1 - picture if inverted else picture).pixels for picture in pictures]
    assert np.median(list(map(likeness, found, DIGITS))) > 0.9


@pytest.mark.parametrize("kind", ["plain", "photograph", "lamp", "lines", "noise"])
def test_scenes_come_back_much_as_they_were(kind: str) -> None:
    scenes = [read_picture(scene_file(kind, DIGITS[index], index)) for index in range(15)]
    alike = [likeness(prepare(scene).pixels, digit) for scene, digit in zip(scenes, DIGITS, strict=False)]
    assert np.median(alike) > 0.75


def test_a_small_digit_on_a_large_page_is_looked_at_more_closely() -> None:
    picture = scene(0, Look(size=30, margins=(900, 300, 400, 900)))
    assert likeness(prepare(picture).pixels, DIGITS[0]) > 0.9


def test_a_hair_and_a_marker_come_out_with_strokes_of_the_same_order() -> None:
    thin, thick = (prepare(scene(0, Look(size=300, pen=pen))).pixels for pen in (0.008, 0.16))
    assert thin is not None
    assert thick is not None
    assert 1 < thick.sum() / thin.sum() < 3


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_blank_page_has_no_digit_and_says_so(value: float) -> None:
    found = prepare(np.full((60, 80), value, np.float32))
    assert found.pixels is None
    assert found.reason.startswith("blank")
    assert list(found.steps) == ["picture", "ink"]


def test_noise_is_no_digit() -> None:
    rng = np.random.default_rng(0)
    assert prepare(rng.random((200, 200), np.float32)).pixels is None
    assert prepare(0.8 + 0.02 * rng.standard_normal((200, 200), np.float32)).pixels is None


def test_the_steps_are_pictures_and_end_with_the_input() -> None:
    found = prepare(scene(0, Look()))
    assert list(found.steps) == ["picture", "ink", "digit", "strokes", "input"]
    assert all(step.dtype == np.uint8 and step.ndim == 2 for step in found.steps.values())
    assert found.steps["input"] is found.pixels


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    levels=st.integers(1, 8),
    ink=st.sampled_from(["auto", "dark", "light"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture_has_a_digit_or_a_reason(height: int, width: int, levels: int, ink: Ink, seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = shrink(rng.integers(0, levels, (height, width)).astype(np.float32), int(rng.integers(1, 61)))
    picture = np.kron(blocks, np.ones(rng.integers(1, 4, 2), np.float32))
    found = prepare(np.asarray(picture / max(1, levels - 1), np.float32), ink)
    assert (found.pixels is None) == bool(found.reason)
    assert found.pixels is None or (found.pixels.shape == (28, 28) and found.pixels.max() > 0)


def test_bytes_are_rounded_and_clipped() -> None:
    np.testing.assert_array_equal(to_bytes(np.array([[-1, 0, 0.5, 1, 2]], np.float32)), [[0, 0, 128, 255, 255]])


def test_several_digits_come_in_order_with_their_boxes() -> None:
    digits = list(DIGITS[:5])
    look = Look(size=60, margins=(40, 20, 40, 20))
    drawn, _ = number(digits, look, np.random.default_rng(0))
    found = prepare_all(np.asarray(drawn @ LUMA / 255, np.float32))
    assert len(found) == 5
    for (box, prepared), digit in zip(found, digits, strict=True):
        assert likeness(prepared.pixels, digit) > 0.85
        assert 40 <= max(box[2] - box[0], box[3] - box[1]) <= 75
    assert [box[0] for box, _ in found] == sorted(box[0] for box, _ in found)


def test_a_large_page_has_boxes_in_its_own_pixels() -> None:
    picture = np.ones((1800, 3000), np.float32)
    picture[600:1200, 900:1000] = picture[620:1210, 1500:1600] = 0
    boxes = [box for box, _ in prepare_all(picture)]
    np.testing.assert_allclose(boxes, [(900, 600, 1000, 1200), (1500, 620, 1600, 1210)], atol=3)


def test_one_digit_of_mnist_is_a_number_of_one_and_a_blank_page_of_none() -> None:
    ((box, prepared),) = prepare_all(grey_of(DIGITS[0]))
    assert box == (0, 0, 28, 28)
    assert np.array_equal(prepared.pixels, DIGITS[0]) if prepared.pixels is not None else False
    assert prepare_all(np.ones((50, 90), np.float32)) == []


FOLDER = Path(__file__).parents[2] / "pictures"
DRAWN = sorted(path for path in FOLDER.iterdir() if path.suffix not in {".md", ".py", ".sh", ""})


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_every_digit_of_a_drawn_picture_is_found(path: Path) -> None:
    shown = path.name.split("-")[0]
    grey = read_picture(path)
    found = [prepared for _, prepared in prepare_all(grey)] if len(shown) > 1 else [prepare(grey)]
    assert len(found) == len(shown)
    for prepared in found:
        assert prepared.pixels is not None
        assert 0.02 < prepared.pixels.mean() / 255 < 0.3
