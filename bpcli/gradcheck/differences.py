"""Gradient checks: compare the gradients of the network's kernels with those of three other methods.

For each image, the derivative by a bias is δ of its unit. So changes of the weights and biases test all four equations,
BP1 to BP4 (Nielsen, chapter 2).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.core import parameters
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.parameters import Layer
from bpcli.core.types import Array
from bpcli.gradcheck import reference
from bpcli.gradcheck.reference import Derivatives, Formulas, Numbers

CENTRAL, COMPLEX_STEP, GRAPH = "central", "complex_step", "graph"
LIMITS = {CENTRAL: 1e-6, COMPLEX_STEP: 1e-12, GRAPH: 1e-12}  # of the relative error
STEPS = (1e-4, 1e-5, 1e-6)  # of differences; a smaller one is tried if the loss curves too much for a larger one
IMAGINARY_STEP = 1e-30
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # relative rounding error of a loss, with an allowance for its sums
DIRECTIONS = 3

Kind: TypeAlias = Literal["weight", "bias"]
KINDS: tuple[Kind, Kind] = ("weight", "bias")
Errors: TypeAlias = dict[str, float | None]  # by quantity: delta, bias, weight; None where nothing could be compared


@dataclass(frozen=True, slots=True)
class Point:
    """A network with parameters and a batch, all float64.

    Attributes:
        network: the network whose kernels are checked.
        formulas: what the network should compute.
        vector: its parameters (`core.parameters`).
        x: (batch, inputs).
        y: (batch, classes).
        masks: the factors by which dropout multiplies each hidden layer's activations; empty without dropout.
    """

    network: Network
    formulas: Formulas
    vector: Array
    x: Array
    y: Array
    masks: tuple[Array, ...] = ()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The parameters, layer by layer."""
        return parameters.views(self.vector, self.network.sizes)


class Direction(NamedTuple):
    """A change of the weights or the biases of one layer, of their shape."""

    layer: int
    kind: Kind
    vector: Array

    def moved(self, layers: tuple[Layer, ...], step: complex) -> tuple[Layer, ...]:
        """Return the layers, moved `step` times along this direction."""
        layer = layers[self.layer]
        if self.kind == "weight":
            changed = Layer(layer.weight + step * self.vector, layer.bias)
        else:
            changed = Layer(layer.weight, layer.bias + step * self.vector)
        return (*layers[: self.layer], changed, *layers[self.layer + 1 :])


class DirectionalDerivative(NamedTuple):
    """The derivative of each image's loss along a direction, (batch,), and whether it exists there, (batch,)."""

    values: Numbers
    smooth: Numbers


def kernels(point: Point) -> Derivatives:
    """Return the mean loss, the gradients and δ as training computes them."""
    net = point.network
    gradients = parameters.views(np.full_like(point.vector, np.nan), net.sizes)
    layers, room = parameters.views(point.vector.copy(), net.sizes), _room(point, wanted=True)
    z = forward(net, layers, point.x, room)
    p = net.output.value(z)
    delta = backward(net, layers, point.x, p, point.y, room, gradients)
    loss = float(net.output.loss(z, p, point.y).mean())
    return Derivatives(loss, list(gradients), [*(here.delta for here in room.hidden), delta])


def losses(point: Point, layers: tuple[Layer, ...]) -> Array:
    """Return the loss of each image as training computes it, for other parameters."""
    z = forward(point.network, layers, point.x, _room(point, wanted=False))
    return point.network.output.loss(z, point.network.output.value(z), point.y)


def _room(point: Point, *, wanted: bool) -> Buffers:
    """Return buffers for the batch, with the masks of dropout; also for the backward pass if `wanted`."""
    dtype, dropout = point.vector.dtype, bool(point.masks)
    room = Buffers.allocate(point.network, len(point.x), dtype, backward=wanted, dropout=dropout)
    for here, mask in zip(room.hidden, point.masks, strict=False):
        if here.mask is not None:
            here.mask[:] = mask
    return room


def central(point: Point, direction: Direction, step: float) -> DirectionalDerivative:
    """Return central differences of the fourth order, (8(C₁ − C₋₁) − (C₂ − C₋₂))/12h, of the kernels' own loss.

    If a ReLU changes sides between C₋₂ and C₂, the image is at a kink: there is no derivative to compare.
    """
    near = {k: losses(point, direction.moved(point.layers, k * step)) for k in (-2, -1, 1, 2)}
    values = (8 * (near[1] - near[-1]) - (near[2] - near[-2])) / (12 * step)
    return DirectionalDerivative(values, _smooth(point, direction, step))


def _smooth(point: Point, direction: Direction, step: float) -> Numbers:
    """Return for each image whether every ReLU stays on its side."""
    smooth = np.ones(len(point.x), np.bool_)
    if not any("relu" in formula for formula in point.formulas.hidden):
        return smooth
    low, here, high = (
        reference.losses(point.formulas, direction.moved(point.layers, k * step), point.x, point.y, point.masks).sides
        for k in (-2, 0, 2)
    )
    for sides in zip(low, here, high, strict=True):
        smooth &= ((sides[0] == sides[1]) & (sides[1] == sides[2])).all(axis=1)
    return smooth


def complex_step(point: Point, direction: Direction) -> DirectionalDerivative:
    """Return Im C(w + ih)/h of the reference's loss. It is exact to rounding, because nothing is subtracted."""
    moved = direction.moved(point.layers, 1j * IMAGINARY_STEP)
    values = reference.losses(point.formulas, moved, point.x, point.y, point.masks).losses.imag / IMAGINARY_STEP
    return DirectionalDerivative(values, np.ones(len(point.x), np.bool_))


