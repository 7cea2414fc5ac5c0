"""One training step on one picture, in float64, with every number on the way: forward, backward, update, and proof.

The activations, δ and gradients are those of `core.network`; the equations BP1 to BP4 are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core import parameters
from bpcli.core.network import Buffers, backward, forward
from bpcli.core.parameters import Layer
from bpcli.core.types import Array, Bytes
from bpcli.inference.evaluation import one_hot
from bpcli.model import Model

DIFFERENCE = 1e-5  # the change of a parameter for a central difference: (C(w + ε) − C(w − ε))/2ε


@dataclass(frozen=True, slots=True)
class OneStep:
    """A step of gradient descent on one picture.

    Each list has an array for each layer, the output layer last; layer l has the index l − 1.

    Attributes:
        model: the network before the step, float64.
        label: the index of the picture's class.
        inputs: what each layer multiplies by its weights: x for the first, a of the layer below for the others.
        z, a: the weighted inputs and the activations; of the output layer, the logits and the scores p.
        f_prime: f'(z) of each hidden layer.
        delta: δ = ∂C/∂z.
        loss: C.
        gradient: ∂C/∂w, a vector like the model's parameters (`core.parameters`).
    """

    model: Model
    label: int
    inputs: list[Array]
    z: list[Array]
    a: list[Array]
    f_prime: list[Array]
    delta: list[Array]
    loss: float
    gradient: Array

    @property
    def gradients(self) -> tuple[Layer, ...]:
        """The gradient, layer by layer."""
        return parameters.views(self.gradient, self.model.network.sizes)

    @property
    def y(self) -> Array:
        """The target: 1 for the picture's class, 0 for the others."""
        return _target(self.model, self.label).reshape(-1)

    @property
    def steepness(self) -> float:
        """‖∂C/∂w‖²: the gradient predicts that a step of the rate η lowers the loss by η times as much."""
        return float(self.gradient @ self.gradient)


class Unit(NamedTuple):
    """A unit: its layer, counted from 1, and its number within it, counted from 0."""

    layer: int
    number: int


class Sum(NamedTuple):
    """A sum of products, the largest by absolute value first and by themselves.

    Attributes:
        indices: of the largest products.
        products: these products.
        rest: the sum of the others.
        others: how many others there are.
        total: of all.
    """

    indices: NDArray[np.intp]
    products: Array
    rest: float
    others: int
    total: float


@np.errstate(over="ignore", invalid="ignore")
def one_step(model: Model, image: Bytes, label: int) -> OneStep:
    """Return the forward and the backward pass of a picture, through frozen layers too.

    Args:
        model: the network, of any precision.
        image: (side, side) or (side²,), as in the data set: bytes that are not yet set upright.
        label: the index of its class.
    """
    model = replace(model, parameters=model.parameters.astype(np.float64))
    upright = model.preprocessing.upright(image.reshape(1, -1))
    x, net = model.preprocessing.inputs(upright, np.float64), replace(model.network, frozen=0)
    room, gradient = Buffers.allocate(net, 1, np.float64), np.zeros_like(model.parameters)
    logits = forward(net, model.layers, x, room)
    p, y = net.output.value(logits), _target(model, label)
    loss = float(net.output.loss(logits, p, y)[0])
    delta = backward(net, model.layers, x, p, y, room, parameters.views(gradient, net.sizes))
    hidden = [here.a[0].copy() for here in room.hidden]
    inputs = [x[0], *hidden]
    z = [a @ layer.weight + layer.bias for a, layer in zip(inputs, model.layers, strict=True)]  # relu overwrote its z
    f_prime: list[Array] = [np.asarray(here.f_prime[0], np.float64) for here in room.hidden]
    deltas = [*(here.delta[0].copy() for here in room.hidden), delta[0]]
    return OneStep(model, label, inputs, z, [*hidden, p[0]], f_prime, deltas, loss, gradient)


def _target(model: Model, label: int) -> Array:
    return one_hot(np.array([label], np.uint8), model.network.sizes[-1], np.dtype(np.float64))


