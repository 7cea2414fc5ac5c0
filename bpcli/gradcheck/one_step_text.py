"""One training step as text: the overview, and a unit with its sums opened."""

import inspect
from collections.abc import Iterator, Sequence
from types import ModuleType

from bpcli.core import network
from bpcli.gradcheck.one_step import (
    Finding,
    OneStep,
    Sum,
    Unit,
    blame,
    central_difference,
    findings,
    heaviest,
    loss_after,
    predicted_loss,
    weighted_input,
)

SHOWN = 10  # products of a sum that stand by themselves
_SLOPE = "f'(z)"


def overview(step: OneStep, rate: float, dead: Sequence[int]) -> list[str]:
    """Return the whole step for people, line by line.

    Args:
        step: the step.
        rate: η.
        dead: as `one_step.findings` takes it.
    """
    return [
        f"forward          {source('# z = a·W + b')}",
        *_forward_lines(step),
        "",
        f"backward, BP1    {source('# BP1')}",
        *_output_lines(step),
        f"backward, BP2    {source('# BP2')}",
        f"          BP3    {source('# BP3: ∂C/∂b')}",
        f"          BP4    {source('# BP4: ∂C/∂W')}",
        *_backward_lines(step),
        "",
        "proof: the largest gradient of each layer beside the central difference",
        *_proof_lines(step),
        "",
        f"step: w ← w + v, v = −η·∂C/∂w, η = {rate:g}",
        *_step_lines(step, rate),
        *_findings(findings(step, dead)),
    ]


def source(text: str, module: ModuleType = network) -> str:
    """Return the first line of a module with some text, without its comment, after the file and its number."""
    lines = inspect.getsource(module).splitlines()
    number = next(n for n, line in enumerate(lines, 1) if text in line)
    return f"{module.__name__.replace('.', '/')}.py:{number}  {lines[number - 1].split('#')[0].strip()}"


def _sources(step: OneStep, layer: int) -> tuple[str, str]:
    """Return the lines that compute z and ∂C/∂W of a layer; the output layer has its own."""
    last = layer == len(step.z)
    return source("z += layers[-1].bias" if last else "# z = a·W + b"), source(
        "inputs[-1][:, u].T" if last else "# BP4: ∂C/∂W"
    )


def _forward_lines(step: OneStep) -> Iterator[str]:
    yield f"  x        {len(step.inputs[0]):,} pixels"
    for layer, (a, name) in enumerate(zip(step.a, step.model.config.model.activations, strict=False), 1):
        used = int((a != 0).sum())
        yield f"  layer {layer}  {len(a):,} {name} units, {used:,} with a ≠ 0, the largest a {a.max():.6g}"


def _output_lines(step: OneStep) -> Iterator[str]:
    """Yield a row for each output unit: z, score, target and δ."""
    width = max(8, *(len(name) for name in step.model.spec.classes))
    yield f"  {'class':{width}} {'z':>13} {'score p':>13} {'y':>3} {'δ = ∂C/∂z':>13}"
    for name, z, p, y, delta in zip(
        step.model.spec.classes, step.z[-1], step.a[-1], step.y, step.delta[-1], strict=True
    ):
        yield f"  {name:{width}} {z:13.6g} {p:13.6g} {y:3.0f} {delta:13.6g}"
    yield f"  loss C = {step.loss:.8g} ({step.model.config.loss.replace('_', ' ')})"


def _backward_lines(step: OneStep) -> Iterator[str]:
    for layer in reversed(range(1, len(step.delta))):
        delta = step.delta[layer - 1]
        unit, moving = int(abs(delta).argmax()), int((delta != 0).sum())
        largest = f"the largest δ is {delta[unit]:.6g}, of unit {layer}:{unit}"
        yield f"  layer {layer}  {moving:,} of {len(delta):,} units learn; {largest}"


def _proof_lines(step: OneStep) -> Iterator[str]:
    for layer in range(1, len(step.delta) + 1):
        ((below, unit),) = heaviest(step, layer, 1)
        gradient = step.gradients[layer - 1].weight[below, unit]
        difference = central_difference(step, layer, below, unit)
        way = f"{_below(step, layer, below)} → {layer}:{unit}"
        yield f"  {way:24} ∂C/∂w = {gradient:15.8g}   difference = {difference:15.8g}"


def _step_lines(step: OneStep, rate: float) -> Iterator[str]:
    yield f"  C before the step                   {step.loss:.8g}"
    yield f"  predicted, C − η·‖∂C/∂w‖²           {predicted_loss(step, rate):.8g}"
    yield f"  C after the step                    {loss_after(step, rate):.8g}"


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    if found:
        yield ""
        yield "why it learned little"
    for each in found:
        yield f"  {each.what}"
        yield f"    → {each.cure}"


