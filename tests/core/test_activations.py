"""Each activation's derivative against central differences of its value."""

from math import erf

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
    "elu": lambda z: z if z > 0 else np.expm1(z),
    "gelu": lambda z: z * (1 + erf(z / 2**0.5)) / 2,
}


def test_every_activation_has_its_formula_here() -> None:
    assert KNOWN.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_is_the_formula(name: str) -> None:
    out = Z.copy()
    ACTIVATIONS[name].value(out, out)
    np.testing.assert_allclose(out[0], [KNOWN[name](z) for z in Z[0]], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_the_derivative_is_that_of_the_value(activation: Activation) -> None:
    step = 1e-6
    low, a, high = (np.empty_like(Z) for _ in range(3))
    for z, out in ((Z - step, low), (Z, a), (Z + step, high)):
        activation.value(z, out)
    derivative = np.empty(Z.shape, activation.derivative_dtype or Z.dtype)
    kept = a if activation.derivative_takes == "a" else Z
    assert activation.derivative(kept, derivative) is derivative
    np.testing.assert_allclose(derivative, (high - low) / (2 * step), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_nothing_overflows_in_float32(activation: Activation) -> None:
    z = np.array([-1e30, -200, 200, 1e30], np.float32)
    activation.value(z, out := np.empty_like(z))
    assert np.isfinite(out).all()
    kept = out if activation.derivative_takes == "a" else z
    assert np.isfinite(activation.derivative(kept, np.empty_like(z))).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_is_float64_rounded(name: str) -> None:
    activation, z = ACTIVATIONS[name], np.linspace(-9, 9, 2001)
    single, double = z.astype(np.float32), z.copy()
    for array in (single, double):
        activation.value(array, array)
    np.testing.assert_allclose(single, double, rtol=1e-6, atol=2e-6)