@np.errstate(over="ignore", invalid="ignore")
def loss_at(step: OneStep, vector: Array) -> float:
    """Return C of the step's picture for other parameters."""
    net = step.model.network
    room = Buffers.allocate(net, 1, np.float64, backward=False)
    logits = forward(net, parameters.views(vector, net.sizes), step.inputs[0][None], room)
    return float(net.output.loss(logits, net.output.value(logits), step.y[None])[0])


def loss_after(step: OneStep, rate: float) -> float:
    """Return C after w ← w + v with v = −η·∂C/∂w: the first step of momentum, when there is no velocity yet."""
    return loss_at(step, step.model.parameters - rate * step.gradient)


def predicted_loss(step: OneStep, rate: float) -> float:
    """Return the loss after the step if it fell along a straight line: C − η·‖∂C/∂w‖²."""
    return step.loss - rate * step.steepness


def central_difference(step: OneStep, layer: int, below: int, number: int, size: float = DIFFERENCE) -> float:
    """Return (C(w + ε) − C(w − ε))/2ε for the weight that leads from `below` to a unit; layers count from 1."""
    losses = []
    for change in (size, -size):
        vector = step.model.parameters.copy()
        parameters.views(vector, step.model.network.sizes)[layer - 1].weight[below, number] += change
        losses.append(loss_at(step, vector))
    return (losses[0] - losses[1]) / (2 * size)


def weighted_input(step: OneStep, unit: Unit, n: int) -> Sum:
    """Return Σ w·x of a unit, its n largest products first; z is this and the bias."""
    return largest_products(step.model.layers[unit.layer - 1].weight[:, unit.number], step.inputs[unit.layer - 1], n)


def blame(step: OneStep, unit: Unit, n: int) -> Sum:
    """Return Σ w·δ of a hidden unit over the layer above, its n largest products first; δ is this times f'(z)."""
    return largest_products(step.model.layers[unit.layer].weight[unit.number], step.delta[unit.layer], n)


def largest_products(weights: Array, values: Array, n: int) -> Sum:
    """Return Σ w·x, with its n largest products by themselves; products that are 0 are never among them."""
    products = weights * values
    order = np.argsort(-abs(products), kind="stable")[:n]
    order = order[products[order] != 0]
    rest = float(np.delete(products, order).sum())  # the total minus the largest would show what rounding leaves
    return Sum(order, products[order], rest, len(products) - len(order), float(products.sum()))


class Finding(NamedTuple):
    """Why a step teaches little: what is so, and what helps."""

    what: str
    cure: str


_LEARNED = 0.01  # a loss below it leaves little to learn
_WRONG, _FLAT = 0.5, 0.05  # an output is saturated if it is that wrong, and its slope below that
_CANCELLED = 0.02  # of the sum of sizes: below it, the products of a δ cancel each other
_MANY = 0.25  # of a layer: so many units are worth a word


def findings(step: OneStep, dead: Sequence[int] = ()) -> list[Finding]:
    """Return why this step teaches little, where it does: for people, with the numbers.

    Args:
        step: the step.
        dead: for each hidden layer, how many of its units learn from no image of a sample, if that is known.
    """
    found = [*_learned(step), *_saturated_outputs(step)]
    for layer in range(1, len(step.z)):
        found += [*_silent(step, layer, dead), *_saturated(step, layer), *_cancelled(step, layer)]
    return found


def _learned(step: OneStep) -> list[Finding]:
    if step.loss >= _LEARNED:
        return []
    what = f"the loss is {step.loss:.2g}: the network knows this picture already, so every δ is small"
    return [Finding(what, "take a picture that it misreads")]


def saturated_outputs(step: OneStep) -> NDArray[np.intp]:
    """Return the outputs that are wrong and saturated: p − y is large, but δ = (p − y)·σ'(z) is not."""
    p, delta = step.a[-1], step.delta[-1]
    wrong = abs(p - step.y)
    return np.flatnonzero((wrong > _WRONG) & (abs(delta) < _FLAT * wrong))


