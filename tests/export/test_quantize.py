"""Quantization to int8, held against the float network and against sums of Python's integers."""

from dataclasses import replace

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli import resources
from bpcli.core.activations import ACTIVATIONS
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST
from bpcli.errors import CheckpointError, DataError
from bpcli.export.quantize import QuantizedNetwork, quantize, scores, without_shift
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.training.builders import first_state


def made(*settings: str) -> Model:
    config = configuration.load("default", ["model.hidden=[30, 20]", *settings])
    return models.build(config, MNIST, first_state(config, MNIST).parameters)


def logits_by_hand(quantized: QuantizedNetwork, pixels: list[int]) -> list[float]:
    """The formula of the module's docstring for relu, with Python's integers and floats."""
    inputs, z = pixels, [0.0]
    for number, (own, weight, scale, bias) in enumerate(quantized.layers):
        if number:
            inputs = [min(max(round(max(a, 0.0) / float(own.scale)) + own.zero, 0), 255) for a in z]
        sums = [sum((q - own.zero) * int(v) for q, v in zip(inputs, column, strict=True)) for column in weight.T]
        z = [float(own.scale) * float(t) * n + float(b) for t, n, b in zip(scale, sums, bias, strict=True)]
    return z


def test_scores_are_those_of_sums_of_integers(small_split: Split) -> None:
    model = made("model.output=identity", "loss=quadratic")
    quantized = quantize(model, small_split.images)
    by_hand = [logits_by_hand(quantized, image.tolist()) for image in small_split.images[:5]]
    step = max(layer.factor.max() for layer in quantized.layers)  # a float32 may round to the neighbouring byte
    np.testing.assert_allclose(scores(quantized, small_split.images[:5]), by_hand, atol=127 * step)
    assert np.ptp(by_hand) > 1000 * step


def test_weights_are_at_most_half_a_step_from_what_they_stand_for() -> None:
    model = made()
    for layer, own in zip(model.layers, quantize(model, np.full((1, 784), 255, np.uint8)).layers, strict=True):
        assert own.weight.dtype == np.int8
        assert (np.abs(own.weight).max(axis=0) == 127).all()
        assert (np.abs(own.scale * own.weight - layer.weight) <= 0.501 * own.scale).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_keeps_its_scores(activation: str, small_split: Split) -> None:
    model = made(f"model.activation={activation}", "data.deslant=true")
    quantized = quantize(model, small_split.images)
    assert all(0 <= layer.inputs.zero <= 255 for layer in quantized.layers)
    assert abs(scores(quantized, small_split.images) - model.scores(small_split.images)).max() < 0.05


def test_the_shift_of_the_normalization_goes_into_the_biases(small_split: Split) -> None:
    model = made()
    own = model.preprocessing.normalization
    unshifted = replace(model, preprocessing=replace(model.preprocessing, normalization=own._replace(shift=0.0)))
    unshifted = replace(unshifted, parameters=np.concatenate([p.ravel("F") for p in _flat(model)]))
    np.testing.assert_allclose(unshifted.scores(small_split.images), model.scores(small_split.images), atol=1e-5)


def _flat(model: Model) -> list[np.ndarray]:
    """Weights and biases in the order of the vector; the last layer's weights are stored by input unit."""
    *hidden, last = without_shift(model)
    return [part for layer in hidden for part in layer] + [last.weight.T, last.bias]


def test_the_network_that_comes_with_bpcli_loses_next_to_nothing(small_split: Split) -> None:
    model = checkpoint.load(resources.pretrained()).model
    found = scores(quantize(model, small_split.images), small_split.images)
    assert (found.argmax(axis=1) == model.scores(small_split.images).argmax(axis=1)).mean() >= 0.998


def test_units_without_weights_and_activations_of_nothing_but_zeros_have_a_scale() -> None:
    model = made()
    silent = replace(model, parameters=np.zeros_like(model.parameters))
    quantized = quantize(silent, np.zeros((1, 784), np.uint8))
    assert (scores(quantized, np.full((2, 784), 255, np.uint8)) == 0.5).all()


def test_what_cannot_be_quantized_is_refused(small_split: Split) -> None:
    model = made()
    with pytest.raises(CheckpointError, match="not finite"), np.errstate(over="ignore"):
        quantize(replace(model, parameters=model.parameters * np.float32(1e30)), small_split.images)
    with pytest.raises(DataError, match="this network takes"):
        quantize(model, small_split.images[:, 1:])
    with pytest.raises(CheckpointError, match=r"layer of 70,000 units .* 66,311 are the limit"):
        quantize(made("model.hidden=[1, 70000]"), small_split.images)


def test_numbers_that_are_next_to_nothing_have_a_scale() -> None:
    """As the weights of dead units under weight decay, which no float32 divided by 127 can tell from 0."""
    for least in (1e-45, 4e-43):
        model = made()
        model.parameters[:] = least
        quantized = quantize(model, np.full((2, 784), 1, np.uint8))
        assert all((layer.scale > 0).all() and layer.inputs.scale > 0 for layer in quantized.layers)
