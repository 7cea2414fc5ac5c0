"""The tables of a step's page: as the page shows them, and as they should be by `gradcheck.one_step`."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from bpcli.core import parameters
from bpcli.core.network import Buffers, forward
from bpcli.core.types import Array, Bytes
from bpcli.gradcheck.one_step import (
    DIFFERENCE,
    OneStep,
    Sum,
    Unit,
    blame,
    central_difference,
    heaviest,
    loss_after,
    loss_at,
    one_step,
    predicted_loss,
    weighted_input,
)
from bpcli.gradcheck.one_step_text import SHOWN
from bpcli.report.step import Shown, step_page
from bpcli.storage.checkpoint import Checkpoint

Tables = dict[str, list[list[float]]]

_NUMBERS = """(id) => Object.fromEntries([...document.querySelectorAll(`#${id} table`)].map((table) => [
  table.caption.textContent,
  [...table.tBodies[0].rows].map((row) =>
    Array.from(row.querySelectorAll("td"), (cell) => cell.textContent).filter(Boolean)),
]))"""
_CLOSE = 1e-6  # of a number
_ROUNDING = 2e-15  # of p − y and of a sum, whose parts cancel: no number of the page is more exact than float64
_SLACK = {
    "The largest gradient of each layer": 3e-10,  # of a central difference: the rounding of two losses, divided by 2ε
    "The gradient, and its proof": 3e-10,
    "The sum z": 1e-14,  # of gelu far below zero, where 1 + erf cancels
}
_UNSIGNED = (
    "The largest gradient of each layer",
    "The largest gradients of its weights",
)  # tanh: those of 1 and −1 tie


def write_step(path: Path, loaded: Checkpoint, image: Bytes, label: int, rate: float = 0.1) -> OneStep:
    """Write the page of a step, and return the step."""
    step = one_step(loaded.model, image, label)
    path.write_text(step_page(loaded, "network", Shown(step, "picture", image, rate, [], None)), encoding="utf-8")
    return step


def shown_tables(page: Page, part: str) -> Tables:
    """Return the numbers of each table of the overview or the unit, row after row."""
    found: dict[str, list[list[str]]] = page.evaluate(_NUMBERS, part)
    return {name: [[float(cell.replace("−", "-")) for cell in row] for row in rows] for name, rows in found.items()}


def of_the_step(step: OneStep, rate: float) -> Tables:
    """Return the tables of the overview, of a network of at most a dozen classes."""
    p, outputs = step.a[-1], [step.z[-1], step.a[-1], step.y, step.delta[-1], _parts(step)]
    return {
        "The outputs": [*np.stack(outputs, axis=1).tolist(), [step.loss]],
        "The largest gradient of each layer": [_proof(step, layer) for layer in range(1, len(step.z) + 1)],
        "The loss after the step": [[rate], [step.loss], [predicted_loss(step, rate)], [loss_after(step, rate)]],
        "The scores after the step": np.stack([p, _scores_after(step, rate)], axis=1).tolist(),
    }


def _parts(step: OneStep) -> Array:
    """Return what each output has of the loss."""
    z, p, y = step.z[-1], step.a[-1], step.y
    parts: Array = {
        "binary_cross_entropy": np.logaddexp(0, z) - y * z,
        "cross_entropy": y * (np.logaddexp.reduce(z) - z),
        "quadratic": (p - y) ** 2 / 2,
    }[step.model.config.loss]
    return parts


def _proof(step: OneStep, layer: int) -> list[float]:
    ((below, unit),) = heaviest(step, layer, 1)
    return [float(step.gradients[layer - 1].weight[below, unit]), central_difference(step, layer, below, unit)]


def _scores_after(step: OneStep, rate: float) -> Array:
    net, moved = step.model.network, step.model.parameters - rate * step.gradient
    room = Buffers.allocate(net, 1, np.float64, backward=False)
    return net.output.value(forward(net, parameters.views(moved, net.sizes), step.inputs[0][None], room))[0]


def of_a_unit(step: OneStep, unit: Unit, rate: float, below: int | None = None) -> Tables:
    """Return the tables of a unit's view with one of its weights, by default that of the largest gradient."""
    own, number = step.model.layers[unit.layer - 1], unit.number
    weights, x = own.weight[:, number], step.inputs[unit.layer - 1]
    gradients, delta = step.gradients[unit.layer - 1].weight[:, number], step.delta[unit.layer - 1][number]
    order = [i for i in np.argsort(-abs(gradients), kind="stable")[:SHOWN] if gradients[i]]
    below = (int(order[0]) if order else 0) if below is None else below
    found, whole = weighted_input(step, unit, SHOWN), [each[unit.layer - 1][number] for each in (step.z, step.a)]
    move = -rate * gradients[below]
    tables = {
        "The sum z": [*_products(found, weights, x), [found.total], [own.bias[number]], *([each] for each in whole)],
        **_backward(step, unit, delta),
        "The gradient, and its proof": [[each] for each in _difference(step, unit, below)],
        "The step of this weight": [[weights[below]], [move], [weights[below] + move]],
    }
    gradient = {"The largest gradients of its weights": [[x[i], delta, gradients[i]] for i in order]}
    return tables | (gradient if order else {})


def _products(found: Sum, weights: Array, values: Array) -> Iterator[list[float]]:
    for index, product in zip(found.indices, found.products, strict=True):
        yield [weights[index], values[index], product]
    if found.others:
        yield [found.rest]


def _backward(step: OneStep, unit: Unit, delta: float) -> Tables:
    layer, number = unit
    if layer == len(step.z):
        return {"δ of this output": [[step.a[-1][number]], [step.y[number]], [delta]]}
    found, slope = blame(step, unit, SHOWN), float(step.f_prime[layer - 1][number])
    products = _products(found, step.model.layers[layer].weight[number], step.delta[layer])
    return {"The sum δ": [*products, [found.total], [slope], [delta]]}


def _difference(step: OneStep, unit: Unit, below: int) -> Iterator[float]:
    layer, number = unit
    x, delta = step.inputs[layer - 1][below], step.delta[layer - 1][number]
    yield from (x, delta, x * delta)
    for change in (DIFFERENCE, -DIFFERENCE):
        moved = step.model.parameters.copy()
        parameters.views(moved, step.model.network.sizes)[layer - 1].weight[below, number] += change
        yield loss_at(step, moved)
    yield central_difference(step, layer, below, number)


def differing(found: Tables, expected: Tables) -> tuple[int, list[Any]]:
    """Return how many numbers were compared, and those that differ by more than a millionth of themselves."""
    assert found.keys() == expected.keys()
    pairs = []
    for name, rows in expected.items():
        assert [len(row) for row in found[name]] == [len(row) for row in rows], name
        size = abs if name in _UNSIGNED else float
        both = zip(map(size, chain(*found[name])), map(size, chain(*rows)), strict=True)
        pairs += [(name, _SLACK.get(name, _ROUNDING), *pair) for pair in both]
    return len(pairs), [each for each in pairs if abs(each[2] - each[3]) > _CLOSE * abs(each[3]) + each[1]]
