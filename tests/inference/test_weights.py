"""Weights of members: the least loss is SciPy's, its derivative that of differences, a mean score's loss its own."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize as scipys

from bpcli.core.losses import OUTPUTS, Output
from bpcli.inference.evaluation import one_hot
from bpcli.inference.weights import Objective, minimize, of_likelihoods, of_logits, of_scores

Reals = NDArray[np.float64]
TARGETS = one_hot(np.arange(60, dtype=np.uint8) % 4, 4, np.dtype(np.float64)).astype(np.float64)


def logits_of(members: int, seed: int = 0) -> Reals:
    """Logits that point at the targets, each member's with its own noise, (members, n, classes)."""
    noise = np.random.default_rng(seed).normal(size=(members, *TARGETS.shape))
    return np.array(2 * TARGETS - 1 + noise * np.linspace(0.8, 3, members)[:, None, None])


def objective_of(rule: str, output: Output, logits: Reals) -> Objective:
    return {"scores": of_scores, "logits": of_logits}[rule](output, logits, TARGETS)


def loss_of_scores(output: str, loss: str, weights: Reals, logits: Reals) -> float:
    """The loss of the weighted mean of scores, by its definition."""
    p = sum(w * OUTPUTS[output, loss].value(z) for w, z in zip(weights, logits, strict=True))
    of_each = {
        "cross_entropy": -TARGETS * np.log(p),
        "binary_cross_entropy": -TARGETS * np.log(p) - (1 - TARGETS) * np.log(1 - np.minimum(p, 1 - 1e-16)),
        "quadratic": (p - TARGETS) ** 2 / 2,
    }
    return float(of_each[loss].sum(axis=1).mean())


@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
def test_a_mean_of_scores_loses_what_its_definition_says(output: str, loss: str) -> None:
    logits, weights = logits_of(3), np.array([0.5, 0.2, 0.3])
    if output == "identity":
        logits = np.abs(logits)
    found, _ = of_scores(OUTPUTS[output, loss], logits, TARGETS)(weights)
    assert found == pytest.approx(loss_of_scores(output, loss, weights, logits))


@pytest.mark.parametrize("rule", ["scores", "logits"])
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=map(str, OUTPUTS))
def test_the_least_loss_is_scipys_and_its_derivative_that_of_differences(rule: str, output: Output) -> None:
    objective = objective_of(rule, output, logits_of(4))
    start = np.array([0.4, 0.3, 0.2, 0.1])
    for member, slope in enumerate(objective(start)[1]):
        step = 1e-6 * np.eye(4)[member]
        difference = (objective(start + step)[0] - objective(start - step)[0]) / 2e-6
        assert slope == pytest.approx(difference, rel=1e-5, abs=1e-8)
    weights = minimize(objective, 4)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    theirs = scipys(
        lambda w: objective(w)[0], np.full(4, 0.25), bounds=[(0, 1)] * 4, tol=1e-10,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )  # fmt: skip
    assert objective(weights)[0] == pytest.approx(theirs.fun, abs=2e-7)


def test_a_useless_member_gets_nothing_and_equal_ones_the_same() -> None:
    wise, silly = np.full(50, 0.9), np.full(50, 0.1)
    assert minimize(of_likelihoods(np.array([wise, silly])), 2) == pytest.approx([1, 0], abs=1e-6)
    assert minimize(of_likelihoods(np.array([wise, wise, wise])), 3) == pytest.approx([1 / 3] * 3)
    apart = np.where(np.arange(50) < 30, wise, silly)
    mixed = minimize(of_likelihoods(np.array([apart, 1 - apart])), 2)
    assert mixed == pytest.approx([0.625, 0.375], abs=1e-3)  # 0.1 + 0.8·w = 0.6, as often as the first is right


def test_members_that_know_nothing_at_all_end_with_weights_all_the_same() -> None:
    assert minimize(of_likelihoods(np.zeros((2, 5))), 2).sum() == 1
    infinite = np.array([np.full_like(TARGETS, np.inf), np.zeros_like(TARGETS)])
    assert minimize(of_logits(OUTPUTS["softmax", "cross_entropy"], infinite, TARGETS), 2) == pytest.approx([0.5, 0.5])
