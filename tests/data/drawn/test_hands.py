"""Drawn hands: functions of the seed, in MNIST's format, legible."""

from dataclasses import replace

import numpy as np
import pytest

from bpcli import resources
from bpcli.core.threads import Interrupted
from bpcli.data.drawn import hands
from bpcli.data.drawn.forms import training_forms
from bpcli.data.picture.digit import is_normalised, layout
from bpcli.storage import checkpoint


def test_the_seed_alone_decides_and_more_drawings_begin_with_the_same() -> None:
    one, more, other = hands.draw(8, 3), hands.draw(12, 3), hands.draw(8, 4)
    np.testing.assert_array_equal(one.images, more.images[:8])
    np.testing.assert_array_equal(one.labels, more.labels[:8])
    assert not any((image == one.images).all(axis=1).any() for image in other.images)


def test_forms_that_are_held_out_are_drawn_only_if_asked_for() -> None:
    chosen = hands.draw(20, 5, forms=training_forms(hands.all_forms()))
    np.testing.assert_array_equal(hands.draw(20, 5).images, chosen.images)
    assert (hands.draw(20, 5, forms=hands.all_forms()).images != chosen.images).any()


@pytest.mark.parametrize("side", [16, 28, 64])
def test_every_form_is_drawn_as_a_digit_of_mnist_with_its_label(side: int) -> None:
    for form in hands.all_forms()[:: 1 if side == 28 else 10]:
        drawn = hands.draw(2, 6, side, [form])
        assert drawn.labels.tolist() == [form.digit] * 2
        assert drawn.images.shape == (2, side**2)
        for image in (*drawn.images, hands.plain(form, side)):
            assert is_normalised(image.reshape(side, side), layout(side)), form.name


def test_all_digits_are_drawn() -> None:
    drawn = hands.draw(150, 7)
    assert np.bincount(drawn.labels, minlength=10).min() > 3
    assert drawn.images.dtype == drawn.labels.dtype == np.uint8


def test_a_hand_that_leans_by_half_moves_the_top_by_half_the_height() -> None:
    stick = next(form for form in hands.all_forms() if form.name == "one-stick")
    (points,) = hands.written(stick, replace(hands.PLAIN, slant=0.5), np.random.default_rng(0))
    np.testing.assert_allclose(points[0] - points[-1], (0.5, -1), atol=1e-12)


def test_drawing_pauses_between_drawings_and_can_be_stopped_there() -> None:
    waiting = [False, False, False, True]

    def pause() -> None:
        if waiting.pop(0):
            raise Interrupted

    with pytest.raises(Interrupted):
        hands.draw(9, 8, pause=pause)
    assert not waiting


def test_the_network_that_comes_along_reads_american_forms() -> None:
    """A network that was trained on American writers: the drawings are legible, and their labels right."""
    american = [form for form in hands.all_forms() if form.style == "american"]
    drawn = hands.draw(200, 9, forms=american)
    found = checkpoint.load(resources.pretrained()).model.scores(drawn.images).argmax(axis=1)
    assert np.mean(found == drawn.labels) > 0.95
