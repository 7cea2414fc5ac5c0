"""What units do, against the formulas written out in float64."""

from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST
from bpcli.model import Model
from bpcli.report.units import activity, magnitudes, spread, use


def network(hidden: list[int], *settings: str) -> Model:
    config = configuration.load("default", [f"model.hidden={hidden}", "data.normalize=unit", *settings])
    count = parameters.count([784, *hidden, 10])
    vector = (np.random.default_rng(0).standard_normal(count) / 20).astype(np.float32)
    return models.build(config, MNIST, vector)


def doubles(loaded: Model) -> list[tuple[Array, Array]]:
    return [(layer.weight.astype(float), layer.bias.astype(float)) for layer in loaded.layers]


def test_activity_is_that_of_the_units(small_split: Split) -> None:
    loaded = network([12, 7], "model.activation=[relu, tanh]")
    first, second = activity(loaded, np.tile(small_split.images, (2, 1)))  # more than one chunk
    (w1, b1), (w2, b2), (w3, _) = doubles(loaded)
    a1 = np.maximum(small_split.images / 255 @ w1 + b1, 0)
    a2 = np.tanh(a1 @ w2 + b2)
    np.testing.assert_allclose(first.strength, a1.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(second.strength, abs(a2).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(first.fired, (a1 > 0).mean(axis=0), atol=0.003)
    np.testing.assert_allclose(second.steepest, (1 - a2**2).max(axis=0), rtol=1e-4)
    np.testing.assert_allclose(use(second, loaded.layers[2]), abs(a2).mean(axis=0) * np.sqrt((w3**2).sum(axis=1)), 1e-4)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "sigmoid", "tanh"])
def test_a_unit_that_nothing_moves_is_dead(small_split: Split, name: str) -> None:
    loaded = network([6], f"model.activation={name}")
    loaded.layers[0].bias[4] = -1000
    (active,) = activity(loaded, small_split.images)
    assert np.flatnonzero(active.dead).tolist() == [4]


def test_histograms_count_everything_once() -> None:
    values = np.array([-2.0, -1e-3, 0, 0, 0.5, 1.0], np.float32)
    histogram = spread(values, 4)
    assert histogram.edges.tolist() == [-2, -1, 0, 1, 2]
    assert histogram.counts.tolist() == [1, 1, 3, 1]
    sizes, zero = magnitudes(values)
    assert zero == 2
    assert sizes.counts.sum() == 4
    assert sizes.edges[[0, -1]] == pytest.approx([-3, np.log10(2)])
    assert magnitudes(np.zeros(3, np.float32))[1] == 3
    assert spread(np.zeros(3, np.float32)).counts.sum() == 3


def test_a_study_ranks_the_units_by_their_use(small_run: Path) -> None:
    from bpcli.core.threads import ThreadGroup
    from bpcli.report.history import read_run
    from bpcli.report.study import study

    seen = study(read_run(str(small_run)), ThreadGroup(1))
    assert sorted(seen.ranking) == list(range(24))
    assert seen.use == sorted(seen.use, reverse=True)
    first = seen.run.model.layers[0].weight
    np.testing.assert_array_equal(seen.weight_images[0], first[:, seen.ranking[0]])
