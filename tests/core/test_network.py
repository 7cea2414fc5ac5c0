"""The network's gradients against differences of its own loss, and divided work against undivided."""

from threading import Barrier, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, Part, Worker

DEFAULT = Network((784, 1024, 10), (ACTIVATIONS["relu"],), OUTPUTS["sigmoid", "binary_cross_entropy"])


def loss(network: Network, vector: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    buffers = Buffers.allocate(network, len(x), vector.dtype, backward=False)
    worker = Worker(network, parameters.views(vector, network.sizes), buffers)
    worker.forward(x)
    return float(network.output.loss(worker.logits, worker.scores, y).mean())


def gradient(network: Network, vector: np.ndarray, x: np.ndarray, y: np.ndarray, workers: int = 1) -> np.ndarray:
    """The gradient, the work divided among threads that meet at real barriers."""
    layers = parameters.views(vector, network.sizes)
    flat = np.full_like(vector, np.nan)
    gradients, buffers = (
        parameters.views(flat, network.sizes),
        Buffers.allocate(network, len(x), vector.dtype, workers=workers),
    )
    barrier = Barrier(workers)

    def work(part: Part) -> None:
        worker = Worker(network, layers, buffers, gradients, part, lambda: void(barrier.wait()))
        worker.forward(x)
        worker.backward(x, y)

    threads = [Thread(target=work, args=(Part(k, workers),)) for k in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return flat


def void(_: object) -> None:
    """Nothing."""


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
            assert found[index] == pytest.approx(sum(slopes) / 2, abs=1e-6, rel=1e-5)


@pytest.mark.parametrize("hidden", [(), (1024,), (50, 3, 40)], ids=str)
@pytest.mark.parametrize("workers", [2, 3])
def test_divided_work_gives_the_same_gradient(hidden: tuple[int, ...], workers: int) -> None:
    network = Network((784, *hidden, 10), (ACTIVATIONS["tanh"],) * len(hidden), OUTPUTS["softmax", "cross_entropy"])
    vector, x, y = problem(network, 33)
    np.testing.assert_allclose(
        gradient(network, vector, x, y, workers), gradient(network, vector, x, y), rtol=1e-9, atol=1e-12
    )


def test_parts_cover_everything_once() -> None:
    for n in (0, 1, 5, 1024):
        for of in (1, 2, 3, 7):
            covered = [i for k in range(of) for i in range(n)[Part(k, of).slice(n)]]
            assert covered == list(range(n))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_room_is_of_the_type_and_the_kind_that_is_wanted(dtype: type[np.floating]) -> None:
    both, forward = (Buffers.allocate(DEFAULT, 3, dtype, backward=wanted) for wanted in (True, False))
    assert [delta.shape for delta in both.deltas] == [(3, 1024)]
    assert forward.deltas == ()
    assert {a.dtype for a in (*both.hidden, both.sums, *both.deltas)} == {np.dtype(dtype)}
