import numpy as np
import pytest

from bpcli.core import parameters, seeds
from bpcli.core.initializers import INITIALIZERS, initialize

SIZES = (784, 500, 10)
# standard deviation of the hidden and the output layer's weights, and of the biases
EXPECTED = {
    "glorot_relu": (2 / 1284**0.5, 1 / 510**0.5, 0),
    "he": ((2 / 784) ** 0.5, (2 / 500) ** 0.5, 0),
    "glorot": ((2 / 1284) ** 0.5, (2 / 510) ** 0.5, 0),
    "nielsen_large": (1, 1, 1),
    "nielsen_default": (1 / 28, 1 / 500**0.5, 1),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_spread_of_weights_and_biases(name: str) -> None:
    layers = parameters.views(np.full(parameters.count(SIZES), np.nan), SIZES)
    initialize(layers, INITIALIZERS[name], seeds.stream(1, seeds.INITIALIZATION))
    hidden, output, bias = EXPECTED[name]
    assert layers[0].weight.std() == pytest.approx(hidden, rel=0.01)
    assert layers[1].weight.std() == pytest.approx(output, rel=0.05)
    assert layers[0].weight.mean() == pytest.approx(0, abs=0.01 * hidden)
    assert layers[0].bias.std() == pytest.approx(bias, rel=0.1)


def test_the_seed_decides() -> None:
    vectors = [np.empty(parameters.count((4, 3, 2))) for _ in range(3)]
    for vector, seed in zip(vectors, (5, 5, 6), strict=True):
        initialize(parameters.views(vector, (4, 3, 2)), INITIALIZERS["he"], seeds.stream(seed, seeds.INITIALIZATION))
    assert vectors[0].tobytes() == vectors[1].tobytes() != vectors[2].tobytes()
