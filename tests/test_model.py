"""The model: one way from images to scores, whatever form the images have."""

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core.deslant import deslant
from bpcli.core.threads import Interrupted, ThreadGroup
from bpcli.core.width import set_width
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST, DataSpec
from bpcli.errors import DataError
from bpcli.model import CHUNK, Model
from bpcli.training.builders import first_state


def made(*settings: str, spec: DataSpec = MNIST) -> Model:
    config = configuration.load("default", ["model.hidden=[30, 20]", *settings])
    return models.build(config, spec, first_state(config, spec).parameters)


def test_scores_are_the_formulas(small_split: Split) -> None:
    model = made("model.activation=tanh", "model.output=softmax", "loss=cross_entropy")
    a = (small_split.images / 255 - 0.1307) / 0.3081
    for w, b in model.layers[:-1]:
        a = np.tanh(a @ w + b)
    z = a @ model.layers[-1].weight + model.layers[-1].bias
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.scores(small_split.images), expected, rtol=1e-4)
    np.testing.assert_allclose(model.outputs(small_split.images).logits, z, rtol=1e-3, atol=1e-4)


def test_scores_do_not_depend_on_chunks_or_threads(small_split: Split) -> None:
    model, images = made(), np.concatenate([small_split.images] * 3)
    assert len(images) > 2 * CHUNK
    alone = model.scores(images)
    for size in (2, 3):
        assert (model.scores(images, ThreadGroup(size)) == alone).all()
    one_by_one = np.concatenate([model.scores(images[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(one_by_one, alone[:20], rtol=1e-5, atol=1e-7)


def test_bytes_and_floats_flat_and_square_are_the_same_images(small_split: Split) -> None:
    model, flat = made(), small_split.images[:9]
    expected = model.scores(flat)
    square = flat.reshape(-1, 28, 28)
    for images in (square, flat / 255, square / np.float32(255), (flat / 255).astype(np.float16)):
        assert (model.scores(images) == expected).all()
    assert model.scores(flat[:0]).shape == (0, 10)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (np.zeros((2, 783), np.uint8), r"images of the shape (2, 783); this network takes (n, 28, 28) or (n, 784)"),
        (np.zeros(784, np.uint8), r"images of the shape (784,)"),
        (np.zeros((28, 28), np.uint8), r"images of the shape (28, 28)"),
        (np.zeros((1, 1, 784), np.uint8), r"images of the shape (1, 1, 784)"),
        (np.uint8(3), r"images of the shape ()"),
        (np.zeros((2, 784), np.int64), "images of the type int64; expected uint8, or floats between 0 and 1"),
        (np.zeros((2, 784), np.bool_), "images of the type bool"),
        (np.full((2, 784), 1.01), "images of floats that are not between 0 and 1; divide by 255"),
        (np.full((2, 784), -0.01), "images of floats that are not between 0 and 1"),
        (np.full((2, 784), np.nan), "images of floats that are not between 0 and 1"),
        (np.full((2, 784), 255.0), "images of floats that are not between 0 and 1"),
    ],
)
def test_anything_else_is_refused_in_one_line(images: np.ndarray, complaint: str) -> None:
    with pytest.raises(DataError) as caught:
        made().scores(images)
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


def test_other_sides_and_classes() -> None:
    spec = DataSpec(20, tuple("abcdef"), 0.5, 0.25, digits=False)
    model = made(spec=spec)
    assert model.network.sizes == (400, 30, 20, 6)
    images = np.random.default_rng(0).integers(0, 256, (5, 20, 20), dtype=np.uint8)
    x = model.preprocessing.inputs(images.reshape(5, 400))
    np.testing.assert_allclose(x, (images.reshape(5, 400) / 255 - 0.5) / 0.25, rtol=1e-4, atol=1e-5)
    assert model.scores(images).shape == (5, 6)
    with pytest.raises(DataError, match=r"this network takes \(n, 20, 20\) or \(n, 400\)"):
        model.scores(np.zeros((1, 784), np.uint8))


def test_deslanting_belongs_to_the_model(small_split: Split) -> None:
    model, images = made("data.deslant=true"), small_split.images[:50]
    assert (model.scores(images) == made().scores(deslant(images))).all()
    assert (model.for_upright().scores(images) == made().scores(images)).all()


def test_the_width_belongs_to_the_model(small_split: Split) -> None:
    for deslanted in (False, True):
        model, images = made("data.width=14", f"data.deslant={deslanted}"), small_split.images[:50]
        assert (model.scores(images) == made().scores(set_width(images, 14, deslanted))).all()
        assert (model.scores(images, ThreadGroup(3)) == model.scores(images)).all()
        assert (model.for_upright().scores(images) == made().scores(images)).all()


def test_scoring_can_be_broken_off(small_split: Split) -> None:
    with pytest.raises(Interrupted):
        made().outputs(small_split.images, should_stop=lambda: True)
