"""The error function against Python's own."""

from math import erf as exact

import numpy as np

from bpcli.core.erf import erf

X = np.linspace(-7, 7, 10_001)


def test_float64_is_exact_and_keeps_the_shape() -> None:
    found = erf(X.reshape(73, -1).T)
    assert found.dtype == np.float64
    assert found.T.ravel().tolist() == [exact(x) for x in X.tolist()]


def test_float32_is_off_by_half_a_millionth_at_most() -> None:
    found = erf(X.astype(np.float32))
    assert found.dtype == np.float32
    assert abs(found - [exact(x) for x in X.astype(np.float32).tolist()]).max() < 5e-7
    assert erf(np.array([-1e30, 0, 1e30], np.float32)).tolist() == [-1, 0, 1]