def opened(step: OneStep, unit: Unit, rate: float) -> list[str]:
    """Return one unit with its sums opened, line by line: forward, backward, and what its weights do."""
    layer, number = unit
    z, a, delta = (values[layer - 1][number] for values in (step.z, step.a, step.delta))
    name = (*step.model.config.model.activations, step.model.config.model.output)[layer - 1]
    z_line, weight_line = _sources(step, layer)
    return [
        f"unit {layer}:{number}{_class(step, unit)}",
        "",
        f"forward          {z_line}",
        *_sum_lines(weighted_input(step, unit, SHOWN), "w·x", _weight_names(step, unit), _weights(step, unit)),
        f"  {'b':34} {step.model.layers[layer - 1].bias[number]:15.8g}",
        f"  {'z = Σ w·x + b':34} {z:15.8g}",
        f"  {f'a = {name}(z)':34} {a:15.8g}",
        "",
        *_delta_lines(step, unit),
        f"  {'δ = ∂C/∂z = ∂C/∂b':34} {delta + 0.0:15.8g}",
        "",
        f"its weights      {weight_line}",
        *_weight_lines(step, unit, rate),
    ]


def _class(step: OneStep, unit: Unit) -> str:
    return f", the output of class {step.model.spec.classes[unit.number]}" if unit.layer == len(step.z) else ""


def _below(step: OneStep, layer: int, index: int) -> str:
    """Return the name of what feeds a layer: a pixel by row and column, or a unit."""
    side = step.model.spec.side
    return f"pixel {index // side},{index % side}" if layer == 1 else f"{layer - 1}:{index}"


def _weight_names(step: OneStep, unit: Unit) -> list[str]:
    return [_below(step, unit.layer, index) for index in range(len(step.inputs[unit.layer - 1]))]


def _weights(step: OneStep, unit: Unit) -> list[tuple[float, float]]:
    """Return each weight of a unit with the number it multiplies."""
    weights = step.model.layers[unit.layer - 1].weight[:, unit.number]
    return list(zip(weights.tolist(), step.inputs[unit.layer - 1].tolist(), strict=True))


def _sum_lines(found: Sum, product: str, names: Sequence[str], factors: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Yield a sum of products: the largest with their factors, the rest, and the total."""
    for index, value in zip(found.indices, found.products, strict=True):
        one, other = factors[index]
        yield f"  {names[index]:12} {one:10.5f} · {other:8.5g} {value:15.8g}"
    if found.others:
        yield f"  {f'the other {found.others:,}':34} {found.rest:15.8g}"
    yield f"  {f'Σ {product}':34} {found.total:15.8g}"


def _delta_lines(step: OneStep, unit: Unit) -> Iterator[str]:
    layer, number = unit
    if layer == len(step.z):
        p, y = step.a[-1][number], step.y[number]
        yield f"backward, BP1    {source('# BP1')}"
        yield f"  {'score p':34} {p:15.8g}"
        yield f"  {'target y':34} {y:15.8g}"
        return
    above = layer + 1
    names = [f"{above}:{index}" for index in range(len(step.delta[layer]))]
    factors = list(zip(step.model.layers[layer].weight[number].tolist(), step.delta[layer].tolist(), strict=True))
    yield f"backward, BP2    {source('# BP2')}"
    yield from _sum_lines(blame(step, unit, SHOWN), "w·δ of the layer above", names, factors)
    yield f"  {_SLOPE:34} {step.f_prime[layer - 1][number]:15.8g}"


def _weight_lines(step: OneStep, unit: Unit, rate: float) -> Iterator[str]:
    """Yield the weights of a unit with the largest gradients: x·δ, the central difference, and the step."""
    layer, number = unit
    gradients = step.gradients[layer - 1].weight[:, number]
    yield f"  {'':12} {'x':>8} · {'δ':>10} = {'∂C/∂w':>15} {'difference':>15} {'w':>11} → {'w + v':>11}"
    order = sorted(range(len(gradients)), key=lambda index: -abs(gradients[index]))
    for index in [each for each in order[:SHOWN] if gradients[each]]:
        x, w = step.inputs[layer - 1][index], step.model.layers[layer - 1].weight[index, number]
        difference, after = central_difference(step, layer, index, number), w - rate * gradients[index]
        yield (
            f"  {_below(step, layer, index):12} {x:8.5f} · {step.delta[layer - 1][number]:10.3g} = "
            f"{gradients[index]:15.8g} {difference:15.8g} {w:11.7f} → {after:11.7f}"
        )
    if not gradients.any():
        yield "  none moves: δ is 0"
