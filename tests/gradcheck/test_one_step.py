"""One step on one picture against loops written out here and against differences."""

from dataclasses import replace

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.data.spec import DataSpec
from bpcli.gradcheck.one_step import (
    OneStep,
    Unit,
    blame,
    cancelled,
    central_difference,
    findings,
    heaviest,
    largest_products,
    loss_after,
    one_step,
    predicted_loss,
    saturated_outputs,
    silent,
    weighted_input,
)
from bpcli.gradcheck.one_step_text import opened, overview, source
from bpcli.model import Model

SPEC = DataSpec(8, ("a", "b", "c"), 0.3, 0.4, digits=False)
NETWORKS = {
    "relu": ["model.hidden=[12]"],
    "deep": ["model.hidden=[12,7]", "model.activation=[gelu,tanh]", "model.output=softmax", "loss=cross_entropy"],
    "quadratic": ["model.hidden=[5]", "model.activation=sigmoid", "loss=quadratic"],
    "none": ["model.hidden=[]"],
}


def network(name: str) -> Model:
    config = configuration.load("default", NETWORKS[name])
    sizes = models.network(config, SPEC).sizes
    vector = np.zeros(parameters.count(sizes), np.float32)
    rng = np.random.default_rng(3)
    initialize(parameters.views(vector, sizes), INITIALIZERS["glorot"], rng)
    vector += rng.normal(0, 0.05, len(vector)).astype(np.float32)
    return models.build(config, SPEC, vector)


def image() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (8, 8)).astype(np.uint8)


@pytest.fixture(params=NETWORKS)
def step(request: pytest.FixtureRequest) -> OneStep:
    return one_step(network(request.param), image(), 1)


def test_every_gradient_is_the_product_of_two_numbers_shown(step: OneStep) -> None:
    for layer, gradient in enumerate(step.gradients):
        for j, delta in enumerate(step.delta[layer]):
            assert gradient.bias[j] == pytest.approx(delta)
            for i, x in enumerate(step.inputs[layer]):
                assert gradient.weight[i, j] == pytest.approx(x * delta, abs=1e-15)


def test_the_sums_are_those_of_the_units(step: OneStep) -> None:
    for layer, z in enumerate(step.z, 1):
        for j in range(len(z)):
            found = weighted_input(step, Unit(layer, j), 4)
            assert found.total + step.model.layers[layer - 1].bias[j] == pytest.approx(z[j])
            assert found.rest + sum(found.products) == pytest.approx(found.total)
            assert found.others + len(found.products) == len(step.inputs[layer - 1])
    for layer in range(1, len(step.z)):
        for j, delta in enumerate(step.delta[layer - 1]):
            assert blame(step, Unit(layer, j), 3).total * step.f_prime[layer - 1][j] == pytest.approx(delta, abs=1e-15)


def test_the_largest_gradients_are_those_of_differences(step: OneStep) -> None:
    for layer in range(1, len(step.z) + 1):
        weights = heaviest(step, layer, 3)
        sizes = [abs(step.gradients[layer - 1].weight[weight]) for weight in weights]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] == abs(step.gradients[layer - 1].weight).max()
        for below, unit in weights:
            expected = central_difference(step, layer, below, unit)
            assert step.gradients[layer - 1].weight[below, unit] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_loss_is_that_of_the_model_and_falls_as_predicted(step: OneStep) -> None:
    scores = step.model.scores(image()[None])[0]
    assert step.a[-1] == pytest.approx(scores, rel=1e-6)
    small = 1e-6
    fall = step.loss - loss_after(step, small)
    assert fall == pytest.approx(step.loss - predicted_loss(step, small), rel=1e-3)
    assert loss_after(step, 0.0) == step.loss


def test_the_original_network_stays_as_it_is() -> None:
    model = network("relu")
    before = model.parameters.copy()
    one_step(model, image(), 0)
    assert np.array_equal(model.parameters, before)


def test_the_largest_products_leave_out_zeros() -> None:
    found = largest_products(np.array([1.0, -3.0, 2.0, 5.0]), np.array([1.0, 1.0, 2.0, 0.0]), 4)
    assert found.indices.tolist() == [2, 1, 0]
    assert found.products.tolist() == [4.0, -3.0, 1.0]
    assert (found.rest, found.others, found.total) == (0.0, 1, 2.0)


def test_silent_units_are_counted_and_dead_ones_named() -> None:
    model = network("relu")
    model.layers[0].bias[:9] = -100
    step = one_step(model, image(), 1)
    assert set(range(9)) <= set(silent(step, 1).tolist())
    assert step.delta[0][:9].tolist() == [0] * 9
    (found,) = [each for each in findings(step, [9]) if "silent" in each.what]
    assert (
        f"{len(silent(step, 1))} of 12 units of layer 1 are silent" in found.what and "9 of them are dead" in found.what
    )
    assert not any("dead" in each.what for each in findings(step, [0]))


def test_a_wrong_output_that_is_saturated_is_found() -> None:
    model = network("quadratic")
    model.layers[-1].bias[2] = 20
    step = one_step(model, image(), 1)
    assert saturated_outputs(step).tolist() == [2]
    assert any(each.what.startswith("output c is wrong and saturated: p − y = 1") for each in findings(step))


def test_a_cancelled_delta_is_found() -> None:
    model = network("relu")
    step = one_step(model, image(), 1)
    active = int(np.flatnonzero(step.f_prime[0])[0])
    delta = step.delta[1]
    model.layers[1].weight[active] = (delta[1], -delta[0], 0)  # at a right angle to δ above; δ itself hardly moves
    for _ in range(30):
        delta = one_step(model, image(), 1).delta[1]
        model.layers[1].weight[active] = (delta[1], -delta[0], 0)
    step = one_step(model, image(), 1)
    assert active in cancelled(step, 1).tolist()
    assert any("nearly cancels" in each.what for each in findings(step))


def test_a_picture_that_is_known_has_nothing_to_teach() -> None:
    model = network("relu")
    model.layers[-1].weight[:] = 0
    model.layers[-1].bias[:] = (-9, 9, -9)
    assert findings(one_step(model, image(), 1))[0].what.startswith("the loss is 0.00037: the network knows")


def test_the_text_shows_the_numbers_and_the_lines_of_the_source(step: OneStep) -> None:
    text = "\n".join(overview(step, 0.1, []))
    assert f"loss C = {step.loss:.8g}" in text
    assert all(f"{delta:.6g}" in text for delta in step.delta[-1])
    assert "output_delta = delta = net.output.delta(p, y)" in text
    unit = "\n".join(opened(step, Unit(1, 2), 0.1))
    assert f"{step.z[0][2]:.8g}" in unit and f"{step.delta[0][2]:.8g}" in unit
    last = "\n".join(opened(step, Unit(len(step.z), 1), 0.1))
    assert "the output of class b" in last and "inputs[-1][:, u].T" in last


def test_a_source_line_names_its_place() -> None:
    assert source("# BP2").startswith("bpcli/core/network.py:")
    assert source("# BP2").endswith("mine = np.matmul(delta, layers[l + 1].weight[u].T, out=here.delta[:, u])")


def test_frozen_layers_have_their_gradient_too() -> None:
    free = network("deep")
    frozen = replace(free, network=replace(free.network, frozen=2))
    mine, other = (one_step(model, image(), 1) for model in (frozen, free))
    assert np.array_equal(mine.gradient, other.gradient)
    for ours, theirs in zip((*mine.f_prime, *mine.delta), (*other.f_prime, *other.delta), strict=True):
        assert np.array_equal(ours, theirs)
