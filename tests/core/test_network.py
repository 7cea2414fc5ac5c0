"""The network's gradients against differences of its own loss, and divided work against undivided."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.threads import ThreadGroup

DEFAULT = Network((784, 1024, 10), (ACTIVATIONS["relu"],), OUTPUTS["sigmoid", "binary_cross_entropy"])


def loss(network: Network, vector: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    room = Buffers.allocate(network, len(x), vector.dtype, backward=False)
    z = forward(network, parameters.views(vector, network.sizes), x, room)
    return float(network.output.loss(z, network.output.value(z), y).mean())


def gradient(network: Network, vector: np.ndarray, x: np.ndarray, y: np.ndarray, workers: int = 1) -> np.ndarray:
    """The gradient, the work divided among threads."""
    flat, group = np.full_like(vector, np.nan), ThreadGroup(workers)
    layers, gradients = (parameters.views(each, network.sizes) for each in (vector, flat))
    room = Buffers.allocate(network, len(x), vector.dtype)
    ranks = group.ranks(len(x), network.sizes[-1], vector.dtype)

    def work(index: int) -> None:
        p = network.output.value(forward(network, layers, x, room, ranks[index]))
        backward(network, layers, x, p, y, room, gradients, ranks[index])

    group.parallel(work)
    return flat


def problem(network: Network, batch: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vector = rng.standard_normal(parameters.count(network.sizes)) / 10
    y = np.eye(network.sizes[-1])[rng.integers(network.sizes[-1], size=batch)]
    return vector, rng.standard_normal((batch, network.sizes[0])), y


def test_the_default_networks_gradient_is_that_of_differences_along_random_directions() -> None:
    vector, x, y = problem(DEFAULT, 16)
    found, rng, step = gradient(DEFAULT, vector, x, y), np.random.default_rng(1), 1e-4
    for _ in range(5):
        direction = rng.standard_normal(vector.shape)
        direction /= np.linalg.norm(direction)
        high, low = (loss(DEFAULT, vector + sign * step * direction, x, y) for sign in (1, -1))
        assert found @ direction == pytest.approx((high - low) / (2 * step), rel=1e-7)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
def test_the_backward_pass_ends_above_the_frozen_layers(frozen: int, workers: int) -> None:
    network = Network((6, 5, 8, 7, 4), (ACTIVATIONS["gelu"],) * 3, OUTPUTS["softmax", "cross_entropy"])
    vector, x, y = problem(network, 9)
    whole = gradient(network, vector, x, y, workers)
    found = gradient(replace(network, frozen=frozen), vector, x, y, workers)
    below = parameters.count(network.sizes[: frozen + 1])
    assert np.isnan(found[:below]).all()
    assert np.array_equal(found[below:], whole[below:])


@given(
    hidden=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(sorted(ACTIVATIONS))), max_size=4),
    output=st.sampled_from(sorted(OUTPUTS)),
    workers=st.integers(1, 3),
    batch=st.integers(1, 7),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None)
def test_any_networks_gradient_is_that_of_differences(
    hidden: list[tuple[int, str]], output: tuple[str, str], workers: int, batch: int, seed: int
) -> None:
    network = Network(
        (6, *(width for width, _ in hidden), 4), tuple(ACTIVATIONS[name] for _, name in hidden), OUTPUTS[output]
    )
    vector, x, y = problem(network, batch, seed)
    vector *= 5
    found, step = gradient(network, vector, x, y, workers), 1e-7
    for index in range(len(vector)):
        direction = np.eye(1, len(vector), index)[0]
        forward, here, backward = (loss(network, vector + sign * step * direction, x, y) for sign in (1, 0, -1))
        slopes = (forward - here) / step, (here - backward) / step
        if abs(slopes[0] - slopes[1]) < 1e-4:  # otherwise a kink of ReLU lies between
            rounding = 64 * np.finfo(float).eps * here / step  # of a large loss
            assert found[index] == pytest.approx(sum(slopes) / 2, abs=max(1e-6, rounding), rel=1e-5)


@pytest.mark.parametrize("hidden", [(), (1024,), (50, 3, 40)], ids=str)
@pytest.mark.parametrize("workers", [2, 3])
def test_divided_work_gives_the_same_gradient(hidden: tuple[int, ...], workers: int) -> None:
    network = Network((784, *hidden, 10), (ACTIVATIONS["tanh"],) * len(hidden), OUTPUTS["softmax", "cross_entropy"])
    vector, x, y = problem(network, 33)
    np.testing.assert_allclose(
        gradient(network, vector, x, y, workers), gradient(network, vector, x, y), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_room_is_of_the_type_and_the_kind_that_is_wanted(dtype: type[np.floating]) -> None:
    both, forward = (Buffers.allocate(DEFAULT, 3, dtype, backward=wanted) for wanted in (True, False))
    (hidden,), (inference,) = both.hidden, forward.hidden
    assert (hidden.a.shape, hidden.delta.shape, hidden.f_prime.shape) == ((3, 1024),) * 3
    assert (inference.a.shape, inference.delta.shape) == ((3, 1024), (3, 0))
    assert {array.dtype for array in (hidden.a, hidden.delta, both.ones)} == {np.dtype(dtype)}
    assert hidden.f_prime.dtype == np.bool_
    assert hidden.z is hidden.a is hidden.output is hidden.kept
    assert hidden.mask is None


def test_z_is_kept_where_the_derivative_takes_it_and_a_where_dropout_changes_it() -> None:
    gelu = Network((6, 4, 3), (ACTIVATIONS["gelu"],), DEFAULT.output)
    ((here,), _) = Buffers.allocate(gelu, 5, np.float64, dropout=True)
    arrays = [here.z, here.a, here.output, here.mask]
    assert len({id(array) for array in arrays}) == 4
    assert here.kept is here.z
    ((inference,), _) = Buffers.allocate(gelu, 5, np.float64, backward=False)
    assert inference.z is inference.a
