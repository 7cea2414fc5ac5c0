"""The gradient of a trained network's loss, against the formula written out in float64."""

import numpy as np

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST
from bpcli.inference.gradient import gradient


def test_the_gradient_of_softmax_regression(small_split: Split) -> None:
    settings = ["model.hidden=[]", "data.normalize=unit", "model.output=softmax", "loss=cross_entropy"]
    vector = (np.random.default_rng(0).standard_normal(parameters.count([784, 10])) / 20).astype(np.float32)
    loaded = models.build(configuration.load("default", settings), MNIST, vector)
    w, b = (array.astype(float) for array in loaded.layers[0])
    x, y = small_split.images / 255, np.eye(10)[small_split.labels]
    scores = np.exp(x @ w + b)
    delta = (scores / scores.sum(axis=1, keepdims=True) - y) / len(x)
    (found,) = gradient(loaded, small_split)
    np.testing.assert_allclose(found.weight, x.T @ delta, atol=1e-6)
    np.testing.assert_allclose(found.bias, delta.sum(axis=0), atol=1e-6)


def test_frozen_layers_have_a_gradient(small_split: Split) -> None:
    config = configuration.load("default", ["model.hidden=[5]", "train.freeze=1"])
    vector = (np.random.default_rng(0).standard_normal(parameters.count([784, 5, 10])) / 20).astype(np.float32)
    assert gradient(models.build(config, MNIST, vector), small_split)[0].weight.any()
