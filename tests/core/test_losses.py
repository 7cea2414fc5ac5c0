"""Losses against their textbook formulas in plain Python, δ against differences."""

from math import exp, log

import numpy as np
import pytest

from bpcli.core.losses import OUTPUTS

Z = np.array([[0.3, -1.2, 2.0], [-0.7, 0.1, 0.4]])
Y = np.array([[0.0, 1.0, 0.0], [0.9, 0.05, 0.05]])


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def cost(name: tuple[str, str], z: list[float], y: list[float]) -> float:
    """The loss of one image, without any care for large numbers."""
    output, loss = name
    if output == "softmax":
        p = [exp(each) / sum(map(exp, z)) for each in z]
    else:
        p = [sigmoid(each) for each in z] if output == "sigmoid" else z
    if loss == "quadratic":
        return sum((a - b) ** 2 for a, b in zip(p, y, strict=True)) / 2
    if loss == "cross_entropy":
        return -sum(b * log(a) for a, b in zip(p, y, strict=True))
    return -sum(b * log(a) + (1 - b) * log(1 - a) for a, b in zip(p, y, strict=True))


@pytest.mark.parametrize("name", OUTPUTS, ids="-".join)
def test_loss_is_the_formula(name: tuple[str, str]) -> None:
    output = OUTPUTS[name]
    expected = [cost(name, z, y) for z, y in zip(Z.tolist(), Y.tolist(), strict=True)]
    np.testing.assert_allclose(output.loss(Z, output.value(Z), Y), expected, rtol=1e-12)


@pytest.mark.parametrize("name", OUTPUTS, ids="-".join)
def test_delta_is_the_derivative_of_the_loss(name: tuple[str, str]) -> None:
    output, step = OUTPUTS[name], 1e-6
    delta = output.delta(output.value(Z), Y)
    for place in np.ndindex(Z.shape):
        low, high = Z.copy(), Z.copy()
        low[place] -= step
        high[place] += step
        losses = [output.loss(z, output.value(z), Y).sum() for z in (low, high)]
        assert (losses[1] - losses[0]) / (2 * step) == pytest.approx(delta[place], abs=1e-8)


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name[0] != "identity"], ids="-".join)
def test_large_logits_give_finite_numbers(name: tuple[str, str]) -> None:
    output = OUTPUTS[name]
    z = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]], np.float32)
    y = np.array([[0, 1, 0], [0, 0, 1]], np.float32)
    p = output.value(z)
    assert np.isfinite(p).all()
    assert np.isfinite(output.loss(z, p, y)).all()


def test_large_logits_lose_nothing() -> None:
    """Where the textbook's logarithm would see a zero, the loss is the logit itself."""
    z, y = np.array([[500.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    softmax = OUTPUTS["softmax", "cross_entropy"]
    assert softmax.loss(z, softmax.value(z), y)[0] == pytest.approx(500)
    sigmoids = OUTPUTS["sigmoid", "binary_cross_entropy"]
    assert sigmoids.loss(z, sigmoids.value(z), y)[0] == pytest.approx(500 + 2 * log(2))