def _saturated_outputs(step: OneStep) -> list[Finding]:
    outputs = saturated_outputs(step)
    names = ", ".join(step.model.spec.classes[k] for k in outputs[:3])
    if not len(outputs):
        return []
    k = outputs[0]
    what = (
        f"output {names} is wrong and saturated: p − y = {step.a[-1][k] - step.y[k]:.3g}, "
        f"but σ'(z) makes δ {step.delta[-1][k]:.2g}"
    )
    return [Finding(what, "loss: binary_cross_entropy, whose δ is p − y itself")]


def silent(step: OneStep, layer: int) -> NDArray[np.intp]:
    """Return the units of a hidden layer whose f'(z) is exactly 0: none of their weights moves."""
    return np.flatnonzero(step.f_prime[layer - 1] == 0)


def _silent(step: OneStep, layer: int, dead: Sequence[int]) -> list[Finding]:
    units, n = len(silent(step, layer)), len(step.a[layer - 1])
    if units < _MANY * n:
        return []
    what = f"{units:,} of {n:,} units of layer {layer} are silent: z < 0, so f'(z) = 0 and δ = 0; their weights stay"
    if not any(dead[layer - 1 : layer]):
        return [Finding(what, "no fault: for other pictures, others are silent")]
    some = f"{what}; {dead[layer - 1]:,} of them are dead, silent for every picture of a sample"
    return [Finding(some, "a smaller learning rate, model.init: he, or model.activation: leaky_relu")]


def saturated(step: OneStep, layer: int) -> NDArray[np.intp]:
    """Return the units of a hidden layer with a small f'(z) that is not 0: sigmoid or tanh far from the middle."""
    slopes = abs(step.f_prime[layer - 1])
    return np.flatnonzero((slopes > 0) & (slopes < _FLAT * _steepest(step, layer)))


def _steepest(step: OneStep, layer: int) -> float:
    """Return the largest f'(z) that the activation of a layer takes: 1, or 1/4 of the sigmoid."""
    return 0.25 if step.model.config.model.activations[layer - 1] == "sigmoid" else 1.0


def _saturated(step: OneStep, layer: int) -> list[Finding]:
    units, n = saturated(step, layer), len(step.a[layer - 1])
    if len(units) < _MANY * n:
        return []
    what = f"{len(units):,} of {n:,} units of layer {layer} are saturated: f'(z) is below {_FLAT:.0%} of its largest"
    return [Finding(what, "smaller initial weights (model.init: glorot), or relu")]


def cancelled(step: OneStep, layer: int) -> NDArray[np.intp]:
    """Return the units of a hidden layer whose Σ w·δ nearly cancels: the layer above pulls both ways."""
    products = step.model.layers[layer].weight * step.delta[layer]
    sizes = abs(products).sum(axis=1)
    return np.flatnonzero((abs(products.sum(axis=1)) < _CANCELLED * sizes) & (step.f_prime[layer - 1] != 0))


def _cancelled(step: OneStep, layer: int) -> list[Finding]:
    units = cancelled(step, layer)
    if not len(units):
        return []
    unit, of = int(units[0]), f"{len(units):,} unit{'s' * (len(units) != 1)} of layer {layer}"
    found = blame(step, Unit(layer, unit), 0)
    sizes = float(abs(step.model.layers[layer].weight[unit] * step.delta[layer]).sum())
    what = (
        f"δ of {of} nearly cancels: for {layer}:{unit}, the sizes of the products w·δ add up to {sizes:.2g}, "
        f"the products themselves to {found.total:.2g}"
    )
    return [Finding(what, "no fault: these units serve classes that pull both ways on this picture")]


def heaviest(step: OneStep, layer: int, n: int) -> Sequence[tuple[int, int]]:
    """Return the n weights of a layer with the largest gradients, as (below, unit), the largest first."""
    gradient = step.gradients[layer - 1].weight
    order = np.argsort(-abs(gradient), axis=None, kind="stable")[:n]
    return [(int(below), int(unit)) for below, unit in zip(*np.unravel_index(order, gradient.shape), strict=True)]