def every_parameter(point: Point, layer: int) -> Iterator[Direction]:
    """Yield a direction for each single weight and bias of a layer."""
    for kind, array in zip(KINDS, point.layers[layer], strict=True):
        for place in np.ndindex(array.shape):
            direction = np.zeros(array.shape)
            direction[place] = 1
            yield Direction(layer, kind, direction)


def random_directions(point: Point, layer: int, rng: np.random.Generator) -> Iterator[Direction]:
    """Yield random directions of length 1; each changes all weights or all biases of a layer together."""
    for kind, array in zip(KINDS, point.layers[layer], strict=True):
        for _ in range(DIRECTIONS):
            direction = rng.standard_normal(array.shape)
            yield Direction(layer, kind, direction / np.linalg.norm(direction))


def compare(
    found: Derivatives,
    directions: Iterable[Direction],
    derivative: Callable[[Direction], DirectionalDerivative],
    noise: float = 0.0,
) -> tuple[Errors, int]:
    """Return the largest relative errors of a layer's gradients and δ, along directions.

    Args:
        found: from `kernels`.
        directions: all of one layer.
        derivative: the method to compare with.
        noise: the largest rounding error of the derivative's mean over the images.

    Returns:
        The errors, and how many points were left out as kinks.
    """
    pairs: dict[str, list[tuple[Numbers, Numbers]]] = {"delta": [], "bias": [], "weight": []}
    kinks, largest = 0, 0.0
    for direction in directions:
        values, smooth = derivative(direction)
        kinks += int((~smooth).sum())
        largest = max(largest, float(np.abs(values).max()))
        if smooth.all():
            gradient = getattr(found.gradients[direction.layer], direction.kind)
            pairs[direction.kind].append((np.sum(gradient * direction.vector)[None], values.mean()[None]))
        if direction.kind == "bias":
            deltas = found.deltas[direction.layer] @ direction.vector
            pairs["delta"].append((deltas[smooth], values[smooth] / len(values)))
    return {name: _largest(each, noise, ROUNDING * largest) for name, each in pairs.items()}, kinks


def check_central(point: Point, found: Derivatives, directions: Sequence[Direction]) -> tuple[Errors, int]:
    """Compare a layer with central differences, each quantity at the step that fits it best.

    A right gradient agrees at one of the steps, a wrong one at none.
    """
    best: Errors = {}
    kinks = 0
    largest = float(np.abs(losses(point, point.layers)).max())
    for step in STEPS:
        difference = partial(central, point, step=step)
        errors, left_out = compare(found, directions, difference, ROUNDING * largest / step)
        kinks += left_out
        best = {name: _chosen(min, best.get(name), error) for name, error in errors.items()}
        if all(within(error, CENTRAL) for error in best.values()):
            break
    return best, kinks


def check_complex_step(point: Point, found: Derivatives, directions: Sequence[Direction]) -> Errors:
    """Compare a layer with the complex step."""
    return compare(found, directions, lambda direction: complex_step(point, direction))[0]


def check_graph(found: Derivatives, graph: Derivatives, layer: int) -> Errors:
    """Compare a layer with the derivatives of the graph."""
    return {
        "delta": relative_error(found.deltas[layer], graph.deltas[layer]),
        "bias": relative_error(found.gradients[layer].bias, graph.gradients[layer].bias),
        "weight": relative_error(found.gradients[layer].weight, graph.gradients[layer].weight),
    }


def relative_error(found: Numbers, expected: Numbers) -> float:
    """Return the largest difference as a fraction of the largest number; infinite if a number is not finite."""
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return float("inf")
    scale = max(np.abs(found).max(), np.abs(expected).max())
    return float(np.abs(found - expected).max() / scale) if scale else 0.0


def furthest(found: Sequence[Numbers], expected: Sequence[Numbers]) -> float | None:
    """Return the largest relative error of some pairs of arrays; None if both arrays of every pair have overflowed."""
    errors = [
        relative_error(one, other)
        for one, other in zip(found, expected, strict=True)
        if np.isfinite(one).all() or np.isfinite(other).all()
    ]
    return max(errors, default=None)


def larger(one: Errors, other: Errors) -> Errors:
    """Return the larger error of each quantity."""
    return {name: _chosen(max, one.get(name), other[name]) for name in other}


def _chosen(choose: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    """Return one of two errors; if one is None, the other."""
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def within(error: float | None, method: str) -> bool:
    """Return whether an error is at most the method's limit; None passes, because nothing was compared."""
    return error is None or error <= LIMITS[method]


def _largest(pairs: list[tuple[Numbers, Numbers]], noise: float, rounding: float) -> float | None:
    """Return the relative error over all pairs; None if there are none, or if it may be rounding alone.

    Args:
        pairs: what was found, and what was expected.
        noise: the largest rounding error of what was expected.
        rounding: that of a sum over the images. It shows where the images' derivatives cancel each other.
    """
    if not pairs:
        return None
    found, expected = (np.concatenate(each) for each in zip(*pairs, strict=True))
    if not found.size:
        return None
    error = relative_error(found, expected)
    scale = max(np.abs(found).max(), np.abs(expected).max())
    cancelled = LIMITS[COMPLEX_STEP] * scale < error * scale <= rounding
    return None if cancelled or (error > LIMITS[CENTRAL] and noise > LIMITS[CENTRAL] * scale) else error
