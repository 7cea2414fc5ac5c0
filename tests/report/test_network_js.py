"""The network that pages share, run by Node.js: both passes and the steps of descent are those of bpcli.core."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.erf import erf
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.optimizers import Momentum, blocks
from bpcli.core.threads import ALONE
from bpcli.core.types import Array
from bpcli.report.packing import packed
from tests.report.node import needs_node, run
from tests.report.test_drawing import network as checkpoint

RATE, MOMENTUM, DECAY, STEPS = 0.5, 0.9, 0.01, 3
CODE = """return data.map(({ type, activations, output, layers, x, y, rows, thin, rate, momentum, decay, steps }) => {
  const kind = { float32: Float32Array, float64: Float64Array }[type];
  const network = { output: OUTPUTS[output], layers: layers.map(({ fanIn, fanOut, weights, biases }, l) => ({
    fanIn, fanOut, weights: kind.from(weights), biases: kind.from(biases),
    activation: ACTIVATIONS[activations[l] ?? "identity"] })) };
  const twice = () => sparse(kind.from([...x.map((each) => each + 1), ...x]), 2 * rows); // the batch comes last
  const inputs = thin ? rowsOf(twice(), Array.from({ length: rows }, (_, row) => rows + row)) : kind.from(x);
  const targets = oneHot(y, network.layers.at(-1).fanOut, new kind(0));
  const velocity = momentum ? zerosLike(network.layers) : null;
  const gradients = zerosLike(network.layers);
  gradients[0].weights.fill(7); // what was there before doesn't count
  let first = null;
  for (let step = 0; step < steps; step++) {
    const pass = forward(network, inputs, rows);
    const found = backward(network, pass, targets, gradients);
    first ??= { a: pass.a, logits: pass.logits, scores: pass.scores, losses: lossesOf(network, pass, targets),
      deltas: found.deltas, gradients: copyOf(found.gradients), type: pass.scores.constructor.name,
      toInputs: throughWeights(network.layers[0], found.deltas[0], rows) };
    descend(network.layers, gradients, { rate, momentum, decay }, velocity);
  }
  return { ...first, after: copyOf(network.layers) };
});"""


def cases() -> list[dict[str, Any]]:
    """Each activation, each output with its loss, batches around four rows, which share weights, both types."""
    made = [([6], [name], ("softmax", "cross_entropy"), 5, "float64") for name in ACTIVATIONS]
    made += [
        ([7, 5], ["tanh", "relu"], pair, rows, "float64") for pair, rows in zip(OUTPUTS, (1, 3, 4, 9), strict=True)
    ]
    made += [([6], [name], ("sigmoid", "binary_cross_entropy"), 6, "float32") for name in ACTIVATIONS]
    made += [([], [], ("sigmoid", "quadratic"), 2, "float64")]
    return [_case(*each) for each in made] + [_case(*each, thin=True) for each in made[len(ACTIVATIONS) :]]


def _case(
    hidden: list[int], activations: list[str], pair: tuple[str, str], rows: int, kind: str, *, thin: bool = False
) -> dict[str, Any]:
    """Random numbers for a case; `thin` inputs are zero but for a few and given as a sparse matrix."""
    rng, sizes = np.random.default_rng(rows), [11, *hidden, 4]
    vector = rng.standard_normal(parameters.count(sizes)).astype(kind)
    layers = [
        {"fanIn": fan_in, "fanOut": fan_out, "weights": layer.weight.T.ravel().tolist(), "biases": layer.bias.tolist()}
        for layer, (fan_in, fan_out) in zip(parameters.views(vector, sizes), pairwise(sizes), strict=True)
    ]
    x = rng.standard_normal(rows * 11)
    if thin:
        x[rng.random(rows * 11) < 0.7] = 0
    return {
        "type": kind, "thin": thin, "activations": activations, "output": ", ".join(pair), "layers": layers,
        "rows": rows, "x": x.astype(kind).tolist(), "y": rng.integers(4, size=rows).tolist(),
        "rate": RATE, "momentum": MOMENTUM * (rows > 1), "decay": DECAY, "steps": STEPS,
        "sizes": sizes, "vector": vector.tolist(),
    }  # fmt: skip


def numpys(case: dict[str, Any]) -> dict[str, Any]:
    """The same in bpcli.core, in double precision."""
    sizes, (output, loss), rows = case["sizes"], case["output"].split(", "), case["rows"]
    net = Network(tuple(sizes), tuple(ACTIVATIONS[name] for name in case["activations"]), OUTPUTS[output, loss])
    vector = np.array(case["vector"])
    gradient, velocity = np.zeros_like(vector), np.zeros_like(vector)
    layers, gradients, v = (parameters.views(each, sizes) for each in (vector, gradient, velocity))
    x, y, room = np.reshape(case["x"], (rows, 11)), np.eye(4)[case["y"]], Buffers.allocate(net, rows, np.float64)
    found: dict[str, Any] = {}
    for step in range(STEPS):
        logits = forward(net, layers, x, room)
        scores = net.output.value(logits)
        delta = backward(net, layers, x, scores, y, room, gradients)
        if not step:
            deltas = [each.delta for each in room.hidden] + [delta]
            found = {
                "a": [*(each.a.copy() for each in room.hidden), logits], "logits": logits, "scores": scores,
                "losses": net.output.loss(logits, scores, y), "deltas": [each.copy() for each in deltas],
                "gradients": _laid_out(gradients), "toInputs": deltas[0] @ layers[0].weight.T,
            }  # fmt: skip
        for block in blocks(layers, gradients, [v], ALONE):
            Momentum(case["momentum"], DECAY).step(block, RATE, step + 1)
    return {**found, "after": _laid_out(layers)}


def _laid_out(layers: tuple[parameters.Layer, ...]) -> list[dict[str, Array]]:
    return [{"weights": layer.weight.T.copy(), "biases": layer.bias.copy()} for layer in layers]


def _flat(found: Any) -> Array:
    if isinstance(found, dict):
        return _flat([found["weights"], found["biases"]])
    return np.concatenate([np.ravel(_flat(each) if isinstance(each, (list, dict)) else each) for each in found])


@needs_node
def test_both_passes_and_the_steps_are_numpys() -> None:
    all_cases = cases()
    for case, own in zip(all_cases, run(CODE, all_cases), strict=True):
        assert own.pop("type") == {"float32": "Float32Array", "float64": "Float64Array"}[case["type"]]
        for name, expected in numpys(case).items():
            about = f"{name} of {case['activations']}, {case['output']}, {case['rows']} rows, {case['type']}"
            slack = {"float32": 2e-5, "float64": 1e-11}[case["type"]]
            np.testing.assert_allclose(_flat(own[name]), _flat(expected), rtol=slack, atol=slack, err_msg=about)


@needs_node
def test_the_error_function_is_exact() -> None:
    x = np.concatenate([np.linspace(-7, 7, 141), [1e-300, -1e-9, 0.0, 6.0001]])
    np.testing.assert_allclose(run("return data.map(erf);", x.tolist()), erf(x), rtol=1e-14, atol=0)


@needs_node
@pytest.mark.parametrize("hidden", [[5], [2, 1, 1]], ids=str)
@pytest.mark.parametrize("exact", [False, True])
def test_a_network_travels_in_either_precision(exact: bool, hidden: list[int]) -> None:
    loaded = checkpoint(hidden)
    if exact:
        loaded.parameters[:] *= np.float32(1.0001)  # which half precision does not hold
    code = "return readNetwork(data).layers.map(({ weights, biases }) => ({ weights, biases }));"
    found = run(code, packed(loaded, exact=exact))
    np.testing.assert_array_equal(_flat(found), _flat(_laid_out(loaded.model.layers)))
