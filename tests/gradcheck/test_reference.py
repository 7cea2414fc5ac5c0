"""The check's own ways to the derivative, against each other's formulas in plain Python."""

import numpy as np
import pytest

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS, Activation
from bpcli.core.losses import OUTPUTS
from bpcli.gradcheck import reference
from bpcli.gradcheck.reference import Formulas


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_a_formula_is_the_activations_value(activation: Activation) -> None:
    z = np.array([[-800.0, -3.0, -0.2, 0.1, 2.5, 800.0]])
    activation.value(z, expected := np.empty_like(z))
    np.testing.assert_allclose(reference.activated(activation.formula, z, []), expected, rtol=1e-14, atol=1e-15)


def test_every_loss_has_its_reference() -> None:
    assert OUTPUTS.keys() == reference.LOSSES.keys() == reference.GRAPHS.keys()


@pytest.mark.parametrize("output", OUTPUTS, ids="-".join)
def test_losses_are_those_of_training_even_where_exponentials_overflow(output: tuple[str, str]) -> None:
    z = np.array([[0.3, -1.2, 2.0], [900.0, -900.0, 0.0]])
    y = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    p = OUTPUTS[output].value(z)
    np.testing.assert_allclose(reference.LOSSES[output](z, y), OUTPUTS[output].loss(z, p, y), rtol=1e-14)


@pytest.mark.parametrize("output", OUTPUTS, ids="-".join)
def test_graph_and_complex_step_agree(output: tuple[str, str]) -> None:
    rng = np.random.default_rng(3)
    vector = rng.standard_normal(parameters.count((3, 4, 2)))
    layers = parameters.views(vector, (3, 4, 2))
    x, y = rng.standard_normal((5, 3)), np.eye(2)[rng.integers(2, size=5)]
    formulas = Formulas(("tanh(z)",), output)
    graph = reference.derivatives(formulas, layers, x, y)
    flat = np.empty_like(vector)
    for layer, gradient in zip(parameters.views(flat, (3, 4, 2)), graph.gradients, strict=True):
        layer.weight[:], layer.bias[:] = gradient
    for index in range(len(vector)):
        moved = vector + 1e-30j * np.eye(1, len(vector), index)[0]
        derivative = reference.losses(formulas, parameters.views(moved, (3, 4, 2)), x, y).losses.mean().imag / 1e-30
        assert flat[index] == pytest.approx(derivative, rel=1e-12, abs=1e-15)
    assert graph.loss == pytest.approx(float(reference.losses(formulas, layers, x, y).losses.mean()), rel=1e-14)


def test_temper_leaves_no_layer_saturated() -> None:
    rng = np.random.default_rng(5)
    layers = parameters.views(50 * rng.standard_normal(parameters.count((6, 5, 4))), (6, 5, 4))
    x = rng.standard_normal((7, 6))
    reference.rescale(Formulas(("tanh(z)",), ("identity", "quadratic")), layers, x)
    z = x @ layers[0].weight + layers[0].bias
    assert np.sqrt(np.square(z).mean()) == pytest.approx(reference.SPREAD)
    z = np.tanh(z) @ layers[1].weight + layers[1].bias
    assert np.sqrt(np.square(z).mean()) == pytest.approx(reference.SPREAD)


def test_temper_leaves_small_weights_alone() -> None:
    vector = np.full(parameters.count((6, 5, 4)), 0.01)
    reference.rescale(Formulas(("z",), ("identity", "quadratic")), parameters.views(vector, (6, 5, 4)), np.ones((2, 6)))
    assert (vector == 0.01).all()
