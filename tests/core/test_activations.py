"""Each activation's derivative against central differences of its value."""

import numpy as np
import pytest

from bpcli.core.activations import ACTIVATIONS, LEAK, Activation

Z = np.array([[-30.0, -2.5, -0.3, 0.2, 1.7, 40.0]])
KNOWN = {
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else LEAK * z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "identity": lambda z: z,
}


def test_every_activation_has_its_formula_here() -> None:
    assert KNOWN.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_is_the_formula(name: str) -> None:
    out = Z.copy()
    ACTIVATIONS[name].value(out, out)
    np.testing.assert_allclose(out[0], [KNOWN[name](z) for z in Z[0]], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_slope_is_the_derivative(activation: Activation) -> None:
    step = 1e-6
    low, a, high = (np.empty_like(Z) for _ in range(3))
    for z, out in ((Z - step, low), (Z, a), (Z + step, high)):
        activation.value(z, out)
    slope = np.empty(Z.shape, activation.slope_dtype or Z.dtype)
    activation.slope(a, slope)
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_nothing_overflows_in_float32(activation: Activation) -> None:
    z = np.array([-1e30, -200, 200, 1e30], np.float32)
    activation.value(z, out := np.empty_like(z))
    assert np.isfinite(out).all()
