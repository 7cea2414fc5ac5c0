"""Masks of dropout: how much they leave out, and that threads draw the same one together."""

import numpy as np
import pytest

from bpcli.core.dropout import write_mask
from bpcli.core.threads import ThreadGroup


def mask(rate: float, rows: int, units: int, threads: int = 1, **key: int) -> np.ndarray:
    where = {"seed": 1, "epoch": 2, "step": 3, "layer": 0} | key
    out = np.full((units, rows), np.nan, np.float32).T
    for rank in ThreadGroup(threads).ranks(1, 1, np.float32):
        mine = rank.units(units)
        write_mask(rate, units=mine, out=out[:, mine], **where)
    return out


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_left_out_and_the_rest_scaled_up(rate: float) -> None:
    found = mask(rate, 256, 500)
    assert set(np.unique(found)) == {np.float32(0), np.float32(1 / (1 - rate))}
    assert (found == 0).mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / found.size))
    assert found.mean() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("rows", [1, 3, 4, 30])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_draw_the_mask_of_one_thread(rows: int, threads: int) -> None:
    assert np.array_equal(mask(0.4, rows, 11, threads), mask(0.4, rows, 11))
    assert np.array_equal(mask(0.4, rows, 2, threads), mask(0.4, rows, 2))  # some threads have no unit


def test_every_step_layer_and_seed_has_its_own_mask() -> None:
    first = mask(0.5, 40, 20)
    assert np.array_equal(first, mask(0.5, 40, 20))
    for key in ("seed", "epoch", "step", "layer"):
        assert not np.array_equal(first, mask(0.5, 40, 20, **{key: 7}))
