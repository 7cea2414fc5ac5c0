"""What the check leaves out, and what its figures mean."""

import numpy as np
import pytest

from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Network
from bpcli.gradcheck import differences
from bpcli.gradcheck.differences import Direction, Point
from bpcli.gradcheck.reference import Formulas

# one ReLU between one input and one output; the second image comes within a step of its kink
X, Y = np.array([[2.0], [1e-6], [-3.0]]), np.array([[1.0], [1.0], [0.0]])
QUADRATIC = ("identity", "quadratic")
POINT = Point(
    Network((1, 1, 1), (ACTIVATIONS["relu"],), OUTPUTS[QUADRATIC]),
    Formulas((ACTIVATIONS["relu"].formula,), QUADRATIC),
    np.array([0.5, 0.0, 2.0, 0.0]),
    X,
    Y,
)
BIAS = Direction(0, "bias", np.array([1.0]))


def test_an_image_at_a_kink_is_left_out() -> None:
    derivatives, smooth = differences.central(POINT, BIAS, 1e-4)
    assert smooth.tolist() == [True, False, True]
    # C = ½(2·relu(½x + b) − y)²
    assert derivatives[0] == pytest.approx(2 * (2 * 1 - 1), rel=1e-9)
    assert derivatives[2] == 0


def test_the_complex_step_has_no_kinks() -> None:
    derivatives, smooth = differences.complex_step(POINT, BIAS)
    assert smooth.all()
    np.testing.assert_allclose(derivatives, [2, 2 * (1e-6 - 1), 0], rtol=1e-14)


def test_a_sum_with_a_kink_is_not_compared_but_its_other_images_are() -> None:
    found = differences.kernels(POINT)
    errors, kinks = differences.compare(found, [BIAS], lambda probe: differences.central(POINT, probe, 1e-4))
    assert errors["bias"] is None
    assert errors["delta"] == pytest.approx(0, abs=1e-9)
    assert kinks == 1


def test_a_relative_error_is_in_terms_of_the_largest_number() -> None:
    assert differences.relative_error(np.array([1.0, 1e-9]), np.array([1.0, 3e-9])) == pytest.approx(2e-9)
    assert differences.relative_error(np.zeros(2), np.zeros(2)) == 0
    assert differences.relative_error(np.zeros(2), np.array([0, 1e-300])) == 1
    for broken in (np.nan, np.inf):
        assert differences.relative_error(np.array([1.0, broken]), np.array([1.0, broken])) == np.inf


def test_what_overflows_in_both_is_not_compared() -> None:
    one, infinite = np.ones(1), np.full(1, np.inf)
    assert differences.furthest([infinite], [infinite]) is None
    assert differences.furthest([one, infinite], [one, infinite]) == 0
    assert differences.furthest([infinite], [one]) == np.inf


def test_the_larger_of_two_errors() -> None:
    assert differences.larger({"a": 1.0, "b": None, "c": None}, {"a": 2.0, "b": 3.0, "c": None}) == {
        "a": 2.0,
        "b": 3.0,
        "c": None,
    }
