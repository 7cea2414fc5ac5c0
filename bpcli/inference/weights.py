"""The weights of an ensemble's members: those with which it loses least on images that no member was trained on."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli.core.losses import OUTPUTS, Output, binary_cross_entropy, cross_entropy

Reals = NDArray[np.float64]
Objective = Callable[[Reals], tuple[float, Reals]]  # weights → the mean loss, and its derivative by each weight

_STEPS = 2000  # at most
_GAP = 1e-7  # what other weights may gain
_LARGEST = 5.0  # exponent of a step, so that no weight vanishes for good


def of_logits(output: Output, logits: Reals, targets: Reals) -> Objective:
    """Return the loss of the weighted mean of logits, as a function of the weights.

    Args:
        output: the output function and the loss of all members.
        logits: (members, n, classes).
        targets: (n, classes).
    """

    def objective(weights: Reals) -> tuple[float, Reals]:
        z = np.tensordot(weights, logits, 1)
        p = output.value(z)
        slope = np.tensordot(logits, output.delta(p, targets), 2) / len(z)  # ∂z/∂w is a member's z
        return float(output.loss(z, p, targets).mean()), slope

    return objective


def of_scores(output: Output, logits: Reals, targets: Reals) -> Objective:
    """Return the loss of the weighted mean of scores, as a function of the weights; arguments as in `of_logits`."""
    if output.loss is cross_entropy:
        return of_likelihoods((_values(output, logits) * targets).sum(axis=2))
    if output.loss is binary_cross_entropy:  # 1 − σ(z) = σ(−z)
        return of_likelihoods(
            _values(output, np.where(targets, logits, -logits)).reshape(len(logits), -1), len(targets)
        )
    return of_logits(OUTPUTS["identity", "quadratic"], _values(output, logits), targets)


def _values(output: Output, logits: Reals) -> Reals:
    return np.stack([output.value(z) for z in logits])


def of_likelihoods(likelihoods: Reals, n: int | None = None) -> Objective:
    """Return −Σ ln Σ w·q / n, the loss of a mixture, as a function of the weights w.

    Args:
        likelihoods: q, what each member gives to what is true, (members, n), or more where an image has several.
        n: the number of images.
    """
    q = np.maximum(likelihoods, np.finfo(float).tiny)  # a diverged network may give 0
    count = n or q.shape[1]

    def objective(weights: Reals) -> tuple[float, Reals]:
        mixed = weights @ q
        return float(-np.log(mixed).sum() / count), -(q / mixed).sum(axis=1) / count

    return objective


@np.errstate(over="ignore", invalid="ignore")  # a diverged network's logits may be infinite: weights then stay equal
def minimize(objective: Objective, members: int) -> Reals:
    """Return the weights, (members,), none negative and all together 1, with the least loss.

    The method is exponentiated gradient (Kivinen, Warmuth 1997, Information and Computation 132, p. 1): each weight is
    multiplied by e^(−η·∂C/∂w). A step that makes the loss greater is taken back, and η halved. The loss is convex in
    the weights, so w·∂C/∂w − min ∂C/∂w bounds what is left to gain. Only a quadratic loss of a sigmoid's mean logits is
    not convex: there it may end at a local minimum.
    """
    weights, rate = np.full(members, 1 / members), 1.0
    loss, slope = objective(weights)
    for _ in range(_STEPS):
        if weights @ slope - slope.min() <= _GAP:
            break
        tried: NDArray[Any] = weights * np.exp(-np.minimum(rate * (slope - slope.min()), _LARGEST))
        tried /= tried.sum()
        there, slope_there = objective(tried)
        if there < loss:
            weights, loss, slope, rate = tried, there, slope_there, 2 * rate
        else:
            rate /= 2
    return weights
