"""One step against the formula written out, and the blocks against the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.core import parameters
from bpcli.core.optimizers import OPTIMIZERS, Adam, Block, Momentum, blocks, flush_denormals
from bpcli.core.threads import ALONE, ThreadGroup


def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    w, v, g = np.random.default_rng(4).standard_normal((3, 5, 7))
    return w, v, g


@pytest.mark.parametrize("is_weight", [True, False])
def test_a_step_is_the_formula(is_weight: bool) -> None:
    w, v, g = arrays()
    decayed = g + 0.01 * w if is_weight else g
    new_v = 0.9 * v - 0.3 * decayed
    expected = w + new_v
    Momentum(0.9, decay=0.01).step(Block(w, g, (v,), is_weight), 0.3, 1)
    np.testing.assert_allclose(w, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(v, new_v, rtol=1e-14, atol=1e-15)


def test_a_nesterov_step_is_the_formula() -> None:
    w, v, g = arrays()
    new_v = 0.9 * v - 0.3 * g
    expected = w + 0.9 * new_v - 0.3 * g
    Momentum(0.9, nesterov=True).step(Block(w, g, (v,), False), 0.3, 1)
    np.testing.assert_allclose(w, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(v, new_v, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("is_weight", [True, False])
@pytest.mark.parametrize("t", [1, 7])
def test_an_adam_step_is_the_formula(decoupled: bool, is_weight: bool, t: int) -> None:
    w, m, g = arrays()
    s = m**2
    decay = 0.01 if is_weight else 0.0
    shrunk, gradient = ((1 - 0.3 * decay) * w, g) if decoupled else (w.copy(), g + decay * w)
    new_m, new_s = 0.8 * m + 0.2 * gradient, 0.95 * s + 0.05 * gradient**2
    expected = shrunk - 0.3 * (new_m / (1 - 0.8**t)) / (np.sqrt(new_s / (1 - 0.95**t)) + 1e-3)
    Adam(0.8, 0.95, 1e-3, 0.01, decoupled).step(Block(w, g.copy(), (m, s), is_weight), 0.3, t)
    np.testing.assert_allclose(w, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(m, new_m, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(s, new_s, rtol=1e-14, atol=1e-15)


def test_a_velocity_that_only_shrinks_becomes_zero_before_it_becomes_denormal() -> None:
    w, v, g = (np.full(3, value, np.float32) for value in (0.5, 1e-3, 0.0))
    for step in range(2000):
        Momentum(0.9).step(Block(w, g, (v,), True), 0.1, step + 1)
        if step % 128 == 0:
            flush_denormals(Momentum(0.9), Block(w, g, (v,), True))
        assert not ((np.abs(v) > 0) & (np.abs(v) < np.finfo(np.float32).smallest_normal)).any()
    assert (v == 0).all()


def test_flushing_leaves_what_matters() -> None:
    v = np.array([1e-19, -1e-19, 1e-21, -1e-21, 0, 3], np.float32)
    flush_denormals(Momentum(0.9), Block(v, v, (v,), True))
    assert v.tolist() == pytest.approx([1e-19, -1e-19, 0, 0, 0, 3])


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5).map(lambda sizes: [*sizes[:-1], 3]),
    workers=st.integers(1, 4),
)
def test_the_blocks_of_all_workers_are_every_parameter_once(sizes: list[int], workers: int) -> None:
    vector = np.zeros(parameters.count(sizes))
    layers = parameters.views(vector, sizes)
    for rank in ThreadGroup(workers).ranks(1, 1, np.float64):
        for block in blocks(layers, layers, [layers], rank):
            block.w[...] += 1
    assert (vector == 1).all()


def test_large_matrices_come_in_pieces() -> None:
    layers = parameters.views(np.zeros(parameters.count((784, 1024, 10))), (784, 1024, 10))
    pieces = blocks(layers, layers, [layers], ALONE)
    assert len(pieces) > 4
    assert sum(piece.w.size for piece in pieces) == 814_090


def test_every_optimizer_names_its_state() -> None:
    assert {kind: rule.state_names for kind, rule in OPTIMIZERS.items()} == {
        "momentum": ("velocity",),
        "adam": ("first_moment", "second_moment"),
        "adamw": ("first_moment", "second_moment"),
    }
    for rule in OPTIMIZERS.values():
        assert len(rule.state_names) == len(rule.negligible)
